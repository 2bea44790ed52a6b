"""How the name model was made: sentences from templates, its training, its figures."""
