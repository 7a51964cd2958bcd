"""The pages of the documentation, statement by statement."""
