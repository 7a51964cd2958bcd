"""Server-side apply as the API server carries it out: migration of field ownership, merge and prune."""
