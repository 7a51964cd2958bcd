"""Tests of what holds for the whole repository: layers, measures, tools."""
