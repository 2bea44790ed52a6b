"""The operator's side: who belongs to a fleet, and the broker that carries its messages."""
