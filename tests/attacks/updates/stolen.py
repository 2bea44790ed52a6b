"""The online keys in a thief's hands: timestamp, snapshot and rollout. Packages stay safe."""

import json
from functools import partial

from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, TargetFile, Targets

from agent.update.errors import ExpiredError
from broker.fleet.releases.metadata import with_rollout
from broker.fleet.releases.rotation import rotate
from broker.wire.release import PackagePlan, Rollout, digest
from broker.wire.vouched import ROLLOUT, plan_path, rollout_path
from tests.attacks.updates.attack import UpdateAttack, refused
from tests.attacks.updates.forge import FAR, Alter, pinned, with_rollouts
from tests.attacks.updates.scene import NEW, NEW_S, OLD, Scene, Taken, chosen
from tests.releases import DAY_S, GROUP, PACKAGE, a_plan
from tests.retained import Files

PATH = rollout_path(GROUP, PACKAGE)
ONLINE = ("timestamp", "snapshot", ROLLOUT)
EVIL = a_plan("6.6.6")
_HEALED = "; after new keys the newest is taken"


def _choosing(plan: PackagePlan, number: int = 3) -> Alter:
    return lambda rollouts: _set(rollouts, chosen(number, plan))


def _set(rollouts: Metadata[Targets], rollout: Rollout) -> None:
    with_rollout(rollouts, PATH, rollout)


def _stolen(scene: Scene, alter: Alter, why: str) -> str:
    """Say with the online keys whatever they can say; then the operator makes new ones."""
    scene.retain(with_rollouts(scene, alter))
    scene.broker.put_blocks({digest(EVIL.write()): EVIL.write()})
    return _healed(scene, refused(scene, why))


def _healed(scene: Scene, happened: str) -> str:
    for role in ONLINE:
        rotate(scene.repository, role, passphrase=None, now_s=NEW_S)
    scene.repository.choose(GROUP, PACKAGE, chosen(3, NEW), now_s=NEW_S)
    scene.restore()
    assert scene.look() == Taken(chosen(3, NEW), NEW), "new keys do not heal it"
    return happened + _HEALED


def _own_plan(rollouts: Metadata[Targets]) -> None:
    """Vouch for a package oneself, under a path that only offline keys may."""
    path, data = plan_path(EVIL), EVIL.write()
    rollouts.signed.targets[path] = TargetFile.from_data(path, data, ["sha256"])
    _set(rollouts, chosen(3, EVIL))


def _plan_as_rollout(rollouts: Metadata[Targets]) -> None:
    """Vouch for a package oneself, under a path that the online key may."""
    path, data = rollout_path("lights", "x"), EVIL.write()
    rollouts.signed.targets[path] = TargetFile.from_data(path, data, ["sha256"])
    choice = {"path": path, "sha256": digest(data)}
    told = {"number": 3, "choices": [choice], "state": "running", "salt": "00" * 8, "percent": 100}
    _said(told)(rollouts)


def _said(document: object) -> Alter:
    """Have a rollout's document be anything."""

    def alter(rollouts: Metadata[Targets]) -> None:
        target = TargetFile.from_data(PATH, b"", ["sha256"])
        text = document if isinstance(document, str) else json.dumps(document)
        target.unrecognized_fields["custom"] = {ROLLOUT: text}
        rollouts.signed.targets[PATH] = target

    return alter


def _other_bytes(rollouts: Metadata[Targets]) -> None:
    """The path of a true plan, with the digest of another."""
    true, false = chosen(3, NEW).choices[0], chosen(3, EVIL).choices[0]
    choice = {"path": true.path, "sha256": false.sha256}
    told = {"number": 3, "choices": [choice], "state": "running", "salt": "00" * 8, "percent": 100}
    _said(told)(rollouts)


def _same_number(rollouts: Metadata[Targets]) -> None:
    """Another choice under the number of the one that is in force."""
    _set(rollouts, chosen(2, OLD))


def _delegations(rollouts: Metadata[Targets]) -> None:
    """Say nothing oneself, and name a hundred others who may."""
    rollouts.signed.targets.clear()
    key: SSlibKey = CryptoSigner.generate_ed25519().public_key
    roles = {
        f"role-{number}": DelegatedRole(f"role-{number}", [key.keyid], 1, False, paths=[PATH])  # noqa: FBT003 - TUF's own
        for number in range(100)
    }
    rollouts.signed.delegations = Delegations({key.keyid: key}, roles)


def _for_another_group(scene: Scene) -> str:
    """A package that was vouched for, though never for this group."""
    lab = a_plan("3.0.0", groups=("lab",))
    scene.repository.vouch({plan_path(lab): lab.write()}, passphrase=None, now_s=NEW_S)
    scene.broker.put_blocks({digest(lab.write()): lab.write()})
    scene.retain(with_rollouts(scene, _choosing(lab)))
    return _healed(scene, refused(scene, "not for the group 'all'"))


def _withdrawn(scene: Scene) -> str:
    """A package that the operator has withdrawn."""
    scene.repository.vouch({}, gone=[plan_path(OLD)], passphrase=None, now_s=NEW_S)
    scene.retain(scene.files())
    scene.retain(with_rollouts(scene, _choosing(OLD)))
    return _healed(scene, refused(scene, "no offline key vouches"))


def _old_targets(scene: Scene) -> str:
    """The targets of 60 days ago, in a new snapshot: what was withdrawn since is back."""
    old = next(data for name, data in scene.past.old.items() if "targets" in name)
    scene.retain(pinned(scene, targets=(2, old)))
    return _healed(scene, refused(scene, "targets.json version|after"))


def _dated_ahead(scene: Scene) -> str:
    """Sign a date of five years ahead, so that everything true looks expired for ever."""
    ahead_s = NEW_S + 1800 * DAY_S
    scene.retain(pinned(scene, signed_at_s=ahead_s))
    happened = refused(scene, "over when|expired", ExpiredError)
    return _healed(scene, happened)


def _dated_a_bit_ahead(scene: Scene) -> str:
    """Sign a date that leaves nothing expired, and again, day by day."""
    ahead_s = NEW_S + 80 * DAY_S
    scene.retain(pinned(scene, signed_at_s=ahead_s))
    assert scene.look() == Taken(chosen(2, NEW), NEW)
    scene.retain(pinned(scene, version=20))
    happened = refused(scene, "before the last|expired", ExpiredError)
    return _healed(scene, happened)


def _far_ahead(scene: Scene) -> str:
    """Sign versions far ahead, so that nothing true is new enough."""
    scene.retain(pinned(scene, version=FAR))
    assert scene.look() == Taken(chosen(2, NEW), NEW)
    scene.repository.refresh(now_s=NEW_S)
    scene.retain(scene.files())
    return _healed(scene, refused(scene, "must be >="))


def _rollouts_far_ahead(scene: Scene) -> str:
    """A rollout number far ahead, so that the operator's next one is older."""
    scene.retain(with_rollouts(scene, _choosing(NEW, FAR)))
    assert scene.look() == Taken(chosen(FAR, NEW), NEW)
    scene.repository.refresh(now_s=NEW_S)
    scene.repository.refresh(now_s=NEW_S)
    scene.retain(scene.files())
    happened = refused(scene, "after|Expected|must be >=")
    return _healed(scene, happened)


def _forgotten(scene: Scene) -> str:
    """A rollout taken away: the board stays with what it runs, and forgets no number."""
    scene.retain(with_rollouts(scene, lambda rollouts: rollouts.signed.targets.clear()))
    assert scene.look() == Taken(None, None)
    forgot = with_rollouts(scene, _choosing(OLD, 1))
    scene.retain({**forgot, **pinned(scene, rollouts=_rollouts_of(forgot), version=9)})
    return _healed(scene, refused(scene, "rollout 1 after 2"))


def _rollouts_of(files: Files) -> tuple[int, bytes]:
    name = next(each for each in files if "rollout" in each)
    return int(name.partition(".")[0]), files[name]


def _only_vouched(scene: Scene) -> str:
    """What a thief can do: choose another package that the offline keys vouch for."""
    scene.retain(with_rollouts(scene, _choosing(OLD)))
    assert scene.look() == Taken(chosen(3, OLD), OLD)
    return "as promised: it may choose what is vouched for, nothing else"


def _row(name: str, tried: str, alter: Alter, why: str) -> UpdateAttack:
    return UpdateAttack(f"stolen key: {name}", tried, partial(_stolen, alter=alter, why=why))


STOLEN = (
    _row("package of its own", "nobody vouches for it", _choosing(EVIL), "no offline key"),
    _row("vouches itself", "signs the plan too", _own_plan, "no offline key"),
    _row("plan as a rollout", "... where the key may sign", _plan_as_rollout, "no offline key"),
    _row("other bytes", "a true path, another digest", _other_bytes, "not the one"),
    _row("same number", "another choice, same number", _same_number, "two rollouts of number 2"),
    _row("lower number", "the choice of 60 days ago", _choosing(OLD, 1), "rollout 1 after 2"),
    _row("no document", "a rollout that is none", _said("[]"), "Expected `object`"),
    _row("no number", "a rollout without one", _said({"state": "running"}), "missing required"),
    UpdateAttack("stolen key: another group", "a package for the lab alone", _for_another_group),
    UpdateAttack("stolen key: withdrawn package", "what is vouched for no more", _withdrawn),
    UpdateAttack("stolen key: old targets", "in a new snapshot", _old_targets),
    UpdateAttack("stolen key: date far ahead", "five years: all is expired", _dated_ahead),
    UpdateAttack("stolen key: date a bit ahead", "80 days: the truth is old", _dated_a_bit_ahead),
    UpdateAttack("stolen key: versions far ahead", "nothing true is new enough", _far_ahead),
    UpdateAttack("stolen key: number far ahead", "no true rollout is newer", _rollouts_far_ahead),
    UpdateAttack("stolen key: rollout taken away", "then the first one again", _forgotten),
    UpdateAttack("stolen key: what it can do", "chooses an older release", _only_vouched),
)
