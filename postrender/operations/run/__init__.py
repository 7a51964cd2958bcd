"""A Helm command run to the end: the release installed or upgraded, true, and without pins."""
