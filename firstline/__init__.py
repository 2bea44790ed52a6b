"""The front door: one command line. It builds the parts and owns no logic."""
