"""What becomes coarser, and what is not understood well enough for it."""

import pytest

from agent.core.generalize import GENERALIZABLE, coarse_number, generalize
from agent.core.policy import LABELS


@pytest.mark.parametrize(
    ("label", "text", "coarser"),
    [
        ("AGE", "43", "40-49"),
        ("AGE", "7", "0-9"),
        ("AGE", "89", "80-89"),
        ("AGE", "90", "90+"),
        ("AGE", "104 years old", "90+ years old"),
        ("AGE", "79-year-old", "70-79-year-old"),
        ("AGE", "31 y/o", "30-39 y/o"),
        ("DATE", "2020-03-14", "2020-03"),
        ("DATE", "2020-03-14T10:33:05Z", "2020-03"),
        ("DATE", "2020/03/14 10:33", "2020/03"),
        ("DATE", "14.03.2020", "03.2020"),
        ("DATE", "14. 3. 2020", "3. 2020"),
        ("DATE", "03/14/2020", "03/2020"),
        ("DATE", "14/03/2020", "03/2020"),
        ("DATE", "03/04/2020", "2020"),
        ("DATE", "04/04/2020", "04/2020"),
        ("DATE", "March 3rd, 2020", "March 2020"),
        ("DATE", "3 March 2020", "March 2020"),
        ("DATE", "the 3rd of March", "March"),
        ("DATE", "12 Jan 2020 10:33", "Jan 2020"),
        ("DATE", "12 Jan 2020 at 10 am", "Jan 2020"),
        ("DATE", "Sat Nov 21 14:44:09 UTC 2026", "Nov 2026"),
        ("DATE", "10/Oct/2000:13:55:36 -0700", "Oct 2000"),
        ("DATE", "Friday, 14. März 2020", "März 2020"),
        ("DATE", "le 14 août 1999", "août 1999"),
        ("DATE", "14 de enero de 1999", "enero 1999"),
        ("DATE", "1977", "1977"),
        ("DATE", "1990s", "1990s"),
        ("DATE", "March 2020", "March 2020"),
        ("GPS", "52.5163, 13.3777", "52.5, 13.4"),
        ("GPS", "-33.86785,151.20732", "-33.9,151.2"),
        ("GPS", '"lat": 52.5163, "lon": 13.3777', '"lat": 52.5, "lon": 13.4'),
        ("GPS", "52.5163° N, 13.3777° E", "52.5° N, 13.4° E"),
        ("GPS", "geo:52.5163,13.3777", "geo:52.5,13.4"),
        ("IP", "192.0.2.17", "192.0.2.0/24"),
        ("IP", "2001:DB8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3::/48"),
        ("IP", "2001:db8::7", "2001:db8:0::/48"),
        ("IP", "::ffff:192.0.2.17", "0:0:0::/48"),
        ("IP", "2001:db8::", "2001:db8:0::/48"),
        ("POSTCODE", "90210", "902**"),
        ("POSTCODE", "90210-1234", "902**-****"),
        ("POSTCODE", "03601", "000**"),
        ("POSTCODE", "SW1A 1AA", "SW** ***"),
        ("POSTCODE", "K1A 0B1", "K** ***"),
        ("POSTCODE", "1012 AB", "10** **"),
        ("POSTCODE", "110001", "11****"),
        ("TIME", "10:33", "10:00"),
        ("TIME", "23:59:59", "23:00"),
        ("TIME", "10:33 pm", "10:00 pm"),
        ("TIME", "10.33", "10.00"),
        ("TIME", "10h30", "10h00"),
        ("TIME", "5pm", "5pm"),
        ("TIME", "10:33Z", "10:00Z"),
        ("TIME", "１０:３３", "10:00"),  # noqa: RUF001 - full width
    ],
)
def test_a_value_becomes_coarser_in_its_writing(label: str, text: str, coarser: str) -> None:
    assert generalize(label, text) == coarser


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("AGE", "6 months"),
        ("AGE", "forty"),
        ("AGE", "43 or 44"),
        ("AGE", "431"),
        ("DATE", "3/4/21"),
        ("DATE", "14.15.2020"),
        ("DATE", "31/00/2020"),
        ("DATE", "Anna's birthday"),
        ("DATE", "March 3rd, Anna"),
        ("DATE", "14 99 2020"),
        ("DATE", ""),
        ("GPS", "40°26'46\"N 79°58'56\"W"),
        ("GPS", "Hauptstraße 52.5163, 13.3777"),
        ("GPS", "52, 13.3777"),
        ("IP", "192.0.2.17:80"),
        ("IP", "router"),
        ("POSTCODE", "Berlin 10115 Mitte"),
        ("POSTCODE", "1"),
        ("POSTCODE", "1A2B3"),
        ("TIME", "tomorrow"),
        ("TIME", "10"),
        ("TIME", "99:33"),
        ("PERSON", "Anna Berg"),
        ("LOCATION", "Berlin"),
    ],
)
def test_what_is_not_understood_does_not_become_coarser(label: str, text: str) -> None:
    assert generalize(label, text) is None


def test_only_known_types_become_coarser() -> None:
    assert set(LABELS) > GENERALIZABLE


@pytest.mark.parametrize(
    ("number", "coarser"),
    [(43.0, 40.0), (0.0, 0.0), (-43.0, -40.0), (0.3, 0.3), (0.27, 0.2), (12345.6, 10000.0)],
)
def test_a_number_keeps_one_digit(number: float, coarser: float) -> None:
    assert coarse_number(number) == coarser
