"""What a service's command lets its caller say of the log."""

from typing import Annotated

import typer

VerboseOption = Annotated[
    int, typer.Option("--verbose", "-v", count=True, help="Log more; twice: everything.")
]
QuietOption = Annotated[
    int, typer.Option("--quiet", "-q", count=True, help="Log warnings only; twice: errors only.")
]
LogJsonOption = Annotated[
    bool, typer.Option("--log-json", help="One JSON object for each line of the log.")
]
