"""How far a command is that takes long: a bar on a terminal, nothing elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def blocks_sent() -> Iterator[Callable[[int, int], None]]:
    """A bar for blocks on their way to the broker; call it with those sent, and all."""
    from rich.console import Console  # noqa: PLC0415 - as slow as all else together
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("blocks to the broker", total=None)
        yield lambda sent, of: bar.update(task, completed=sent, total=of)
