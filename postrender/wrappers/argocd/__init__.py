"""Argo CD: a config management plugin, which renders a chart with Helm and prints what Argo CD shall apply."""
