"""Fetches a file from a hub of models; the only module that imports huggingface_hub.

    hf:OWNER/NAME/FILE --HEAD--> size, hash --GET, from where it stopped--> FILE.part --hash--> FILE

The library's own download begins anew after a process has ended (its pull request 4228); here
FILE.part stays, named after the hash, and the next attempt asks for the rest (RFC 9110, section
14). The library writes 10 MB at a time, so what a killed process loses is less than that.
"""

import errno
import fcntl
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import HfFileMetadata, http_get
from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils.tqdm import disable_progress_bars

from firstline.exits import CommandError, ExitCode
from firstline.source import Source

_BLOCK_BYTES: Final = 1 << 20
_SHA256_DIGITS: Final = 64
_SUGGESTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Pulled:
    """A file that is there, whole."""

    path: Path
    size_bytes: int
    resumed_bytes: int  # of it that an earlier attempt had left
    sha256: str
    commit: str  # of the repository
    checked: bool  # the hub told a hash, or the person did


def pull(source: Source, folder: Path, *, sha256: str = "", quiet: bool = False) -> Pulled:
    """Fetch a file into a folder, under its own name; what is there already is not fetched again.

    Raises:
        CommandError: it cannot be had; the message says why, and what to do.
        OSError: the folder cannot be written.
    """
    if quiet or not sys.stderr.isatty():
        disable_progress_bars()
    with _explained(source):
        url = hf_hub_url(source.repo, source.file, revision=source.revision)
        headers = build_hf_headers(library_name="firstline")
        told = get_hf_file_metadata(url, headers=headers)
    expected = sha256.lower() or told.etag or ""
    target = folder / Path(source.file).name
    if target.exists():
        return _there(target, told, expected)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{target.name}.{(told.etag or 'unknown')[:16]}.part"
    with part.open("ab") as file:
        _alone(file, part)
        resumed = part.stat().st_size
        if told.size is not None:
            _check_room(folder, told.size - resumed)
        if told.size is None or resumed != told.size:
            with _explained(source):
                _fetch(told, url, file, resumed, headers)
    checked = _check(part, expected)
    part.rename(target)
    digest = _digest(target, hashlib.sha256())
    size = target.stat().st_size
    return Pulled(target, size, resumed, digest, told.commit_hash or "", checked)


def _fetch(
    told: HfFileMetadata, url: str, file: BinaryIO, resumed: int, headers: dict[str, str]
) -> None:
    location = told.location or url
    if urlsplit(location).netloc != urlsplit(url).netloc:  # somebody else's storage
        headers = {k: value for k, value in headers.items() if k.lower() != "authorization"}
    http_get(location, file, resume_size=resumed, headers=headers, expected_size=told.size)


def _there(target: Path, told: HfFileMetadata, expected: str) -> Pulled:
    """A file of that name is there already: fine if it is the same."""
    if not _matches(target, expected):
        raise CommandError(
            f"{target} is there already, and is another file", fix=f"mv {target} {target}.old"
        )
    digest, size = _digest(target, hashlib.sha256()), target.stat().st_size
    return Pulled(target, size, size, digest, told.commit_hash or "", checked=True)


def _check(part: Path, expected: str) -> bool:
    """Whether there was a hash to compare with.

    Raises:
        CommandError: it is another one.
    """
    if len(expected) not in (40, _SHA256_DIGITS):
        return False  # the hub told no hash of the content
    if not _matches(part, expected):
        part.unlink()
        raise CommandError(
            f"what came is not what was announced: its hash is not {expected}. It was removed; "
            "try again, and if this happens again, something on the way alters it"
        )
    return True


def _matches(path: Path, expected: str) -> bool:
    if len(expected) == _SHA256_DIGITS:
        return _digest(path, hashlib.sha256()) == expected
    git = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    return _digest(path, git) == expected  # small files are told by git's own name for them


def _digest(path: Path, digest: "hashlib._Hash") -> str:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _alone(file: BinaryIO, part: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CommandError(f"another process is fetching {part} right now") from None


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CommandError(
            f"{folder} has room for {free / 1e6:,.0f} MB, and {needed / 1e6:,.0f} MB are missing",
            fix="--out DIR on another disk",
        )


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    """What the library raises, in plain words."""
    try:
        yield
    except HFValidationError as error:
        raise CommandError(f"{source.repo} is no name of a repository", ExitCode.USAGE) from error
    except (HfHubHTTPError, EntryNotFoundError) as error:
        raise _refused(source, error) from error
    except httpx2.ProxyError as error:
        raise CommandError(
            f"the proxy does not let us through: {error}; check HTTPS_PROXY and NO_PROXY"
        ) from error
    except (OfflineModeIsEnabled, httpx2.HTTPError) as error:
        raise CommandError(
            f"{constants.ENDPOINT} cannot be reached: this machine is offline, or behind a proxy "
            "that HTTPS_PROXY does not name. What has come is kept; the same command goes on "
            "there. Or copy the file here by hand: `firstline model pack` takes it as well"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise CommandError("the disk is full; what has come is kept") from error
        if error.errno is not None:
            raise
        raise CommandError(
            "the download was cut; what has come is kept, and the same command goes on there"
        ) from error


def _refused(source: Source, error: HfHubHTTPError | EntryNotFoundError) -> CommandError:
    """The hub's refusals; the narrower come first."""
    hub, repo = constants.ENDPOINT, source.repo
    match error:
        case GatedRepoError():
            return CommandError(
                f"{repo} is gated: accept its conditions on {hub}/{repo}, make a token there, and "
                "give it as HF_TOKEN or by `hf auth login`",
                ExitCode.KEYS,
            )
        case RepositoryNotFoundError():
            return CommandError(
                f"there is no repository {repo}{_near(_repositories, source)}, or it is private "
                "and the token in HF_TOKEN does not open it"
            )
        case RevisionNotFoundError():
            return CommandError(f"{repo} has no revision {source.revision!r}")
        case EntryNotFoundError():
            return CommandError(f"{repo} has no file {source.file}{_near(_files, source)}")
        case _ if error.response.status_code in (401, 403):
            return CommandError(
                f"{hub} refuses {repo}: HF_TOKEN is missing, wrong, or has no right to it",
                ExitCode.KEYS,
            )
        case _:
            status = error.response.status_code
            return CommandError(f"{hub} answered with status {status}; try again later")


def _near(list_names: Callable[[Source], tuple[str, list[str]]], source: Source) -> str:
    """Names that are nearly the one that was asked for; none if nobody says."""
    try:
        asked, names = list_names(source)
    except (HfHubHTTPError, httpx2.HTTPError, OSError, ValueError):
        return ""
    found = get_close_matches(asked, names, n=_SUGGESTIONS, cutoff=0.5)
    return f" (there is {', '.join(found)})" if found else ""


def _files(source: Source) -> tuple[str, list[str]]:
    return source.file, HfApi().list_repo_files(source.repo, revision=source.revision)


def _repositories(source: Source) -> tuple[str, list[str]]:
    name = source.repo.partition("/")[2]
    return source.repo, [each.id for each in HfApi().list_models(search=name, limit=20)]
