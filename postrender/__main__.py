"""``python -m postrender``."""

from postrender.cli import run

run()
