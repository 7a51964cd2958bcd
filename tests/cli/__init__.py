"""The executable as a subprocess."""
