"""A model server of a worker: is it there, does it take the key, has it the model?"""

from collections.abc import Iterator
from pathlib import Path

from cloud_worker.completions import models
from cloud_worker.errors import SaturatedError, UnusableReplyError
from firstline.checks.finding import Finding, fail, ok, warn
from firstline.settings.model_server import SectionFileError, read_files
from firstline.settings.worker import OpenAiSection

_NAME = "model server"
_LOOK_S = 5.0
_OK, _DENIED = 200, (401, 403)
_OTHERS = 0o077  # permission bits of group and world


def findings(section: OpenAiSection, base: Path) -> Iterator[Finding]:
    """Ask for its list of models; `base` is the settings file's folder."""
    from cloud_worker.server import ModelServer, ServerAddress  # noqa: PLC0415 - needs httpx

    try:
        files = read_files(section, base)
    except SectionFileError:  # told with the settings
        return
    if section.api_key_file is not None:
        yield from _permissions(base / section.api_key_file)
    address = ServerAddress(base_url=section.base_url, api_key=files.api_key)
    curl = f"curl -m {_LOOK_S:.0f} {section.base_url.rstrip('/')}/models"
    with ModelServer(address) as server:
        try:
            said = server.look("models", within_s=_LOOK_S)
            names = models(said.body) if said.status == _OK else ()
        except SaturatedError as error:
            yield fail(_NAME, f"{section.base_url} is away: {error}", curl)
            return
        except UnusableReplyError as error:
            yield warn(_NAME, f"{section.base_url}: {error}", curl)
            return
    if said.status in _DENIED:
        yield fail(_NAME, f"{section.base_url} refuses the key: HTTP {said.status}", curl)
    elif said.status != _OK:
        yield warn(_NAME, f"{section.base_url} lists no models: HTTP {said.status}", curl)
    elif section.model not in names:
        known = ", ".join(sorted(names)) or "none at all"
        seen = f"{section.base_url} has no model {section.model}, but {known}"
        yield fail(_NAME, seen, "set 'model' to one of these")
    else:
        yield ok(_NAME, f"{section.base_url} has {section.model}")


def _permissions(path: Path) -> Iterator[Finding]:
    if path.stat().st_mode & _OTHERS:
        yield fail("keys", f"others may read {path}", f"chmod go= {path}")
