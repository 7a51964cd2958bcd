"""Packages of postrender for machines without pip: one file, a self-contained folder, a Helm 4 plugin, an image."""
