"""``bin/callers``: every program that calls Helm or the filter, run for real through one table of scenes."""
