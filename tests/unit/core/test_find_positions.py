"""Positions, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find.gps import find_positions
from agent.core.find.look import look
from agent.core.find.trigger import find_by_words


def found(text: str) -> list[str]:
    spans = [*find_positions(text), *find_by_words(look(text))]
    assert {span.label for span in spans} <= {"GPS"}
    return [text[start:end] for start, end in sorted({(span.start, span.end) for span in spans})]


@pytest.mark.parametrize(
    "position",
    [
        "52.5200, 13.4050",
        "-33.8688,151.2093",
        "+37.7749; -122.4194",
        "52.5200\u00b0 N, 13.4050\u00b0 E",
        "52.52\u00b0N 13.40\u00b0E",
        "52.52 N, 13.40 E",
        "52.52\u00b0, 13.40\u00b0",
        "N52.5200 E13.4050",
        "N 40 26.767 W 79 58.933",
        "N 40\u00b0 26.767', W 79\u00b0 58.933'",
        "40 26.767 N, 79 58.933 W",
        "40\u00b026'46\"N 79\u00b058'56\"W",
        "40\u00b0 26\u2032 46\u2033 N, 79\u00b0 58\u2032 56\u2033 W",
        "40 deg 26' 46.00\" N, 79 deg 58' 56.00\" W",
        "40\u00b026'46\"N",
        "4807.038,N,01131.000,E",
        "+40.4461-079.9489/",
        "8FVC9G8F+6X",
        "9G8F+6X",
    ],
)
def test_position_is_found_by_its_shape(position: str) -> None:
    assert found(
        f"we are ({position}) Berlin" if "+6X" not in position else f"{position} Z\u00fcrich"
    ) == [position]


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("gps 52.52 13.40", ["52.52 13.40"]),
        ('"coordinates": [13.40, 52.52]', ["13.40, 52.52"]),
        ("Koordinaten: 52.52, 13.40", ["52.52, 13.40"]),
        ("https://maps.example.org/@52.5200,13.4050,17z", ["52.5200,13.4050"]),
        ("https://maps.example.org/?q=52.5200%2C13.4050", ["52.5200%2C13.4050"]),
        ("geo:52.52,13.4;u=35", ["52.52,13.4"]),
        ("$GPGGA,123519,4807.038,N,01131.000,E,1,08", ["4807.038,N,01131.000,E"]),
        ('{"lat": 52.1, "lon": 13.4}', ["52.1", "13.4"]),
        ('{"lat":"52.1","lng":"-13"}', ["52.1", "-13"]),
        ("lat=52.1&lon=13.4", ["52.1", "13.4"]),
        ("latitude=52.1", ["52.1"]),
        ("Latitude is 52\u00b0", ["52\u00b0"]),
        ("gps_latitude: 52.1 gps_longitude: 13.4", ["52.1", "13.4"]),
        ('"latitudeE7": 525200000', ["525200000"]),
        ("GPSLatitude = -33.8", ["-33.8"]),
        ("Breitengrad: 52.1, L\u00e4ngengrad: 13.4", ["52.1", "13.4"]),
        ("meet at ///filled.count.soap!", ["filled.count.soap"]),
        ("geohash u33dc0", ["u33dc0"]),
        ("MGRS: 33U UU 90298 19737", ["33U UU 90298 19737"]),
        ("plus code 9G8F+6X", ["9G8F+6X"]),
    ],
)
def test_position_is_found_by_what_is_around_it(text: str, positions: list[str]) -> None:
    assert found(text) == positions


@pytest.mark.parametrize(
    "text",
    [
        "0, 0",
        "0.0000, 0.0000",
        "0.0123, -0.9812",
        "0.0123, -0.9812, 9.8011",
        "52.5200, 13.4050, 17.1234",
        "1.5, 52.5200, 13.4050",
        "[21.5012, 22.2513, 23.1234]",
        "12.5, 13.25",
        "12.51, 13.25",
        "1.2345 12.3456",
        "95.1234, 96.1234",
        "200.1234, 12.1234",
        "21.5 \u00b0C, 40\u00b0 C",
        "load average: 0.52, 0.58, 0.59",
        "v1.2345, 2.3456.7",
        "lat=1.5ms flat=2.5 long=3",
        "lat (usec): min=52.10, max=13.4050",
        "plateau: 2.5, a long 12 km",
        "latitude: unknown",
        "C++11, 2222+22, CCCC+CC",
        "file:///etc.conf.d",
        "///usr.local.bin/x",
        "a+b",
    ],
)
def test_no_position_is_found(text: str) -> None:
    assert found(text) == []
