"""What can go wrong in the demo."""


class DemoError(Exception):
    """A part of the demo did not start, or gave no answer."""
