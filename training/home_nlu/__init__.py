"""home-nlu: a small Llama that reads a home command and writes its intent and slots as JSON."""
