"""A Helm post-renderer that lets a release take its kept resources back, and says what Helm will do to them."""
