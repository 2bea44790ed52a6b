"""How an engine holds a model's weights in memory; agent/models/README.md has the figures."""

from typing import Literal

Profile = Literal["fast", "low_memory"]
