"""Street addresses, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find.look import look
from agent.core.find.overlap import settle
from agent.core.find.trigger import find_by_words


def found(text: str) -> list[str]:
    spans = [span for span in find_by_words(look(text)) if span.label == "ADDRESS"]
    return [text[span.start : span.end] for span in settle(text, spans)]


@pytest.mark.parametrize(
    "address",
    [
        "123 Main Street",
        "123 Main St.",
        "221b Baker Street",
        "14 North 5th Avenue",
        "5 Elm Road",
        "1600 Pennsylvania Avenue NW, Washington, DC 20500",
        "123 Main St Apt 4, Springfield, IL 62704",
        "123 Main St, Suite 12\nSpringfield, IL 62704-1234",
        "10 Downing Street, London SW1A 2AA",
        "450 Boston Bridge",
        "28 rue de la Paix",
        "12, avenue des Champs, 75008 Paris",
        "Rue de Pi\u00e9train 371",
        "Hauptstra\u00dfe 5",
        "Hauptstrasse 5a, 10115 Berlin",
        "Koepenicker Str. 74",
        "Calle Mayor 3",
        "Avenida de la Constituci\u00f3n 15",
        "C/ Mayor 3",
        "Via Roma 1",
        "Via Roma, 1",
        "Piazza Rezzonico 35",
        "Rua Vinte e Cinco de Setembro 1257",
        "Kerkstraat 12a",
        "Keizersgracht 5, 1015 CJ Amsterdam",
        "Storgatan 5",
        "Ringvej 144",
        "Karl Johans vei 3",
        "Karl Johans vei, 3",
        "Kiannonkatu 98",
        "Mannerheimintie 72",
        "Hl\u00ed\u00f0arvegur 97",
        "R\u00e1k\u00f3czi \u00fat 13.",
        "\u00c1rp\u00e1d fejedelem \u00fatja 3.",
        "Wessel\u00e9nyi u. 94.",
        "ul. Mi\u0142a 53",
        "Luite tee 87",
        "\u03bf\u03b4\u03cc\u03c2 \u03a3\u03c5\u03b3\u03b3\u03c1\u03bf\u03cd 119",
        "20789 Allika 46\n Suite 501",
        "5638 Aasa 43\nHumilimont, nan 78618",
        "P.O. Box 149",
        "PO Box 12, Springfield, IL 62704",
        "Postfach 12 34",
        "Apartado de correos 12",
        "PSC 0413, Box 8144\nAPO AA 42323",
        "Unit 4719 Box 7394\nDPO AP 70942",
        "USNV Botolen\nFPO AE 12382",
        "the corner of 76 Boulevard de Normandie and Eriksson Bridge",
        "Suite 824",
    ],
)
def test_address_is_found(address: str) -> None:
    assert found(f"(they live at {address}; call first)") == [address]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("we met at 1987 74 Diakou Street yesterday", "1987 74 Diakou Street"),
        ("pedestrians enter on 56 baker street now", "56 baker street"),
        ("send it to rue du centre 320 please", "rue du centre 320"),
        ("123 Main St, Bob said", "123 Main St"),
        ("Bob is at Via Roma 1, Ann is not", "Via Roma 1"),
        (
            "Address:\n12 Green Lane\nUnit 5\nWellington 60110\nPhone",
            "12 Green Lane\nUnit 5\nWellington 60110",
        ),
    ],
)
def test_address_ends_where_it_ends(text: str, address: str) -> None:
    assert found(text) == [address]


def test_unit_of_a_street_is_not_found_a_second_time() -> None:
    assert len(list(find_by_words(look("20 Main St Suite 501 Apt. 7")))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "5 minutes down the road",
        "20 people crossed the street",
        "it was a 2 way street, 30 mile road",
        "Spring 2024, String 16, Booking 12",
        "connected via USB 2 and via Wifi 5, via port 22",
        "3 Great Lakes and 5 Hot Springs",
        "Route 66, Boeing 747, Windows 11",
        "pid 12345 took 20 ms on eth0 5",
        "boxes: 12, unit 5, flat 3, sandbox 12, postbox",
        "error 12, code 34, Foo Bar 12345",
        "a corner of the room and a table",
        "Place 3, Court 5, Drive 2",
        "street 5, straat, the gata 5",
        "version 12 Via 3",
        "v10.5 Main Street",
    ],
)
def test_no_address_is_found(text: str) -> None:
    assert found(text) == []
