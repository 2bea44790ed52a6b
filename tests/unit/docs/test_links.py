"""What pages point at is there, and nothing on them is of one machine only."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT, SECURITY, code, pages, table, words

PAGES = {str(page.relative_to(ROOT)): page for page in pages()}
EVERY_PAGE = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_MAKE = re.compile(r"\bmake (?:-k )?([a-z]+)\b")
_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
_TEST = re.compile(r"\bdef (test_\w+)")
_PATH = re.compile(
    r"(?:agent|broker|cloud_worker|firmware_configs|firstline|scripts|tests|training)/[\w./-]+"
)
# /opt/firstline and /var/lib/firstline are where an installation is on every machine.
_OF_A_MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|work|opt(?!/firstline)|srv|var(?!/lib/firstline))/|pypi|/simple\b"
)
_EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    inside = [link for link in links if not link.startswith("https://")]

    assert [link for link in inside if not leads(page, link)] == []


def leads(page: Path, link: str) -> bool:
    """Whether a relative link has an end."""
    name, _, heading = link.partition("#")
    target = page.parent / name
    if not target.exists():
        return False
    return not heading or heading in anchors(target)


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings can be linked."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}


@EVERY_PAGE
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {word for _, word in words(page) if _PATH.fullmatch(word)}

    assert {name for name in named if not (ROOT / name).exists()} == set()


@EVERY_PAGE
def test_every_make_target_that_is_named_is_there(page: Path) -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = {name for _, word in words(page) for name in _MAKE.findall(word)}

    assert named <= targets


@EVERY_PAGE
def test_every_test_that_is_named_is_there(page: Path) -> None:
    named = {word for _, word in words(page) if re.fullmatch(r"test_\w+", word)}

    assert named <= every_test() | {
        "test_second_copy_of_a_reply_is_refused"
    }  # CONTRIBUTING's example


def every_test() -> set[str]:
    """The name of every test."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for path in files for name in _TEST.findall(path.read_text(encoding="utf-8"))}


def test_every_attacker_is_answered_by_a_test() -> None:
    known, rows = every_test(), table(SECURITY, "## Who can do what")

    assert len(rows) > 10
    assert [row[0] for row in rows if not set(code(row[3])) & known] == []


@EVERY_PAGE
def test_nothing_of_one_machine_stands_on_a_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert _OF_A_MACHINE.findall(text) == []
    assert _EMOJI.findall(text) == []
