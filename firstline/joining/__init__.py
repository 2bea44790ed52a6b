"""How a board joins a fleet: its side, and the operator's."""
