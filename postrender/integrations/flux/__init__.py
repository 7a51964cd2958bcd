"""Flux: what the filter would edit, as patches of a HelmRelease, since helm-controller runs no program."""
