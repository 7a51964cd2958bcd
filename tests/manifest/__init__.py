"""Tests of the package manifest."""
