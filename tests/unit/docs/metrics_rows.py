"""Metrics as rows: those that a page of the repository tells, and those that a program exposes."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.docs.pages import code, table

Row = tuple[str, str, list[str]]  # name, type, labels


def told(page: Path, heading: str) -> list[Row]:
    """What a page's table says."""
    rows = table(page, heading)
    return sorted((code(row[0])[0], row[1], sorted(code(row[2]))) for row in rows)


def exposed(text: str) -> list[Row]:
    """What Prometheus would read, without what every process has."""
    return sorted(
        (
            f"{family.name}_total" if family.type == "counter" else family.name,
            family.type,
            sorted({name for each in family.samples for name in each.labels} - {"le"}),
        )
        for family in text_string_to_metric_families(text)
        if not family.name.startswith("process_")
    )


def series(text: str) -> set[str]:
    """The name of every series, as a query has it."""
    return {s.name for family in text_string_to_metric_families(text) for s in family.samples}
