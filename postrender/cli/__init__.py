"""The command line: arguments, prompts, output and exit codes."""
