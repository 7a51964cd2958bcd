"""Other callers' protocols, each turned into a call of the pipeline."""
