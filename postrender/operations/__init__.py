"""What is done with a release or a stream of manifests, one module or package an operation."""
