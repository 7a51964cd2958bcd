"""Decides what happens to each object: facts and policy in, one verdict per object out. Pure: asks no cluster."""
