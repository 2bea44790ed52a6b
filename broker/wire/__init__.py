"""What crosses the wire, imported by both sides. Only `session.py` knows paho."""
