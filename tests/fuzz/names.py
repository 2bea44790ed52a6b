"""The parsers' names, and bytes that have hurt some. Imports none of them: see __main__."""

from pathlib import Path

NAMES = (
    *("question's envelope", "reply's envelope", "padding", "question", "reply", "topic"),
    *("presence", "MQTT packet", "key bundle", "roster", "signed document", "model server"),
    *("join request", "join answer", "join request's content", "join answer's content"),
    *("join code", "invitation", "renewal request", "renewal answer's content", "worker's word"),
    *("text input", "record input", "window input", "package.toml", "calibration.json"),
    *("names.toml", "lexicon", "device's keys", "worker's keys", "certificate", "locked key"),
    *("settings", "ONNX file", "GGUF file", "image", "engine child"),
    *("release root", "release timestamp", "release part"),
    *("signed timestamp", "signed snapshot", "signed rollout", "rollout", "plan", "update floor"),
)
HUGE = (b"\xff\xff\xff\x7f", b"\xff" * 8, b"\0\0\0\0\1\0\0\0", b"\x7f" + b"\xff" * 7)
NASTY = (
    *(
        b"",
        b"\0",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\\ud800",
        b"null",
        b"true",
        b"-1",
        b"NaN",
        b"1e999",
    ),
    *(
        b"[" * 20_000,
        b'{"a":' * 5_000,
        b"a.b." * 2_000,
        b"9" * 5_000,
        b'"' * 3,
        b"\n",
        b"=",
        b"[[",
        b"\r",
    ),
)
# What `make fuzz` and its kind have found, and was mended: a new one adds a row first.
FOUND = (
    ("settings", b"a = " + b"[" * 3_000),
    ("settings", b"a = " + b"9" * 5_000),
    ("package.toml", b"a = " + b"[" * 3_000),
    ("package.toml", b"a = " + b"9" * 5_000),
    ("calibration.json", b"[" * 100_000),
    ("calibration.json", b'{"a": ' + b"9" * 5_000 + b"}"),
    ("names.toml", b"a = " + b"[" * 3_000),
    ("engine child", (100_000).to_bytes(4) + bytes(4) + b"[" * 100_000),
    ("certificate", Path(__file__).with_name("certificate-of-version-20.pem").read_bytes()),
    ("roster", b'{"fleet":"home","version":1,"devices":{"board-1":{"keys":["xyz"]}}}'),
)
