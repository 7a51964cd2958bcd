"""Real Helm against a real API server."""
