"""What is wrong with a settings file, for those who do not read it themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a settings file."""

    file: str
    line: int  # from 1
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class SettingsError(Exception):
    """A settings file cannot be used; `problems` holds every reason."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems

    def __reduce__(self) -> tuple[type["SettingsError"], tuple[tuple[Problem, ...]]]:
        return SettingsError, (self.problems,)  # it crosses from the process that read the file
