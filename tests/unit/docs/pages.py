"""The repository's pages for people, and what can be read out of them by a program."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
SECURITY = ROOT / "SECURITY.md"

_NOT_OURS = {"build", "dist", "htmlcov"}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_RULE = re.compile(r"[|\s:-]+")


def pages() -> list[Path]:
    """Every page in the repository."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    ours = (path for path in found if not _hidden(path) and path.parts[0] not in _NOT_OURS)
    return sorted(ROOT / path for path in ours)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    text = page.read_text(encoding="utf-8")
    return [body for name, body in _BLOCK.findall(text) if name == language]


def indented(page: Path, mark: str) -> str:
    """The indented block that follows an HTML comment."""
    behind = page.read_text(encoding="utf-8").partition(f"<!-- {mark} -->")[2]
    lines: list[str] = []
    for line in behind.splitlines():
        if line.strip() and not line.startswith("    "):
            break
        lines.append(line[4:])
    return "\n".join(lines).strip("\n")


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its own two."""
    behind = page.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    lines = iter(behind.splitlines())
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split(" |")])
        elif rows or line.startswith("#"):
            break
    return [row for row in rows[1:] if not _RULE.fullmatch("|".join(row))]


def code(text: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(text)


def words(page: Path) -> Iterator[tuple[int, str]]:
    """What stands between backticks on a page, outside of its blocks, with its line."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fenced ^= line.startswith("```")
        if not fenced and not line.startswith("    "):
            yield from ((number, word) for word in code(line))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
