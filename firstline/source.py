"""Where a file of a hub is: hf:OWNER/NAME/FILE."""

from dataclasses import dataclass

from firstline.exits import CommandError, ExitCode


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a repository."""

    repo: str  # OWNER/NAME
    file: str  # with its folders
    revision: str  # a branch, tag or commit


def parse_source(text: str, revision: str) -> Source:
    """Read hf:OWNER/NAME/FILE.

    Raises:
        CommandError: it is of another form.
    """
    owner, _, rest = text.removeprefix("hf:").partition("/")
    name, _, file = rest.partition("/")
    if not text.startswith("hf:") or not (owner and name and file):
        raise CommandError(
            f"{text} is not of the form hf:OWNER/NAME/FILE",
            ExitCode.USAGE,
            fix="firstline model pull hf:ggml-org/models/tinyllamas/stories260K.gguf",
        )
    return Source(f"{owner}/{name}", file, revision)
