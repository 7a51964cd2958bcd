"""The page of a plan in a real browser."""
