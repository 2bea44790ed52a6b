"""The device: data in, answer out, nothing personal leaves. Start at `pipeline.py`."""
