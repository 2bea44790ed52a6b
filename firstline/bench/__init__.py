"""Measurements that a user can repeat, each beside what they would use instead."""
