"""The thin shell: threads that only fill one queue, one loop that empties it, and the outputs."""
