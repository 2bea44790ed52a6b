"""A value for every slot."""

import random
from pathlib import Path
from typing import TYPE_CHECKING

from faker import Faker

from training.names.identifiers import Identifiers
from training.names.organisations import Organisations
from training.names.people import People, Person
from training.names.places import Places
from training.names.templates import LABELS, Slot
from training.names.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_PERSONS = frozenset(slot for slot, label in LABELS.items() if label == "PERSON") | {
    "email",
    "handle",
}


class Values:
    """Draws what slots stand for; reproducible from `choice`."""

    def __init__(self, data: Path, choice: random.Random) -> None:
        """Take the word lists of `data`/pii and Faker's."""
        self._choice = choice
        self._people = People(data, choice)
        self._identifiers = Identifiers(choice)
        self._words, self._groups, self._jobs = words("words"), words("groups"), words("jobs")
        self._common_jobs = words("people")["jobs"]
        self._faker = Faker("en_US")
        self._faker.seed_instance(choice.randrange(1 << 30))
        self._draws: dict[str, Callable[[], str]] = {
            "code": self._order,
            "person_title": self._people.title,
            "religion": lambda: choice.choice(self._groups["religion"]),
        }
        for maker in (Identifiers(choice), Places(data, choice), Organisations(data, choice)):
            self._draws |= {slot: getattr(maker, slot) for slot in LABELS if hasattr(maker, slot)}
        own = {slot: getattr(self, f"_{slot}", None) for slot in LABELS}
        self._draws |= {slot: draw for slot, draw in own.items() if draw}

    def sentence(self) -> "Drawn":
        """Begin a sentence, in which a number means the same value wherever it stands."""
        return Drawn(self)

    def person(self) -> Person:
        """Draw a person."""
        return self._people.draw()

    def of_person(self, slot: str, person: Person) -> str:
        """Write a person, their address or their handle."""
        if slot == "email":
            return self._identifiers.address_of(person)
        if slot != "handle":
            return person.written(slot, self._choice)
        plain = "".join(letter for letter in person.first + person.last if letter.isalnum())
        short = f"{plain[:5].lower()}_{self._digits(2)}"
        return "@" + self._choice.choice((plain.lower(), plain, short))

    def other(self, slot: str) -> str:
        """Draw a value that is not a person's."""
        draw = self._draws.get(slot)
        return draw() if draw else self._choice.choice(self._words[slot])

    def _address_postcode(self) -> str:
        return self._digits(5) if self._choice.random() < 0.7 else self._draws["postcode"]()

    def _nationality(self) -> str:
        nationality = self._choice.choice(self._groups["nationality"])
        return nationality.lower() if self._choice.random() < 0.04 else nationality

    def _group(self) -> str:
        kind = self._choice.choices(("nationality", "religion", "politics"), (50, 30, 20))[0]
        return self._choice.choice(self._groups[kind])

    def _job(self) -> str:
        choice, chance = self._choice, self._choice.random()
        if chance < 0.35:
            job = choice.choice(self._common_jobs)
        elif chance < 0.65:
            job = " ".join(choice.choice(self._jobs[part]) for part in ("fields", "roles"))
            if chance > 0.58:
                job = f"{choice.choice(self._jobs['ranks'])} {job}"
            elif chance > 0.50:
                joint = choice.choice((", {}, and ", " and ", ", ")).format(self._field())
                job = f"{self._field()}{joint}{job}"
        else:
            job = self._faker.job()
        return job.lower() if choice.random() < 0.3 else job[0].upper() + job[1:]

    def _field(self) -> str:
        return self._choice.choice(self._jobs["fields"])

    def _work(self) -> str:
        adjectives, nouns = self._words["work_adjectives"], self._words["work_nouns"]
        pick = self._choice.choice
        shape, first, second = pick(self._words["work_shapes"]), pick(nouns), pick(nouns)
        return shape.format(a=pick(adjectives), a2=pick(adjectives), n=first, n2=second)

    def _number(self) -> str:
        return str(self._choice.randrange(2, self._choice.choice((20, 100, 5000))))

    def _amount(self) -> str:
        shape = self._choice.choice(("${}", "{} EUR", "£{}", "€{}", "{} USD", "{}.00"))
        return shape.format(self._choice.randrange(3, 4000))

    def _percent(self) -> str:
        return f"{self._choice.randrange(1, 100)}%"

    def _order(self) -> str:
        shape = self._choice.choice(("A-{}", "#{}", "ORD-{}", "TK{}", "{}"))
        return shape.format(self._digits(self._choice.randint(4, 7)))

    def _digits(self, count: int) -> str:
        return "".join(self._choice.choices("0123456789", k=count))


class Drawn:
    """The values of one sentence."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._people: dict[str, Person] = {}
        self._other: dict[tuple[str, str], str] = {}

    def value(self, slot: Slot) -> str:
        """Give a slot's value: a new one, or the one that its number already has."""
        if slot.name in _OF_PERSONS:
            person = self._people.get(slot.number or "") or self._values.person()
            if slot.number:
                self._people[slot.number] = person
            return self._values.of_person(slot.name, person)
        if slot.number is None:
            return self._values.other(slot.name)
        key = (slot.name, slot.number)
        if key not in self._other:
            self._other[key] = self._values.other(slot.name)
        return self._other[key]
