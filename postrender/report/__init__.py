"""A plan, for a reader. Every format is a view of the same Plan; nothing is decided here."""
