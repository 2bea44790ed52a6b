"""Keys, tokens and passwords, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find.credential import find_credentials, find_private_keys
from agent.core.find.look import look
from agent.core.find.trigger import find_by_words

HEX = "0123456789abcdef"
MIXED = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7"
BODY = "MIIEowIBAAKCAQEAwJalrXUtnFEMIK7MDENGbPxRfiCY"
SEED = "abandon ability able about above absent absorb abstract absurd abuse access accident"


def found(text: str) -> list[str]:
    spans = [*find_credentials(text), *find_private_keys(text), *find_by_words(look(text))]
    assert {span.label for span in spans} <= {"SECRET"}
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    "token",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        f"ghp_{MIXED}aB3dE6gH9",
        f"github_pat_{MIXED}",
        f"glpat-{MIXED}",
        f"sk-{MIXED}",
        f"sk-ant-{MIXED}",
        f"sk-proj-{MIXED}",
        "sk_live_4eC39HqLyjWDarjtT1",
        "rk_test_4eC39HqLyjWDarjtT1",
        "xoxb-1234567890-abcdefghij",
        f"xapp-1-{MIXED}",
        f"AIza{MIXED}aB3dE6gH",
        f"ya29.{MIXED}",
        f"GOCSPX-{MIXED}",
        f"npm_{MIXED}aB3dE6gH9",
        f"pypi-AgE{MIXED}{MIXED}",
        f"hf_{MIXED}",
        f"gsk_{MIXED}",
        f"nvapi-{MIXED}",
        f"SG.{MIXED}.{MIXED}",
        f"dop_v1_{HEX * 4}",
        f"hvs.{MIXED}",
        f"SK{HEX * 2}",
        f"123456789:AA{MIXED}aB3dE6",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{MIXED}",
        f"eyJhbGciOiJkaXIifQ..{MIXED}.{MIXED}.{MIXED}".replace("..", f".{MIXED}."),
    ],
)
def test_token_with_an_issuers_prefix_is_found(token: str) -> None:
    assert found(f"use {token}, please") == [token]
    assert found(f'{{"x":"{token}"}}') == [token]
    assert found(f"line\\n{token}") == [token]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter2", "hunter2"),
        ("Password: Tr0ub4dor&3", "Tr0ub4dor&3"),
        ('"password": "hun ter2", "x": 1', "hun ter2"),
        ('{\\"password\\":\\"hunter2\\"}', "hunter2"),
        ("DB_PASSWORD='s3cret!'", "s3cret!"),
        ("userPassword := abc", "abc"),
        ("pwd=abc, user=bob", "abc"),
        ("password=a,b;user=bob", "a,b"),
        ("https://x.org/?password=abc&user=bob", "abc"),
        ("<password>hunter2</password>", "hunter2"),
        ("mysql --password hunter2 -u root", "hunter2"),
        ("my password is sunshine", "sunshine"),
        ("The wifi password for the guests is sunshine.", "sunshine"),
        ("Kennwort lautet Blume7", "Blume7"),
        ("das Passwort ist Blume7", "Blume7"),
        ("mot de passe : soleil99", "soleil99"),
        ("contraseña: sol99", "sol99"),
        ("wachtwoord=zon99", "zon99"),
        ("wifi key: sunshine9", "sunshine9"),
        ("passphrase: correct horse battery staple", "correct horse battery staple"),
        ("My PIN is 4711.", "4711"),
        ("pin 1234", "1234"),
        ("CVV: 123", "123"),
        ("OTP 493022", "493022"),
        ("your verification code is 493022", "493022"),
        ("alarm code: 4711", "4711"),
        ("token=abc123def456", "abc123def456"),
        ('"api_key":"c0ffee00c0ffee11"', "c0ffee00c0ffee11"),
        ("STRIPE_KEY=ab12cd34ef", "ab12cd34ef"),
        ("AppSKey: 00112233445566778899AABBCCDDEEFF", "00112233445566778899AABBCCDDEEFF"),
        ("X-Api-Key: 0a1b2c3d4e5f", "0a1b2c3d4e5f"),
        ("Authorization: Bearer 0a1b2c3d.e-f_g", "0a1b2c3d.e-f_g"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("PHPSESSID=0a1b2c3d4e5f", "0a1b2c3d4e5f"),
        ("license key: ABCDE-12345-FGHIJ", "ABCDE-12345-FGHIJ"),
        ("https://bob:hunter2@example.org/x", "bob:hunter2"),
        ("https://hooks.slack.com/services/T0AA/B0BB/abcdefghijkl", "T0AA/B0BB/abcdefghijkl"),
        ("WIFI:S:home;T:WPA;P:pass\\;word1;;", "pass\\;word1"),
        (f"seed phrase: {SEED}.", SEED),
        ("\u0130\u0130 password=hunter2", "hunter2"),
    ],
)
def test_secret_behind_its_word_is_found(text: str, secret: str) -> None:
    assert found(text) == [secret]


@pytest.mark.parametrize(
    "key",
    [
        f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\\n{BODY}\\n-----END PRIVATE KEY-----",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{BODY}\n-----END PGP PRIVATE KEY BLOCK-----",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}",  # cut short
    ],
)
def test_private_key_is_found_from_end_to_end(key: str) -> None:
    assert found(f"a\n{key} and so on") == [key]
    assert found(f"{key} {key}") == [key, key]


@pytest.mark.parametrize(
    "text",
    [
        "The password is required",
        "password: incorrect",
        "the password is set to expire",
        "the token abc123def",
        "Failed password for root from 10.0.0.1 port 22 ssh2",
        "Failed password for invalid user admin from 10.0.0.1",
        "password: null, token: none",
        "password=${DB_PASSWORD}",
        "password=<SECRET_1>",
        "password=********",
        "the model read 512 tokens; tokens: 512, token: 5",
        "compass: 270, bypass=3, GPIO pin 17, pin=4",
        "primary_key=12345 key=blk_38865049064139660",
        "session id 0x14f05578bd80001",
        "the code is 200, exit code: 137, error code 0x80070005",
        "keyboard: logitech-k120-v2",
        "Accepted publickey for git from 10.0.0.1 port 22 ssh2: RSA SHA256:nThbg6kXUpJWGl7E1IGOCs",
        "commit 3e2a986f0c1b4d5e6f708192a3b4c5d6e7f80910",
        "550e8400-e29b-41d4-a716-446655440000",
        "sk-learn, eyJ, AKIA, ghp_short",
        "https://example.org:8080/a@b",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
        "spinning opinion: 1234, tokenizer.json, secretary: Anna2000Berg",
    ],
)
def test_no_secret_is_found(text: str) -> None:
    assert found(text) == []


def test_private_key_that_begins_twice_is_one() -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----"

    assert found(f"-----BEGIN PRIVATE KEY-----{key}") == [f"-----BEGIN PRIVATE KEY-----{key}"]


def test_password_word_itself_is_no_password_twice() -> None:
    assert found("password=password1 password2") == ["password1"]
