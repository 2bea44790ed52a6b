"""The section of the agent's settings that is about the board itself."""

from pathlib import Path

from pydantic import Field

from agent.board import METERED_FILE, Metered, Power
from firstline.settings.source import Section


class BoardSection(Section):
    """What the board can bear, and what the operator knows better than the kernel."""

    throttle_c: float = Field(default=80.0, ge=40, le=110)  # from here on with half the threads
    power: Power = Power.AUTO
    metered: Metered = Metered.AUTO
    writes_mb_per_day: float = Field(default=0.0, ge=0, le=1_000_000)  # 0: no budget
    metered_file: Path = METERED_FILE  # "yes" or "no", looked at where `metered` is auto
