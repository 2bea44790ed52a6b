"""Dates and times of day, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find import find


def found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-11-20", "2026-11-20"),
        ("on 2026-11-20 12:30:45, the", "2026-11-20 12:30:45"),
        ("at 2026-11-20T12:30:45.123456Z ok", "2026-11-20T12:30:45.123456Z"),
        ("2026-11-20T12:30:45+02:00", "2026-11-20T12:30:45+02:00"),
        ("2026/11/20", "2026/11/20"),
        ("2005-06-03-15.42.50.363779 R02", "2005-06-03-15.42.50.363779"),
        ("born 20.11.1976.", "20.11.1976"),
        ("20.11.2026 12:30", "20.11.2026 12:30"),
        ("2/8/1935", "2/8/1935"),
        ("20 11 2026", "20 11 2026"),
        ("3/4/21", "3/4/21"),
        ("17/06/09 20:10:40 INFO", "17/06/09 20:10:40"),
        ("Date: 10.05.95, 7.30 pm", "10.05.95, 7.30 pm"),
        ("20261120T123045", "20261120T123045"),
        ("20171223-22:15:29:606|Step", "20171223-22:15:29:606"),
        ("081109 203615 148 INFO", "081109 203615"),
        ("03-17 16:13:38.811  1702", "03-17 16:13:38.811"),
        ("12 Jan 2020 10:33", "12 Jan 2020 10:33"),
        ("12-Jan-2020", "12-Jan-2020"),
        ("12 Jan '20", "12 Jan '20"),
        ("10/Oct/2000:13:55:36 -0700", "10/Oct/2000:13:55:36 -0700"),
        ("the 3rd of March", "3rd of March"),
        ("March 3rd", "March 3rd"),
        ("Monday, March 3rd, 2021", "Monday, March 3rd, 2021"),
        ("Jan. 5, 2020 at 5:30 pm", "Jan. 5, 2020 at 5:30 pm"),
        ("Mar  8 17:32:26 host", "Mar  8 17:32:26"),
        ("[Sun Dec 04 04:47:44 2005]", "Sun Dec 04 04:47:44 2005"),
        ("Fri Nov 20 12:30:45 -0800 2026", "Fri Nov 20 12:30:45 -0800 2026"),
        ("12. März 2026", "12. März 2026"),
        ("1er janvier 2020", "1er janvier 2020"),
        ("3 de mayo de 2021", "3 de mayo de 2021"),
        ("April 2021", "April 2021"),
        ("in March we", "March"),
        ("founded in 1977. Since", "1977"),
        ("the Act of 2001 protects", "2001"),
        ("a 2017 Polish film", "2017"),
        ("the 1990s were", "1990s"),
        ("(1977-1985)", "1977-1985"),
        ("from 2001 to 2004", "2001 to 2004"),
        ("2010 - present", "2010 - present"),
        ("Summer 2020", "Summer 2020"),
    ],
)
def test_date_is_found(text: str, date: str) -> None:
    assert found(text) == [("DATE", date)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("at 12:30 or so", "12:30"),
        ("12:30:45,123", "12:30:45,123"),
        ("at 5 pm", "5 pm"),
        ("5:30 a.m. sharp", "5:30 a.m."),
        ("à 17h30", "17h30"),
        ("meet on Monday at", "Monday"),
        ("closed on Sundays", "Sundays"),
    ],
)
def test_time_alone_is_no_date(text: str, time: str) -> None:
    assert found(text) == [("TIME", time)]


@pytest.mark.parametrize(
    "text",
    [
        "lot 2024-13-45",
        "31/31/1999",
        "25:61",
        "1:2:3",
        "1/2",
        "1.2.26",
        "v10.12.13",
        "version 10.12.13",
        "2.0.11-2024",
        "20-20-20",
        "in 2048 bytes, of 2000 items",
        "set it to 2000",
        "2017 Oak Street",
        "you may 5 of them",
        "march 3 miles",
        "the market may decide, a decimal",
        "1700000000",
        "tomorrow, next week",  # says nothing without the day on which it was said
    ],
)
def test_no_date_is_found(text: str) -> None:
    assert not {"DATE", "TIME"} & {label for label, _ in found(text)}
