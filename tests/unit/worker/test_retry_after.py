import pytest

from cloud_worker.retry_after import retry_after_s

NOW_S = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC

HEADERS = {
    "missing": (None, 0.0),
    "seconds": ("7", 7.0),
    "with spaces": (" 7 ", 7.0),
    "zero": ("0", 0.0),
    "too long": ("4000", 3600.0),
    "absurd": ("9" * 5000, 3600.0),
    "a date": ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
    "a date without a zone": ("Tue, 14 Nov 2023 22:13:50", 30.0),
    "a date with -0000": ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
    "a date that has passed": ("Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
    "a date far away": ("Fri, 14 Nov 2825 22:13:00 GMT", 3600.0),
    "negative": ("-5", 0.0),
    "a fraction": ("1.5", 0.0),
    "words": ("soon", 0.0),
    "empty": ("", 0.0),
    "other digits": ("\u0663", 0.0),
    "a date that is none": ("Tue, 99 Nov 2023 99:13:50 GMT", 0.0),
}


@pytest.mark.parametrize(("header", "expected_s"), HEADERS.values(), ids=HEADERS)
def test_a_server_says_how_long_to_wait(header: str | None, expected_s: float) -> None:
    assert retry_after_s(header, now_s=NOW_S) == expected_s
