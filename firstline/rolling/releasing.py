"""Makes a release of package folders: planned, vouched for, chosen.

    folder --golden, plan, patches--> plan --offline keys--> vouched for --online key--> first wave

What was vouched for once needs no passphrase again: for another group, or to go back, the same
files are the same plan.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict

from msgspec import structs

from broker.fleet.errors import FleetError
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.stock import Stock
from broker.fleet.root import open_root
from broker.package.golden import GOLDEN_FILE
from broker.package.manifest import Manifest, load_manifest
from broker.wire.release import Choice, Needs, PackagePlan, Rollout, digest
from broker.wire.vouched import plan_path
from firstline.packing.golden import write_golden

_SALT_BYTES: Final = 16
_EARLIER: Final = 2  # releases that patches lead from
_ALONE: Final = "main"  # what a variant is called that is the only one

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be released."""

    packages: tuple[Path, ...]  # folders of one package's variants, the best first
    bases: tuple[Path, ...] = ()  # folders of packages that boards may have
    needs: Mapping[str, Mapping[str, Any]]  # of a variant, beside what its package says


@dataclass(frozen=True, slots=True)
class Vouched:
    """What may be chosen."""

    package: str
    version: str
    choices: tuple[Choice, ...]


class Rules(TypedDict, total=False):
    """Who takes a release, when, and what ends it: fields of `Rollout`, whose defaults hold."""

    devices: tuple[str, ...]
    not_before_s: float
    deadline_s: float
    hours: tuple[int, int] | None
    on_battery: bool
    on_metered: bool
    watch_s: float
    restarts: int
    most_errors: float
    most_escalated: float
    most_ms: float


class Releasing:
    """Makes releases of one fleet.

    Args:
        fleet: The operator's folder.
        passphrase: Asked for when offline keys are needed.
        told: Takes lines about what takes long.
        now_s: Unix time.
    """

    def __init__(
        self, fleet: Path, *, passphrase: Callable[[], str | None], told: Told, now_s: float
    ) -> None:
        self._fleet, self._passphrase = fleet, passphrase
        self._told, self._now_s = told, now_s
        self._repository = Repository(fleet)
        self._stock = Stock(fleet)
        self._typed: list[str | None] = []

    def vouch(self, order: Order) -> Vouched:
        """Have every variant vouched for.

        Raises:
            PackageError: a folder is no package.
            ModelError: a package without golden.json cannot be asked.
            FleetError: they are not one package, were released with other content, or other people
                must sign them too.
            OSError: a file cannot be read, or the disk is full.
        """
        manifests = [load_manifest(folder) for folder in order.packages]
        package, version = _one(manifests)
        for manifest in manifests:
            self._have_golden(manifest)
        if not self._repository.shelf.exists:
            self._repository.begin(open_root(self._fleet, self._secret()), now_s=self._now_s)
            self._told("Made the keys that sign releases.")
        known = self._repository.vouched(f"{package}/")
        plans = {}
        for manifest in manifests:
            made = self._planned(manifest, order, known)
            plans[plan_path(made)] = made.write()
        if len(plans) < len(manifests):
            raise FleetError("two folders have one name: variants are told apart by it")
        new = {path: data for path, data in plans.items() if known.get(path) != digest(data)}
        if new:
            self._sign(new)
        for data in plans.values():
            self._stock.put(data)
        choices = tuple(Choice(path=path, sha256=digest(data)) for path, data in plans.items())
        return Vouched(package, version, choices)

    def _have_golden(self, manifest: Manifest) -> None:
        """See that boards can test it: golden.json holds what it answers here."""
        if (manifest.folder / GOLDEN_FILE).exists():
            return
        self._told(f"Asking {manifest.folder.name} some questions for its {GOLDEN_FILE}.")
        if write_golden(manifest.folder) is None:
            self._told("It answers none: boards can only see that it loads.")

    def _planned(self, manifest: Manifest, order: Order, known: Mapping[str, str]) -> PackagePlan:
        variant = variant_of(manifest.folder) if len(order.packages) > 1 else _ALONE
        needs = Needs(
            engine=manifest.engine,  # type: ignore[arg-type] # checked when it is written
            ram_mb=manifest.ram_mb,
            **order.needs.get(variant, {}),
        )
        head = Head(manifest.name, manifest.version, variant, needs)
        path = f"{head.package}/{head.version}/{head.variant}.json"
        if path in known:
            before = PackagePlan.read(self._stock.path(known[path]).read_bytes())
            if before.needs == needs and _contents(before) == _files(manifest.folder):
                return before
            raise FleetError(
                f"{head.package} {head.version}, {variant}, was released with other content: "
                "give this one a new version in package.toml"
            )
        with self._earlier(known) as earlier:
            return plan(
                self._stock, manifest.folder, head, bases=(*order.bases, *earlier), told=self._told
            )

    @contextmanager
    def _earlier(self, known: Mapping[str, str]) -> Iterator[list[Path]]:
        """The latest releases of a package as folders, out of what is in stock."""
        latest = sorted(known.items(), key=lambda each: _version(each[0]), reverse=True)
        with tempfile.TemporaryDirectory() as scratch:
            folders = []
            for path, sha256 in latest[:_EARLIER]:
                folder = Path(scratch) / path.replace("/", " ").removesuffix(".json")
                folder.mkdir()
                for each in PackagePlan.read(self._stock.path(sha256).read_bytes()).files:
                    (folder / each.name).symlink_to(self._stock.path(each.content.sha256).resolve())
                folders.append(folder)
            yield folders

    def _sign(self, plans: Mapping[str, bytes]) -> None:
        step = self._repository.vouch(plans, passphrase=self._secret(), now_s=self._now_s)
        if step.missing:
            raise FleetError(
                f"{step.draft} lacks {step.missing} signatures of other people; when they have "
                "signed it, release again"
            )

    def _secret(self) -> str | None:
        if not self._typed:
            self._typed.append(self._passphrase())
        return self._typed[0]


def variant_of(folder: Path) -> str:
    """What one of several variants is called: as its folder."""
    return folder.resolve().name.lower().replace("_", "-").replace(".", "-")


def rollout_of(vouched: Vouched, rules: Rules) -> Rollout:
    """The rollout of a release, before its numbers are known.

    Raises:
        FleetError: a rule is out of its bounds.
    """
    draft = Rollout(
        number=1,
        choices=vouched.choices,
        state="running",
        salt=os.urandom(_SALT_BYTES).hex(),
        percent=0.0,
    )
    made = structs.replace(draft, **rules)
    try:
        made.write()
    except ValueError as error:
        raise FleetError(f"no board would take it: {error}") from error
    return made


def _one(manifests: list[Manifest]) -> tuple[str, str]:
    names = {(each.name, each.version) for each in manifests}
    if len(names) > 1:
        told = ", ".join(f"{name} {version}" for name, version in sorted(names))
        raise FleetError(f"variants are of one package and one version; these are {told}")
    return names.pop()


def _contents(made: PackagePlan) -> dict[str, str]:
    return {each.name: each.content.sha256 for each in made.files}


def _files(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _version(path: str) -> tuple[int, ...]:
    return tuple(int(part) for part in path.split("/")[1].split("."))
