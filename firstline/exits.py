"""Exit codes: what went wrong, for scripts. Never 0 on failure.

      0  done
      1  failed: see the message
      2  the command line is wrong
      3  a settings file is invalid
      4  the broker cannot be reached or started
      5  refused: keys are missing, altered or out of date
      6  no answer in time
      7  a model package is missing or broken
      8  partly done: the answer is the device's own although it wanted to ask
    130  interrupted

`firstline exit-codes` prints this table.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What a command returns to its caller."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    SETTINGS = 3
    BROKER = 4
    KEYS = 5
    TIMEOUT = 6
    MODEL = 7
    PARTIAL = 8
    INTERRUPTED = 130  # 128 + SIGINT, as shells do


MEANINGS: Final[Mapping[ExitCode, str]] = {
    ExitCode.OK: "done",
    ExitCode.FAILURE: "failed: see the message",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.SETTINGS: "a settings file is invalid",
    ExitCode.BROKER: "the broker cannot be reached or started",
    ExitCode.KEYS: "refused: keys are missing, altered or out of date",
    ExitCode.TIMEOUT: "no answer in time",
    ExitCode.MODEL: "a model package is missing or broken",
    ExitCode.PARTIAL: "partly done: the answer is the device's own although it wanted to ask",
    ExitCode.INTERRUPTED: "interrupted",
}

# By name, so that the command line knows the errors of modules that it has not imported.
_EXPECTED: Final[Mapping[str, ExitCode]] = {
    "agent.core.errors.FinderError": ExitCode.FAILURE,
    "agent.core.errors.InputError": ExitCode.FAILURE,
    "agent.errors.OutputUnavailableError": ExitCode.FAILURE,
    "agent.models.model.ModelError": ExitCode.MODEL,
    "agent.models.names.NamesError": ExitCode.MODEL,
    "agent.store.errors.OutboxFullError": ExitCode.FAILURE,
    "agent.store.errors.StoreError": ExitCode.FAILURE,
    "broker.fleet.errors.BrokerMissingError": ExitCode.BROKER,
    "broker.fleet.errors.BrokerStartError": ExitCode.BROKER,
    "broker.fleet.errors.FleetError": ExitCode.FAILURE,
    "broker.fleet.errors.PassphraseError": ExitCode.KEYS,
    "broker.fleet.errors.RulesRefusedError": ExitCode.BROKER,
    "broker.package.errors.PackageError": ExitCode.MODEL,
    "broker.pages.PagesUnavailableError": ExitCode.FAILURE,
    "broker.wire.errors.BrokerUnavailableError": ExitCode.BROKER,
    "broker.wire.errors.JoinRefusedError": ExitCode.KEYS,
    "broker.wire.errors.KeyFileError": ExitCode.KEYS,
    "broker.wire.errors.WireError": ExitCode.KEYS,
    "builtins.OSError": ExitCode.FAILURE,
    "builtins.TimeoutError": ExitCode.TIMEOUT,
    "cloud_worker.errors.ModelLoadError": ExitCode.MODEL,
    "cloud_worker.errors.WorkerError": ExitCode.FAILURE,
    "firstline.bench.pair.PairError": ExitCode.USAGE,
    "firstline.build.AlreadyRunningError": ExitCode.FAILURE,
    "firstline.mask_rules.ListFileError": ExitCode.SETTINGS,
    "firstline.plan.PlanningError": ExitCode.FAILURE,
    "firstline.settings.problems.SettingsError": ExitCode.SETTINGS,
}


class CommandError(Exception):
    """A command cannot do what it was asked, and says what would help."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILURE, *, fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.fix = fix  # a command to type, or nothing


def code_of(error: Exception) -> ExitCode | None:
    """The exit code of an error that we expect, or None: it is a mistake of ours."""
    if isinstance(error, CommandError):
        return error.code
    for kind in type(error).__mro__:
        code = _EXPECTED.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code
    return None
