"""What the two sides agree on about signed metadata, besides what TUF says.

rollout/<group>/<package>.json       the online key's: who shall run what, now
<package>/<version>/<variant>.json   the offline keys': a plan that exists
root.signed                          the first TUF root, as the fleet's root vouches for it
"""

from typing import Final

from broker.wire.release import PackagePlan

ROLLOUT: Final = "rollout"  # the role that chooses, and the key in a target's `custom`
ROLLOUT_PATHS: Final = "rollout/*/*"
SIGNED_S: Final = "signed_s"  # in roots and timestamps: when it was signed, Unix time
ROOT_LABEL: Final = "release root"
ROOT_FILE: Final = "root.signed"


def rollout_path(group: str, package: str) -> str:
    """The target that holds a group's rollout of a package."""
    return f"{ROLLOUT}/{group}/{package}.json"


def is_rollout(path: str) -> bool:
    """Whether a target belongs to the online key. Offline keys vouch for no such path."""
    return path.startswith(f"{ROLLOUT}/")


def plan_path(plan: PackagePlan) -> str:
    """The target that a plan is."""
    return f"{plan.package}/{plan.version}/{plan.variant}.json"
