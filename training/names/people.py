"""Names of people from many countries: common, rare, made up, and words that are names too."""

import csv
import random
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from faker import Faker

from training.names.latin import romanized
from training.names.words import words

# Whom a text in English is likely to name: weight by Faker's locale.
_LOCALES = {
    "en_US": 14, "en_GB": 8, "en_AU": 2, "en_CA": 2, "en_NZ": 2, "en_IE": 2, "en_IN": 4, "en_KE": 1,
    "en_NG": 2, "en_PK": 2, "ar_EG": 1, "az_AZ": 1, "bg_BG": 1, "bs_BA": 1, "cs_CZ": 3, "da_DK": 3,
    "de_AT": 1, "de_CH": 1, "de_DE": 4, "el_GR": 2, "es_AR": 1, "es_CO": 1, "es_ES": 3, "es_MX": 3,
    "et_EE": 1, "fi_FI": 3, "fil_PH": 2, "fr_CA": 2, "fr_CH": 1, "fr_FR": 4, "ga_IE": 1, "ha_NG": 1,
    "hr_HR": 3, "hu_HU": 3, "hy_AM": 1, "id_ID": 2, "ig_NG": 1, "is_IS": 3, "it_IT": 3, "ka_GE": 1,
    "lt_LT": 1, "lv_LV": 1, "mk_MK": 1, "mt_MT": 1, "nl_BE": 1, "nl_NL": 3, "no_NO": 3, "pl_PL": 3,
    "pt_BR": 3, "pt_PT": 2, "ro_RO": 1, "ru_RU": 4, "sk_SK": 2, "sl_SI": 3, "sq_AL": 1, "sv_SE": 4,
    "sw": 1, "tr_TR": 2, "tw_GH": 1, "uk_UA": 2, "uz_UZ": 1, "vi_VN": 2, "yo_NG": 1, "zu_ZA": 1,
}  # fmt: skip
_TITLE_WEIGHTS = (12, 10, 10, 12, 4, 4, 4, 3, 4)  # of the first ones, which are common


@dataclass(frozen=True, slots=True)
class Person:
    """One person, however often and in whatever form a text names them."""

    first: str
    last: str
    middle: str  # one letter

    def written(self, form: str, choice: random.Random) -> str:
        """Write the name as a slot asks for it."""
        first, last, middle = self.first, self.last, self.middle
        full = self.full(choice)
        forms = {
            "person": (full,),
            "first_name": (first,),
            "last_name": (last,),
            "last_first": (f"{last}, {first}",),
            "initials": (f"{first[0]}.{last[0]}.", f"{first[0]}{middle}{last[0]}"),
            "initialled": (
                f"{first[0]}. {last}",
                f"{first[0]} {last}",
                f"{first[0]}. {middle}. {last}",
            ),
            "name": (first, first, first, last, full, full, full),
        }
        return choice.choice(forms[form])

    def full(self, choice: random.Random) -> str:
        """Write first and last name, now and then with a middle initial."""
        return choice.choices(
            (
                f"{self.first} {self.last}",
                f"{self.first} {self.middle}. {self.last}",
                f"{self.first} {self.middle} {self.last}",
                f"{self.last} {self.first}",
            ),
            weights=(76, 12, 9, 1),
        )[0]


class People:
    """Draws people; reproducible from `choice`."""

    def __init__(self, data: Path, choice: random.Random) -> None:
        """Take the word lists of `data`/pii and one Faker for each locale."""
        self._choice = choice
        self._words = words("people")
        self._fakers = [Faker(locale) for locale in _LOCALES]
        for faker in self._fakers:
            faker.seed_instance(choice.randrange(1 << 30))
        self._weights = list(_LOCALES.values())
        self._by_country = _names_by_country(data / "pii" / "popular-names")
        lists = data / "pii" / "random-name"
        self._first = (lists / "first-names.txt").read_text(encoding="utf-8").split()
        self._last = (lists / "names.txt").read_text(encoding="utf-8").split()

    def draw(self) -> Person:
        """Draw a person whom no other draw is likely to give."""
        first, last = self._pair()
        middle = self._choice.choice("ABCDEFGHIJKLMNOPRSTVWZ")
        return Person(self._first_form(first), self._last_form(last), middle)

    def title(self) -> str:
        """Draw what people are addressed by."""
        titles = self._words["titles"]
        rare = [1] * (len(titles) - len(_TITLE_WEIGHTS))
        return self._choice.choices(titles, weights=(*_TITLE_WEIGHTS, *rare))[0]

    def _pair(self) -> tuple[str, str]:
        choice, chance = self._choice, self._choice.random()
        if chance < 0.52:
            faker = choice.choices(self._fakers, weights=self._weights)[0]
            return faker.first_name(), faker.last_name()
        if chance < 0.70:
            firsts, lasts = choice.choice(self._by_country)
            return choice.choice(firsts), choice.choice(lasts)
        if chance < 0.82:
            return choice.choice(self._first), choice.choice(self._last)
        if chance < 0.90:  # a name nobody has: the words around it must tell
            one, other = self._foreign(), self._foreign()
            return _blend(one[0], other[0]), _blend(one[1], other[1])
        if chance < 0.95:
            first = choice.choice(self._words["word_first"])
            return first, choice.choice((*self._words["word_last"], choice.choice(self._last)))
        first, _ = self._foreign()
        return first, self._foreign()[1]

    def _foreign(self) -> tuple[str, str]:
        faker = self._choice.choice(self._fakers)
        return romanized(faker.first_name()), romanized(faker.last_name())

    def _first_form(self, name: str) -> str:
        name = self._latin(name)
        if self._choice.random() < 0.03 and "-" not in name and " " not in name:
            return name + self._choice.choice("- ") + self._latin(self._foreign()[0])
        return name

    def _last_form(self, name: str) -> str:
        name, chance = self._latin(name), self._choice.random()
        if chance < 0.03:
            particle = self._choice.choice(self._words["particles"])
            return particle + name if particle[-1] in "-'c" else f"{particle} {name}"
        if chance < 0.06:
            return name + self._choice.choice("- ") + self._latin(self._foreign()[1])
        if chance < 0.065:
            return name + self._choice.choice((" Jr.", " Jr", " Sr.", " II", " III"))
        return name

    def _latin(self, name: str) -> str:
        """Write it in Latin letters, mostly; without accents now and then."""
        chance = self._choice.random()
        if chance > 0.04:
            name = romanized(name)
        if chance > 0.90:
            plain = unicodedata.normalize("NFD", name)
            name = "".join(letter for letter in plain if not unicodedata.combining(letter))
        return name.strip() or "Kim"


def _names_by_country(folder: Path) -> list[tuple[list[str], list[str]]]:
    """Read first and last names of the countries that have both; Icelanders get their fathers'."""
    firsts, lasts = (
        _read(folder / "common-forenames-by-country.csv"),
        _read(folder / "common-surnames-by-country.csv"),
    )
    lasts["IS"] = [f"{name}{end}" for name in firsts["IS"] for end in ("sson", "sdóttir", "dóttir")]
    lasts["GL"] = lasts["DK"]
    return [(names, lasts[country]) for country, names in firsts.items() if lasts.get(country)]


def _read(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as rows:
        for row in csv.DictReader(rows):
            if name := (row["Romanized Name"] or row["Localized Name"]):
                found[row["Country"]].append(name)
    return found


def _blend(one: str, other: str) -> str:
    start = one[: max(2, len(one) * 2 // 3)]
    return start + other[len(other) // 2 :].lower()
