"""Coverage-guided fuzzing of the rooms that read and write YAML."""
