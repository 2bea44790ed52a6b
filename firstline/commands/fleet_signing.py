"""`firstline fleet signing`: whose keys sign releases.

status           each role, until when it holds, how many keys sign; and what waits for signatures
renew            root and targets hold for longer: once a year
rotate ROLE      another key in place of ours; `online`: of all that is signed online, after a theft
key NAME         a key for a person, who signs drafts with it
share ROLE       these people sign from now on, so many of them together
sign DRAFT       with one's own key, on one's own machine
adopt DRAFT      puts a draft in force that enough people have signed
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline.commands import noun
from firstline.commands.fleet_options import DEFAULT_FOLDER, FolderOption
from firstline.console import JsonOption, columns, show
from firstline.dates import day
from firstline.passphrases import PassphraseFile, new_passphrase, passphrase_of, passphrase_of_key

if TYPE_CHECKING:
    from broker.fleet.releases.press import Step
    from broker.fleet.releases.repository import Repository

_ALL_ONLINE = "online"

RoleArgument = Annotated[
    str, typer.Argument(metavar="ROLE", help="root, targets, rollout, snapshot, timestamp; online.")
]
DraftArgument = Annotated[Path, typer.Argument(metavar="DRAFT", help="That people sign.")]

app = noun("Whose keys sign releases, and until when that holds.")

# What follows imports its parts late: the other verbs of `fleet` need no TUF.


@app.command()
def status(*, folder: FolderOption = DEFAULT_FOLDER, as_json: JsonOption = False) -> None:
    """Show who signs what, until when it holds, and what people have to sign."""
    from broker.fleet.releases.shelf import Shelf  # noqa: PLC0415
    from broker.fleet.releases.signers import drafts, signers  # noqa: PLC0415

    roles, waiting = signers(Shelf(folder)), drafts(Shelf(folder))
    rows = [("ROLE", "VERSION", "HOLDS UNTIL", "SIGNED BY", "KEYS HERE")]
    rows += [
        (
            each.role,
            f"{each.version}",
            day(each.ends_s),
            f"{each.threshold} of {each.keys}",
            f"{each.here}",
        )
        for each in roles
    ]
    lines = columns(rows)
    lines += [f"{each.path}: {each.missing} signatures are missing" for each in waiting]
    document = {
        "roles": [{name: getattr(each, name) for name in each.__slots__} for each in roles],
        "drafts": [{name: getattr(each, name) for name in each.__slots__} for each in waiting],
    }
    show(document, lines, as_json=as_json)


@app.command()
def renew(
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Have root and targets hold for longer; boards take nothing of what is over."""
    from broker.fleet.releases.repository import Repository  # noqa: PLC0415

    passphrase, repository = passphrase_of(folder, passphrase_file), Repository(folder)
    steps = repository.sign_again(passphrase=passphrase, now_s=time.time())
    _vouch(repository, passphrase)
    _show(folder, steps, as_json=as_json)


@app.command()
def rotate(
    role: RoleArgument,
    *,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Give a role a new key in place of ours; the old one is worth nothing from then on."""
    from broker.fleet.releases import rotation  # noqa: PLC0415
    from broker.fleet.releases.repository import Repository  # noqa: PLC0415

    passphrase, repository = passphrase_of(folder, passphrase_file), Repository(folder)
    steps = [
        rotation.rotate(repository, each, passphrase=passphrase, now_s=time.time())
        for each in (rotation.ONLINE_ROLES if role == _ALL_ONLINE else (role,))
    ]
    _vouch(repository, passphrase)
    _show(folder, steps, as_json=as_json)


@app.command()
def key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.")],
    *,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where it shall lie.")] = Path(),
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key for a person, on their own machine; its public half goes to the operator."""
    from broker.fleet.folder import check_name  # noqa: PLC0415
    from broker.fleet.releases.keys import key_path, make_key, show_public  # noqa: PLC0415

    check_name("person", name)
    public = make_key(to, name, new_passphrase(passphrase_file))
    path, shown = key_path(to, name, public), show_public(public)
    lines = [f"Key:     {path}, stays with {name}", f"Public:  {shown}"]
    show({"key": path, "public": shown}, lines, as_json=as_json)


@app.command()
def share(  # noqa: PLR0913 - each is an option of the command
    role: RoleArgument,
    public: Annotated[list[str], typer.Argument(metavar="PUBLIC...", help="Of each person.")],
    *,
    threshold: Annotated[int, typer.Option(min=1, help="How many of them must sign.")],
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Have these people sign for root or targets from now on, and nobody else."""
    from broker.fleet.releases import rotation  # noqa: PLC0415
    from broker.fleet.releases.keys import public_key  # noqa: PLC0415
    from broker.fleet.releases.repository import Repository  # noqa: PLC0415

    people = [public_key(each) for each in public]
    passphrase, repository = passphrase_of(folder, passphrase_file), Repository(folder)
    step = rotation.share(
        repository, role, people, threshold, passphrase=passphrase, now_s=time.time()
    )
    _vouch(repository, passphrase)
    _show(folder, [step], as_json=as_json)


@app.command()
def sign(
    draft: DraftArgument,
    *,
    with_key: Annotated[Path, typer.Option("--key", metavar="FILE", help="One's own key.")],
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a draft with one's own key; then it goes to the next, or back to the operator."""
    from broker.fleet.releases.signing import sign_file  # noqa: PLC0415

    count = sign_file(draft, with_key, passphrase_of_key(with_key, passphrase_file))
    show({"draft": draft, "signatures": count}, [f"{count} signatures"], as_json=as_json)


@app.command()
def adopt(
    draft: DraftArgument, *, folder: FolderOption = DEFAULT_FOLDER, as_json: JsonOption = False
) -> None:
    """Put a draft in force that enough people have signed; needs no passphrase."""
    from broker.fleet.releases import rotation  # noqa: PLC0415
    from broker.fleet.releases.repository import Repository  # noqa: PLC0415

    step = rotation.adopt(Repository(folder), draft, now_s=time.time())
    _show(folder, [step], as_json=as_json)


def _vouch(repository: "Repository", passphrase: str | None) -> None:
    """New boards begin with the newest root, and know nothing of keys that were given up."""
    from broker.fleet.root import open_root  # noqa: PLC0415

    repository.vouch_for_root(open_root(repository.fleet, passphrase))


def _show(folder: Path, steps: "list[Step]", *, as_json: bool) -> None:
    following = f"firstline fleet publish --dir {folder}"
    lines = [
        f"{each.draft}: {each.missing} signatures are missing"
        if each.missing
        else f"{each.role} {each.version} is in force."
        for each in steps
    ]
    done = not any(each.missing for each in steps)
    told = [{name: getattr(each, name) for name in each.__slots__} for each in steps]
    document = {"steps": told, "next": following if done else None}
    show(document, [*lines, *([f"Then:  {following}"] if done else [])], as_json=as_json)
