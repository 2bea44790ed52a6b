"""Numbers and codes by which people and their things are known, in many writings."""

import datetime as dt
import random
import string

from faker import Faker

from training.names.people import Person
from training.names.words import words

_LOCALES = [
    *("en_US", "en_US", "en_GB", "en_AU", "en_IN", "cs_CZ", "da_DK", "de_DE", "es_ES", "fi_FI"),
    *("fr_FR", "hu_HU", "it_IT", "nl_NL", "no_NO", "pl_PL", "pt_BR", "sv_SE", "de_CH"),
]
_BECH32 = "023456789acdefghjklmnpqrstuvwxyz"
_VIN = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


class Identifiers:
    """Draws numbers and codes, one method a slot; reproducible from `choice`."""

    def __init__(self, choice: random.Random) -> None:
        """Take one Faker for each country of phones."""
        self._choice = choice
        self._words = words("identifiers")
        self._fakers = [Faker(locale) for locale in _LOCALES]
        for faker in self._fakers:
            faker.seed_instance(choice.randrange(1 << 30))
        self._american = self._fakers[0]

    def address_of(self, person: Person) -> str:
        """Draw an e-mail address: this person's, seldom an office's."""
        host = self._choice.choice((self._word("hosts"), self._host()))
        if self._choice.random() < 0.1:
            return f"{self._word('host_words')}{self._digits(2)}@{host}"
        first, last = (_ascii(part) for part in (person.first, person.last))
        small, number = first.lower(), self._digits(2)
        shape = self._word("boxes")
        box = shape.format(f=small, l=last.lower(), i=small[:1], n=number, F=first, L=last)
        return f"{box}@{host}"

    def age(self) -> str:
        """Draw an age in years."""
        return str(self._choice.randint(1, 99))

    def card(self) -> str:
        """Draw a payment card."""
        number = str(self._choice.choice(self._fakers).credit_card_number())
        if self._choice.random() < 0.3 and len(number) == 16:
            groups = [number[start : start + 4] for start in range(0, 16, 4)]
            return self._choice.choice(" -").join(groups)
        return number

    def crypto(self) -> str:
        """Draw a wallet's address."""
        return "bc1q" + "".join(self._choice.choices(_BECH32, k=38))

    def date(self) -> str:
        """Draw a calendar date."""
        return self._when("dates")

    def datetime(self) -> str:
        """Draw a date with a time."""
        return self._when("datetimes")

    def driver_license(self) -> str:
        """Draw a driving licence's number."""
        letter = self._choice.choice(string.ascii_uppercase)
        middle = f"{self._digits(4)}-{self._digits(2)}-{self._digits(4)}"
        shapes = (self._digits(7), letter + self._digits(12), letter + self._digits(7), middle)
        return self._choice.choice(shapes)

    def gps(self) -> str:
        """Draw a point on earth."""
        return f"{self._choice.uniform(-80, 80):.5f}, {self._choice.uniform(-180, 180):.5f}"

    def iban(self) -> str:
        """Draw an account."""
        return str(self._choice.choice(self._fakers).iban())

    def iccid(self) -> str:
        """Draw a SIM card's number."""
        return "89" + self._digits(17)

    def imei(self) -> str:
        """Draw a telephone's number."""
        return "35" + self._digits(13)

    def ip(self) -> str:
        """Draw an IP address."""
        draw = self._american.ipv6 if self._choice.random() < 0.15 else self._american.ipv4
        return str(draw())

    def mac(self) -> str:
        """Draw a network card's address."""
        octets = (f"{self._choice.randrange(256):02x}" for _ in range(6))
        return self._choice.choice(":-").join(octets)

    def month_year(self) -> str:
        """Draw a month of a year."""
        return self._day().strftime("%B %Y")

    def mrn(self) -> str:
        """Draw a patient's number."""
        start = self._choice.choice(("", "MRN", "P-", "H"))
        return start + self._digits(self._choice.randint(6, 9))

    def national_id(self) -> str:
        """Draw a person's number in some country."""
        return str(self._choice.choice(self._fakers).ssn())

    def passport(self) -> str:
        """Draw a passport's number."""
        return "".join(self._choice.choices(string.ascii_uppercase, k=2)) + self._digits(7)

    def phone(self) -> str:
        """Draw a telephone number."""
        return str(self._choice.choice(self._fakers).phone_number())

    def plate(self) -> str:
        """Draw a car's plate."""
        return str(self._american.license_plate())

    def relative_day(self) -> str:
        """Draw a day that depends on today."""
        return self._word("relative_days")

    def secret(self) -> str:
        """Draw a key or a token."""
        start = self._choice.choice(("sk_live_", "ghp_", "AKIA", ""))
        letters = string.ascii_letters + string.digits
        return start + "".join(self._choice.choices(letters, k=28))

    def serial(self) -> str:
        """Draw a device's serial number."""
        letters, count = string.ascii_uppercase + string.digits, self._choice.randint(8, 12)
        return "".join(self._choice.choices(letters, k=count))

    def ssn(self) -> str:
        """Draw a US social security number."""
        return str(self._american.ssn())

    def time(self) -> str:
        """Draw a time of day."""
        return self._when("times")

    def url(self) -> str:
        """Draw a page's address."""
        start = self._choice.choice(("http://", "https://", "https://www.", "www.", ""))
        path = f"/{self._word('host_words')}"
        end = self._choice.choice(("", "", "/", path, f"{path}/{self._digits(4)}"))
        return start + self._host() + end

    def vin(self) -> str:
        """Draw a vehicle's number."""
        return "".join(self._choice.choices(_VIN, k=17))

    def weekday(self) -> str:
        """Draw a day of the week."""
        return self._word("weekdays")

    def year(self) -> str:
        """Draw a year."""
        return str(self._choice.randint(1920, 2026))

    def _host(self) -> str:
        return self._word("host_words") + self._word("host_words") + self._word("host_ends")

    def _when(self, shapes: str) -> str:
        return self._day().strftime(self._word(shapes))

    def _day(self) -> dt.datetime:
        start = dt.datetime(1930, 1, 1, tzinfo=dt.UTC)
        return start + dt.timedelta(minutes=self._choice.randrange(96 * 365 * 24 * 60))

    def _word(self, name: str) -> str:
        return self._choice.choice(self._words[name])

    def _digits(self, count: int) -> str:
        return "".join(self._choice.choices(string.digits, k=count))


def _ascii(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and letter.isalpha()) or "anna"
