"""The updater: looks at what is released, and brings what is meant for this board. Then it ends.

    python -m agent.update.child        frames on standard input and output: words.py

    refresh --> rollouts of our groups --> whose turn --> which variant --> download --> assemble
    ready, says it to the agent <-- -------------------------------------------------------'

A process of its own, because TUF and patches take memory that a board has better use for. It may be
killed at any moment: all that it knows is on the disk, and it goes on where it was.
"""

import logging
import sys
import time
from collections import Counter
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from agent.update.cache import Cache
from agent.update.date import Date
from agent.update.errors import ExpiredError, NotHeardError, RefusedError, StoppedError, UpdateError
from agent.update.fetcher import MqttFetcher
from agent.update.floor import Floor
from agent.update.follow import Follower
from agent.update.line import LineClosedError
from agent.update.pipe_line import PipeLine
from agent.update.trust import Trust
from agent.update.words import Begin, Damaged, Over
from broker.wire.credentials import DeviceCredentials, load_device

_UNHEARD_S: Final = 300.0  # the broker is slow, or only part of a release is there yet
_REFUSED_S: Final = 3600.0  # what was published is not to be taken: until it is mended
_EXPIRED_S: Final = 60.0  # until a worker has told the date
_TROUBLE_S: Final = 600.0  # with the disk
_LOOKS: Final = 100  # at a release that changes all the time

_log = logging.getLogger(__name__)


def main() -> int:
    """Look once; 1 if the agent is not there any more."""
    logging.basicConfig(level=logging.INFO, format="updater: %(message)s")
    line = PipeLine(FileIO(sys.stdin.fileno(), closefd=False), sys.stdout.buffer)
    try:
        told = line.begin().get("begin")
        begin = Begin.read(told if isinstance(told, str) else "")
        counters: Counter[str] = Counter()
        over = _look(line, begin, load_device(Path(begin.credentials)), counters)
        line.tell("over", replace(over, counted=dict(counters)))
    except LineClosedError:
        return 1
    return 0


def _look(line: PipeLine, begin: Begin, own: DeviceCredentials, counters: Counter[str]) -> Over:
    """Look until there is nothing to do, and say when to look again."""
    date = Date(begin.made_s, time.time, begin.offset_s)
    try:
        for _ in range(_LOOKS):
            floor = Floor(Path(begin.state) / "update-floor", own.storage_key)
            if floor.damaged:
                line.tell("damaged", Damaged(copies=floor.damaged))
            with _trust(line, begin, own, floor, date) as trust:
                signed_s = trust.refresh().signed_s
                follower = Follower(
                    line=line,
                    trust=trust,
                    begin=begin,
                    own=own,
                    now_s=partial(date.at_least_s, signed_s),
                )
                try:
                    return Over(again_s=follower.follow_all())
                except StoppedError:
                    pass  # something new: look at it
                finally:
                    counters.update(follower.counters)
    except ExpiredError as error:
        _log.warning("expired, by our idea of the time: %s", error)
        return Over(again_s=_EXPIRED_S, expired=True)
    except RefusedError as error:
        _log.error("not taken: %s", error)
        return Over(again_s=_REFUSED_S, refused=str(error))
    except NotHeardError as error:
        _log.warning("%s", error)
    except UpdateError as error:
        _log.error("%s", error)
    except OSError as error:
        _log.error("%s", error)
        return Over(again_s=_TROUBLE_S)
    return Over(again_s=_UNHEARD_S)


def _trust(line: PipeLine, begin: Begin, own: DeviceCredentials, floor: Floor, date: Date) -> Trust:
    return Trust(
        cache=Cache(Path(begin.state) / "updates" / "tuf"),
        root=own.root,
        fetcher=MqttFetcher(line, own.fleet),
        floor=floor,
        date=date,
    )


if __name__ == "__main__":
    sys.exit(main())
