"""Tests of the package helm."""
