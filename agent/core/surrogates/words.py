"""Names of people, places and firms that are common or made up, so that they are nobody's."""

from agent.core.surrogates.draw import Draw

_FIRST = """
Adam Alice Amy Ben Bella Carl Clara Dan Diana Edith Eric Ella Fiona Frank Greta Gavin Helen
Harry Ines Ivan Jane Jacob Karen Kevin Laura Liam Maria Mark Nina Noah Olga Oscar Paula
Peter Rita Robert Sara Simon Tina Thomas Una Victor Vera Walter Wendy Xavier Yvonne Zoe
"""
_LAST = """
Abbott Barker Becker Carter Conrad Dalton Dixon Ellis Emerson Foster Fuller Garner Gibson
Hansen Harper Hudson Irwin Jensen Keller Kramer Lambert Larsen Lawson Marsh Meyer Miller
Nolan Norton Olsen Osborne Palmer Parker Quinn Ramsey Reeves Sander Seller Stone Tanner
Tyler Upton Vaughn Vincent Wagner Walker Webster Yates Zimmer
"""
_BEGINNINGS = """
Alder Amber Ash Birch Bramble Brook Cedar Clover Elder Elm Fern Hazel Heather Holly Ivy
Juniper Lark Laurel Linden Maple Meadow Moor Oak Pine Raven Reed Robin Rowan Sorrel Thistle
Willow Wren
"""
_TOWNS = ("bridge", "bury", "by", "dale", "field", "ford", "ham", "mere", "stead", "wick")
_FIRMS = ("Ltd", "Inc", "Group", "Partners", "Works", "Trading")
_STREETS = ("Street", "Road", "Lane", "Avenue", "Close", "Way")


def person(value: str, draw: Draw) -> str:
    """Give a name of as many words."""
    first, *others = value.split() or [""]
    if not others:
        return _cased(_word(_FIRST, draw), value)
    names = [_word(_LAST if first.endswith(",") else _FIRST, draw)]
    names += [_middle(word, draw) for word in others[:-1]]
    names.append(_word(_FIRST if first.endswith(",") else _LAST, draw))
    names[0] += "," if first.endswith(",") else ""
    return _cased(" ".join(names), value)


def location(value: str, draw: Draw) -> str:
    """Give a place that there is not."""
    return _cased(_word(_BEGINNINGS, draw) + draw.pick(_TOWNS), value)


def organisation(value: str, draw: Draw) -> str:
    """Give a firm that there is not."""
    made_up = f"{_word(_BEGINNINGS, draw)}{draw.pick(_TOWNS)} {draw.pick(_FIRMS)}"
    return _cased(made_up, value)


def address(value: str, draw: Draw) -> str:
    """Give a street and a number that is as long."""
    number = next((word for word in value.split() if word[0].isdecimal()), "1")
    digits = sum(map(str.isdecimal, number))
    written = f"{1 + draw.below(9)}{draw.digits(digits - 1)}"
    return _cased(f"{written} {_word(_BEGINNINGS, draw)} {draw.pick(_STREETS)}", value)


def _middle(word: str, draw: Draw) -> str:
    name = _word(_FIRST, draw)
    return f"{name[0]}." if word.endswith(".") else name


def _word(words: str, draw: Draw) -> str:
    return draw.pick(words.split())


def _cased(made_up: str, value: str) -> str:
    if value.isupper():
        return made_up.upper()
    return made_up.lower() if value.islower() else made_up
