"""A hub on this machine: the few endpoints of Hugging Face's that a download needs, over real HTTP.

HEAD, GET /OWNER/NAME/resolve/REVISION/FILE    ETag, X-Repo-Commit, X-Linked-*, Range
GET /api/models/OWNER/NAME/tree/REVISION       the files
GET /api/models?search=                        the repositories
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

COMMIT = "c" * 40


@dataclass
class Hub:
    """What it has, how it behaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)  # OWNER/NAME/FILE -> content
    gated: set[str] = field(default_factory=set)  # OWNER/NAME that need the token
    token: str = "hf_right"  # noqa: S105 - of a hub that is not there a minute later
    altered: bool = False  # the first byte that it sends is another one
    stall_after: int | None = None  # bytes, after which it says nothing more
    cut_after: int | None = None  # bytes, after which it hangs up, once
    claims: int | None = None  # bytes that it says a file has
    status: int = 0  # answers everything with this
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Range
    address: str = ""


@contextmanager
def running_hub(hub: Hub) -> Iterator[Hub]:
    """Serve on a free port."""
    release = threading.Event()

    class Handler(_Handler):
        serves, released = hub, release

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    serves: Hub
    released: threading.Event

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests look at what was asked."""

    def _answer(self, *, body: bool) -> None:
        hub, url = self.serves, urlsplit(self.path)
        hub.asked.append((self.command, url.path, self.headers.get("Range", "")))
        if hub.status:
            self._say(hub.status)
        elif url.path.startswith("/api/models/"):
            owner, name = url.path.split("/")[3:5]
            start = f"{owner}/{name}/"
            names = [key.removeprefix(start) for key in hub.files if key.startswith(start)]
            tree = [{"type": "file", "path": each, "size": 1, "oid": "0"} for each in names]
            self._say(200, json.dumps(tree).encode())
        elif url.path == "/api/models":
            wanted = parse_qs(url.query).get("search", [""])[0]
            known = sorted({"/".join(key.split("/")[:2]) for key in hub.files})
            found = [{"id": each, "modelId": each} for each in known if wanted[:4] in each]
            self._say(200, json.dumps(found).encode())
        else:
            self._file(url.path, body=body)

    def _file(self, path: str, *, body: bool) -> None:
        hub = self.serves
        owner, name, _, revision, *rest = path.strip("/").split("/")
        repo = f"{owner}/{name}"
        if not any(key.startswith(repo + "/") for key in hub.files):
            self._say(401, error="RepoNotFound")
        elif repo in hub.gated and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self._say(403, error="GatedRepo")
        elif revision not in ("main", COMMIT):
            self._say(404, error="RevisionNotFound")
        elif (content := hub.files.get("/".join([repo, *rest]))) is None:
            self._say(404, error="EntryNotFound")
        else:
            self._content(content, body=body)

    def _content(self, content: bytes, *, body: bool) -> None:
        hub = self.serves
        given = self.headers.get("Range", "")
        start = int(given.removeprefix("bytes=").rstrip("-")) if given else 0
        self.send_response(206 if given else 200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(hub.claims or len(content)))
        self.send_header("Content-Length", str(len(content) - start))
        if given:
            end = f"{start}-{len(content) - 1}"
            self.send_header("Content-Range", f"bytes {end}/{len(content)}")
        self.end_headers()
        if not body:
            return
        sent = content[start:]
        if hub.altered:
            sent = bytes([sent[0] ^ 1]) + sent[1:]
        if hub.stall_after is not None:
            self.wfile.write(sent[: hub.stall_after])
            self.wfile.flush()
            self.released.wait()
            self.close_connection = True
        elif hub.cut_after is not None:
            cut, hub.cut_after = hub.cut_after, None
            self.wfile.write(sent[:cut])
            self.close_connection = True
        else:
            self.wfile.write(sent)

    def _say(self, status: int, content: bytes = b"{}", *, error: str = "") -> None:
        self.send_response(status)
        if error:
            self.send_header("X-Error-Code", error)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
