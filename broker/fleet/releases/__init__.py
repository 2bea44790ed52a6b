"""Signed releases: what the operator vouches for, and which boards shall run what."""
