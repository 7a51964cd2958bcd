"""Benchmarks, not tests: ``bin/bench`` measures the numbers the project promises, side by side, and prints them."""
