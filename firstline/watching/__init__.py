"""Watching a fleet from afar: what devices and workers say of themselves, for Prometheus."""
