"""Facts and policy in, one verdict an object out. The only place that decides; pure."""
