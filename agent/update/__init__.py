"""Signed model updates, from the broker to a model that runs and is watched."""
