"""Live objects behind one interface: the API server, a snapshot file, or nothing."""
