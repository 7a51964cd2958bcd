"""Programs for whoever works on postrender; nothing here is installed."""
