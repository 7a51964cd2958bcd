"""Helm 4's plugin: the folder that makes this very installation a post-renderer, and who else claims its name."""
