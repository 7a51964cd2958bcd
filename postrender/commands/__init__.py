"""One module a subcommand: arguments to one call, one result to print."""
