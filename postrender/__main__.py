"""``python -m postrender``."""

from postrender.cli.main import run

run()
