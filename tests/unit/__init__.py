"""Tests that start no other program but our own."""
