"""The commands, one file each. A command builds parts, runs them and prints; it owns no logic."""

import typer


def noun(summary: str) -> typer.Typer:
    """Make a command that has commands of its own, such as `fleet init`."""
    return typer.Typer(
        help=summary,
        callback=_stay_a_group,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
    )


def _stay_a_group() -> None:
    """Without a callback, Typer would melt a noun with one verb into that verb."""
