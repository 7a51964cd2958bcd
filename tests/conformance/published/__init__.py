"""The tests that other projects publish, run against the functions of postrender that do the same.

What goes in and what comes out is recorded from the projects' own tests (``tests/tools/gotables.py``); nothing of it is
kept here. ``bin/published`` prints the numbers, ``bin/published --write`` writes them to docs/published-tests.md.
"""
