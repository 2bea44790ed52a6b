"""Check digits of national ids, beside python-stdnum's: whatever it accepts or refuses for them."""

import random
from collections.abc import Callable

import pytest
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.cz import rc
from stdnum.es import dni, nie
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.mx import curp
from stdnum.no import fodselsnummer

from agent.core.find import checks

DRAWS = 6000
CASES: dict[str, tuple[Callable[[str], bool], Callable[[str], str], str]] = {
    "Belgium": (checks.rijksregister, nn.validate, "050730999##"),
    "Brazil": (checks.cpf, cpf.validate, "9999999####"),
    "Czechia": (checks.rodne_cislo, rc.validate, "710319999#"),
    "Finland": (lambda n: checks.hetu(n[:6] + n[7:]), hetu.validate, "131052-999?"),
    "France": (checks.nir, nir.validate, "1841276999999##"),
    "France, Corsica": (checks.nir, nir.validate, "184122A999999##"),
    "Italy": (checks.codice_fiscale, codicefiscale.validate, "RSSMRA85M01H999?"),
    "Mexico": (checks.curp, curp.validate, "BOXW310820HNERXN0#"),
    "Norway": (checks.fodselsnummer, fodselsnummer.validate, "150199999##"),
    "Spain": (checks.dni, dni.validate, "99999999?"),
    "Spain, foreigners": (checks.dni, nie.validate, "Y9999999?"),
    "Switzerland": (checks.ahv, ahv.validate, "756999999999#"),
}


def drawn(form: str, dice: random.Random) -> str:
    digits = form.replace("#", "9")
    letters = "".join(
        dice.choice("0123456789ABCDEFHJKLMNPRSTVWXYZ") if c == "?" else c for c in digits
    )
    return "".join(
        dice.choice("0123456789") if c in "9#" and f in "9#" else c
        for c, f in zip(letters, form, strict=True)
    )


def says(validate: Callable[[str], str], number: str) -> bool | None:
    """Tell what the library thinks of the check; None if it minds something else."""
    try:
        validate(number)
    except InvalidChecksum:
        return False
    except ValidationError:
        return None
    return True


@pytest.mark.parametrize("country", CASES)
def test_check_agrees_with_the_library(country: str) -> None:
    ours, theirs, form = CASES[country]
    dice = random.Random(country)  # noqa: S311 - the same numbers each time
    numbers = {drawn(form, dice) for _ in range(DRAWS)}
    known = {number: answer for number in numbers if (answer := says(theirs, number)) is not None}

    assert {number: ours(number) for number in known} == known
    assert set(known.values()) == {True, False}
