"""Streams of manifests, hand-made and real, with what must come out of them."""
