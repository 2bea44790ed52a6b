"""Inference, in a child process: a crash costs one answer's delay, never the agent."""
