"""Faults of everything around the program, as a table: what each command does then."""
