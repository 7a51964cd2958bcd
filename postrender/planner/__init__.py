"""The only place that decides: facts and policy in, one verdict an object out. Pure."""
