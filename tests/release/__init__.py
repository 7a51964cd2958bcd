"""What is published, as somebody gets it."""
