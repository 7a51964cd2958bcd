"""Tests of the package lint."""
