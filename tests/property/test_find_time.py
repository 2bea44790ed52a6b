"""The finders take time in proportion to the text, whatever the text is."""

import time

import pytest

from agent.core.find import find

ADVERSARIAL = [
    *("a", "@", "a@", "a.", "a@a.", "%", "%40", "a%40", '"', '"@', "1", "1 ", "11 "),
    *("1111 ", "1111-", "1.", "12.", "+1", "+1 ", "0", "01", "01 ", "00", "(", "(1"),
    *("(415) ", "555-", "DE89", "DE89 ", "DE893704", ":", "::", "1:", "f:", "aa:"),
    *("aa-", "aaaa.", "aaaa-", "tel", "tel ", "tel.:", "telephone"),
    *("4111111111111111 ", "4111 ", "12:3", "2026-", "\xfc", "\uff14", " "),
    *("AB12 CDE ", "SW1A 1AA", "1A ", "-1 ", "A-12 ", "Xx CA 90210", "52.5200, "),
    *("1.23 1 ", "N52.52", "40\xb0", "40\xb026'", "\xb0", "geo:", "9G8F+", "///a.b."),
    *("lat=1 ", "latitude: 1.1 ", "IMEI: ", "imei 49-", "serial: ", "VIN:1M8"),
    *("35209900", "1M8GDM9AXKP04278", "MRN: 1 ", "mrn", "password=", "password is "),
    *("token: a1", "pin 1", "key", 'secret=\\"', "passphrase: a b "),
    *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "eyJ"),
    *("eyJhbGciO.", "AKIA", "://a:", "seed phrase: ", "abandon ", "WIFI:P:", "0x"),
    *("bc1q", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb ", "1 A ", "A 1 ", "1 Main St "),
    *("Via A ", "A u. 1 ", "Suite 1 ", "1 A 1, A ", "PO Box 1 ", "x 1,\n"),
    *("Main St Apt 1, A, ", "corner of A and ", "rue ", "Hauptstra\xdfe 5 "),
    *("1 rue ", "unit 1 box ", "zip: ", "plate: A1 ", "reg. ", "1 AB Xx", "\u0130"),
    *("1/1/", "1.1.20", "12 30.", "2026-11-2", "20261120T", "3 mar", "mar", "mar 3"),
    *("may ", "day", "1977", "in 1977 ", "1977-", "(1977", "the ", "a.", "a.b."),
    *("x.com.", "www.", "a.com/", "://", "a://", "a://)", "http://x/((", "1-2-3-"),
    *("123-45-", "123 45 ", "1 84 12 ", "756.", "AB12", "AB 12 34 ", "ssn ", "ssn 1"),
    *("id card 1 ", "tel 1 ", "i am 5 ", "year ", "aged ", "11/22-", "1111111a"),
    *("1    ", "1-1 ", "$1", "ext", "a@b.co ", "1.1.1.1 ", "\x00", "00 1"),
]


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        find(text)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_time_grows_with_the_text_and_not_with_its_square(piece: str) -> None:
    small = piece * (4000 // len(piece))

    # Eight times the text: 8 if linear, 64 if quadratic. The floor keeps out the clock's noise.
    assert seconds(small * 8) < 24 * max(seconds(small), 1e-4)
