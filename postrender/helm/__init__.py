"""A model of Helm: what it will send, and what will be there afterwards, version by version. Pure."""
