"""Places: cities and countries of the world, and addresses as many countries write them."""

import csv
import random
from pathlib import Path

from faker import Faker

from training.names.words import words

_LOCALES = [
    *("en_US", "en_US", "en_GB", "en_AU", "en_CA", "en_NZ", "en_IN", "en_PH", "cs_CZ", "da_DK"),
    *(
        "de_AT",
        "de_CH",
        "de_DE",
        "el_GR",
        "el_GR",
        "es_ES",
        "es_MX",
        "es_AR",
        "es_CO",
        "fi_FI",
        "fr_CA",
    ),
    *("fr_CH", "fr_FR", "hr_HR", "hu_HU", "id_ID", "it_IT", "nl_BE", "nl_NL", "no_NO", "pl_PL"),
    *("pt_BR", "pt_PT", "ro_RO", "ru_RU", "sk_SK", "sl_SI", "sv_SE", "uk_UA", "vi_VN", "az_AZ"),
]
_SHIPS = ("USS", "USNS", "USCGC", "USNV", "HMS")


class Places:
    """Draws places and addresses; reproducible from `choice`."""

    def __init__(self, data: Path, choice: random.Random) -> None:
        """Take the word lists of `data`/pii and one Faker for each locale."""
        self._choice = choice
        self._words = words("places")
        self._fakers = [Faker(locale) for locale in _LOCALES]
        for faker in self._fakers:
            faker.seed_instance(choice.randrange(1 << 30))
        with (data / "pii/world-cities/world-cities.csv").open(
            encoding="utf-8", newline=""
        ) as rows:
            world = list(csv.DictReader(rows))
        self._cities = [row["name"] for row in world]
        self._countries = sorted({row["country"].split(",")[0] for row in world})
        self._subcountries = sorted({row["subcountry"] for row in world if row["subcountry"]})
        towns = (data / "pii/random-name/places.txt").read_text(encoding="utf-8").splitlines()
        self._towns = [town.strip() for town in towns if town.strip()]

    def city(self) -> str:
        """Draw a city, now and then in capitals, as many countries' post wants it."""
        choice = self._choice
        kind = choice.choices("wtf", weights=(45, 20, 35))[0]
        if kind == "w":
            city = choice.choice(self._cities)
        elif kind == "t":
            city = choice.choice(self._towns)
        else:
            city = str(choice.choice(self._fakers).city())
        if choice.random() < 0.02:  # a district
            city = f"{city} {choice.choice(('1', '2', '12', 'K', 'N', 'S', 'V', 'C', 'SV'))}"
        return city.upper() if choice.random() < 0.12 else city

    def country(self) -> str:
        """Draw a country in one of its names."""
        if self._choice.random() < 0.35:
            return self._word("also_countries")
        return self._choice.choice(self._countries)

    def region(self) -> str:
        """Draw a state, a province or a part of the world."""
        if self._choice.random() < 0.6:
            return self._word("regions")
        return self._choice.choice(self._subcountries)

    def location(self) -> str:
        """Draw any of them."""
        return self._choice.choices((self.city, self.country, self.region), (55, 35, 10))[0]()

    def building(self) -> str:
        """Draw a house's number."""
        number = self._digits(self._choice.choices((1, 2, 3, 4, 5), (8, 22, 20, 20, 30))[0])
        return number + self._choice.choices(("", "a", "B", "/2", "-14"), (92, 3, 2, 2, 1))[0]

    def unit(self) -> str:
        """Draw a flat, a suite or a floor."""
        choice = self._choice
        letter = f"{choice.randrange(1, 9)}{choice.choice('ABCDF')}"
        number = choice.choice((self._digits(3), self._digits(3), self._digits(2), letter))
        shapes = self._words["units_common" if choice.random() < 0.6 else "units"]
        return choice.choice(shapes).format(number)

    def street_name(self) -> str:
        """Draw a street without a number."""
        choice, kind = self._choice, self._choice.random()
        faker = choice.choice(self._fakers)
        if kind < 0.5:
            return str(faker.street_name())
        name = choice.choice((choice.choice(self._towns), str(faker.last_name())))
        if kind < 0.6:
            name = self._word("street_ordinals")
        if kind < 0.7:
            return self._word("street_shapes").format(name)
        return f"{name} {self._word('street_ends')}"

    def street(self) -> str:
        """Draw a street with its number, in the order of some country."""
        choice, kind = self._choice, self._choice.random()
        if kind < 0.5:
            street = str(choice.choice(self._fakers).street_address())
            return street.replace("\n", choice.choice((", ", " ")))
        number = str(choice.randrange(1, choice.choice((200, 200, 4000))))
        if kind < 0.75:
            return f"{number} {self.street_name()}"
        if kind < 0.93:
            number += choice.choices(("", ".", "b", "/4"), (90, 5, 3, 2))[0]
            return f"{self.street_name()} {number}"
        crossing = f"{self.street_name()} and {choice.choice((self.street_name, self.street))()}"
        return crossing if kind < 0.96 else f"the corner of {crossing}"

    def postcode(self) -> str:
        """Draw a postcode of some country."""
        if self._choice.random() < 0.6:
            return self._digits(self._choice.choice((4, 4, 5, 5, 5, 5, 5, 6)))
        return str(self._choice.choice(self._fakers).postcode())

    def military(self) -> str:
        """Draw a box of the armed forces' post."""
        choice = self._choice
        where = f"{choice.choice(('AA', 'AE', 'AP'))} {self._digits(5)}"
        ship = f"{choice.choice(_SHIPS)} {choice.choice(self._fakers).last_name()}"
        return choice.choice(
            (
                f"PSC {self._digits(4)}, Box {self._digits(4)}\nAPO {where}",
                f"Unit {self._digits(4)} Box {self._digits(4)}\nDPO {where}",
                f"{ship}\nFPO {where}",
            )
        )

    def po_box(self) -> str:
        """Draw a box at a post office."""
        return f"{self._word('po_boxes')} {self._choice.randrange(1, 9999)}"

    def address(self) -> str:
        """Draw a whole address, on one line or on several."""
        return self._choice.choices((self.address_line, self.address_block), (45, 55))[0]()

    def address_line(self) -> str:
        """Draw a whole address on one line."""
        choice = self._choice
        if choice.random() < 0.25:
            ends = ("", self.city(), self._state(), self.unit())
            return self._choice.choice((", ", " ")).join(
                part for part in (self.street(), choice.choice(ends)) if part
            )
        whole = self.address_block().replace(",\n", ", ")
        return whole.replace("\n", choice.choice((", ", ", ", " "))).replace("  ", " ")

    def address_block(self) -> str:
        """Draw a whole address on several lines."""
        choice, kind = self._choice, self._choice.random()
        if kind < 0.10:
            return self.military()
        if kind < 0.16:
            return f"{self.po_box()}\n{self._state()}"
        if kind < 0.34:
            return str(choice.choice(self._fakers).address()).replace(" \n", "\n").strip()
        if kind < 0.62:
            unit = (
                f"{choice.choice((' ', ' ', ', '))}{self.unit()}" if choice.random() < 0.6 else ""
            )
            return f"{self._first_line()}{unit}\n{self._state()}"
        return self._lines()

    def _state(self) -> str:
        return f"{self.city()}, {self._word('states')} {self._digits(5)}"

    def _first_line(self) -> str:
        lead = f"{self.building()} " if self._choice.random() < 0.6 else ""
        return lead + self.street()

    def _lines(self) -> str:
        """Street, unit, city, country and postcode on lines of their own, in some order."""
        choice = self._choice
        cut = choice.choices(("\n", "\n ", "\n,"), (60, 38, 2))[0]
        lines = [self._first_line()]
        if choice.random() < 0.65:
            lines.append(self.unit())
        city, country, state = self.city(), self.country(), self._word("states")
        ends = (
            f"{city}{cut}{country} {self._digits(5)}",
            f"{city}{cut}{country}",
            f"{self.postcode()} {city}{cut}{country}",
            f"{city} {self.postcode()}",
            f"{city}{cut}{state}{cut}{country} {self._digits(5)}",
            f"{self.postcode()} {city}",
            f"{city}, {self.region()}{cut}{self.postcode()}",
        )
        return cut.join([*lines, choice.choices(ends, (30, 15, 15, 10, 10, 12, 8))[0]])

    def _word(self, name: str) -> str:
        return self._choice.choice(self._words[name])

    def _digits(self, count: int) -> str:
        return "".join(self._choice.choices("0123456789", k=count))
