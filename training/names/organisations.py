"""Organisations: companies, agencies, schools and clubs in the many shapes of their names."""

import random
from pathlib import Path

from faker import Faker

from training.names.latin import romanized
from training.names.words import words

_LOCALES = [
    *("en_US", "en_US", "en_US", "en_GB", "en_AU", "cs_CZ", "da_DK", "de_DE", "es_ES", "fi_FI"),
    *("fr_FR", "hu_HU", "it_IT", "nl_NL", "no_NO", "pl_PL", "pt_BR", "sv_SE", "en_IN"),
]


class Organisations:
    """Draws organisations; reproducible from `choice`."""

    def __init__(self, data: Path, choice: random.Random) -> None:
        """Take the word lists of `data`/pii and one Faker for each locale."""
        self._choice = choice
        self._words = words("organisations")
        self._fakers = [Faker(locale) for locale in _LOCALES]
        for faker in self._fakers:
            faker.seed_instance(choice.randrange(1 << 30))
        lists = data / "pii" / "random-name"
        self._lasts = (lists / "names.txt").read_text(encoding="utf-8").split()
        self._towns = (lists / "places.txt").read_text(encoding="utf-8").splitlines()

    def org(self) -> str:
        """Draw any organisation."""
        choice = self._choice
        shapes = (self._company, self.brand, self._worded, self._plain, self._partners,
                  self._public, self._known, self._acronym)  # fmt: skip
        name = choice.choices(shapes, (25, 22, 15, 15, 9, 8, 4, 2))[0]()
        if choice.random() < 0.10 and " " not in name[-5:]:
            name = f"{name} {self._word('legal')}"
        return name

    def brand(self) -> str:
        """Draw a made name of one word."""
        choice, kind = self._choice, self._choice.random()
        if kind < 0.08:
            return self._word("words")
        if kind < 0.14:
            return self._word("words") + self._word("words").lower()
        if kind < 0.20:
            return self._word("words") + self._word("words")
        end = choice.choices(("", "com", "io", "ly", ".com", ".io"), (91, 2, 2, 2, 2, 1))[0]
        return self._word("starts") + self._word("ends") + end

    def _company(self) -> str:
        return romanized(str(self._choice.choice(self._fakers).company()))

    def _worded(self) -> str:
        choice, kind = self._choice, self._choice.random()
        word = self._word("words")
        first = choice.choice((word, word, self.brand(), self._last(), self._town()))
        second = self._word("things") if choice.random() < 0.85 else self._word("words")
        if kind < 0.12:
            return f"{first} {self._word('things')} {self._word('things')}"
        if kind < 0.2:
            return f"{first} {second} {self._word('legal')}"
        return f"The {first} {second}" if kind < 0.25 else f"{first} {second}"

    def _plain(self) -> str:
        """Two or three words that mean something else, as young companies call themselves."""
        choice, kind = self._choice, self._choice.random()
        first = choice.choice((self._word("leads"), self._word("words"), self._word("plain")))
        second, third = self._word("plain"), self._word("plain")
        if kind < 0.10:
            return f"{choice.randrange(2, 100)} {second}"
        if kind < 0.35:
            return f"{first} {second} {choice.choice((third, third + 's', self._word('things')))}"
        if kind < 0.45:
            return first + second.lower()
        if kind < 0.5:
            return second
        return f"{first} {choice.choice((second, second, second + 's'))}"

    def _partners(self) -> str:
        return self._word("partners").format(self._last(), self._last(), self._last())

    def _public(self) -> str:
        town, last = self._town(), self._last()
        return self._word("public").format(w=self._word("things"), c=town, l=last)

    def _known(self) -> str:
        return self._word("known")

    def _acronym(self) -> str:
        letters = self._choice.choices("ABCDEFGHILMNOPRSTUVW", k=self._choice.randint(3, 4))
        return "".join(letters) if self._choice.random() < 0.8 else ".".join(letters) + "."

    def _last(self) -> str:
        if self._choice.random() < 0.5:
            return self._choice.choice(self._lasts)
        return str(self._fakers[0].last_name())

    def _town(self) -> str:
        return self._choice.choice(self._towns).strip()

    def _word(self, name: str) -> str:
        return self._choice.choice(self._words[name])
