"""Crypto addresses, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find.coin import base58, bech32, find_coins

HEX = "0123456789abcdef"
EXTENDED = (
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJ"
    "gk33yuGBxrMPHi"
)


def found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find_coins(text)]


@pytest.mark.parametrize(
    "address",
    [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",  # Bitcoin's first
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",  # BIP 173
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",  # BIP 350
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
        "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe",
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",  # Ripple
        "4" + "4" * 94,  # Monero's shape
    ],
)
def test_address_is_found(address: str) -> None:
    assert found(f"send it to {address}, please") == [("CRYPTO", address)]
    assert found(f"bitcoin:{address}?amount=1") == [("CRYPTO", address)]


@pytest.mark.parametrize(
    "key",
    [
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",  # a wallet's key, as it is exported
        "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
        EXTENDED,
    ],
)
def test_what_spends_is_a_secret(key: str) -> None:
    assert found(f"key {key}") == [("SECRET", key)]


def test_address_of_solana_is_found_behind_its_name_only() -> None:
    address = "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV"

    assert found(f"my Solana wallet {address}") == [("CRYPTO", address)]
    assert found(f"blob {address}") == []


@pytest.mark.parametrize(
    "text",
    [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",  # the check fails
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4",  # of both cases
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi",
        f"0x{HEX * 4}",  # a transaction, or a hash
        f"0x{HEX}",
        "3e2a986f0c1b4d5e6f708192a3b4c5d6e7f80910",  # git
        "1" * 34,
        "1" * 200,
        "HelloWorldThisIsAVeryLongIdentifier",
        "550e8400e29b41d4a716446655440000",
    ],
)
def test_no_address_is_found(text: str) -> None:
    assert found(text) == []


def test_checks_agree_with_published_examples() -> None:
    assert base58("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM") == 21
    assert base58("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvN") == 0
    assert bech32("a1lqfn3a")  # BIP 350
    assert bech32("a12uel5l")  # BIP 173
    assert not bech32("1nwldj5")
    assert not bech32("a1lqfn3q")
