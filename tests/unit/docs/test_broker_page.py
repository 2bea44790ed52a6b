"""The tables of broker/README.md on the broker, compared with the code."""

import re
from pathlib import Path

from broker.fleet import access, settings
from broker.fleet.access import Role
from broker.fleet.settings import Listeners
from broker.wire import topics
from broker.wire.topics import DeviceId, FleetId, PoolId, WorkerId
from tests.unit.docs.pages import ROOT, code, table

PAGE = ROOT / "broker" / "README.md"
ROLES_HEADING, SETTINGS = "### Roles", "## The broker's settings"
FLEET, POOL = FleetId("<fleet>"), PoolId("<pool>")
ROLES = (
    access.device(FLEET, DeviceId("<device>")),
    access.worker(FLEET, POOL, WorkerId("<worker>")),
    access.operator(FLEET),
    access.releases(FLEET),
    access.exporter(FLEET),
    access.joiner(FLEET, "<id>"),
)


def test_the_roles_are_those_of_the_program() -> None:
    written = table(PAGE, ROLES_HEADING)

    assert written == [row(role) for role in ROLES]


def row(role: Role) -> list[str]:
    """A role as the page has it."""
    heard = "the same" if role.subscribe == role.receive else listed(role.subscribe)
    return [f"`{role.name}`", listed(role.publish), listed(role.receive), heard]


def listed(filters: tuple[str, ...]) -> str:
    return " ".join(f"`{each}`" for each in filters)


def test_every_setting_that_is_written_is_told_and_no_other() -> None:
    both = {name for name, *_ in lines(settings.plain(Path("/b"), port=1, bind="127.0.0.1"))}
    fleet = {
        name for name, *_ in lines(settings.guarded(Path("/b"), Listeners("::", 1, 2), Path("p")))
    }

    told = {name for each in table(PAGE, SETTINGS) for name in code(each[0])}

    assert told == both | fleet | {"user"}


def test_every_topic_of_the_tree_is_told() -> None:
    tree = re.findall(r"^    (fl/v1/\S+)", topics.__doc__ or "", re.MULTILINE)

    assert [code(each[0])[0] for each in table(PAGE, "## Topics")] == tree


def lines(config: str) -> list[list[str]]:
    """The settings of a mosquitto.conf."""
    return [line.split() for line in config.splitlines() if line and not line.startswith("#")]
