"""Scenarios x Helms: the model's predictions and the filter's promise, held against what really happens."""
