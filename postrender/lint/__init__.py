"""Rules for what a chart renders: facts in, findings out, and no cluster asked."""
