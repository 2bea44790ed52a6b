"""One question from the command line: to a model alone, or the whole way."""
