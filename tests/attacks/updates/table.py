"""Every attack on updates, in the order in which they are carried out."""

from tests.attacks.updates.attack import UpdateAttack
from tests.attacks.updates.forgeries import FORGERIES
from tests.attacks.updates.malformed import MALFORMED
from tests.attacks.updates.replays import REPLAYS
from tests.attacks.updates.sizes import SIZES
from tests.attacks.updates.stolen import STOLEN

UPDATE_ATTACKS: tuple[UpdateAttack, ...] = (*REPLAYS, *FORGERIES, *MALFORMED, *STOLEN, *SIZES)
