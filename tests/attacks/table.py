"""Every attack, in the order in which they are carried out."""

from tests.attacks.attack import Attack
from tests.attacks.forgers import FORGERS
from tests.attacks.keys import KEYS
from tests.attacks.packets import PACKETS
from tests.attacks.presences import PRESENCES
from tests.attacks.questions import QUESTIONS
from tests.attacks.replies import REPLIES
from tests.attacks.sessions import SESSIONS

ATTACKS: tuple[Attack, ...] = (
    *QUESTIONS,
    *REPLIES,
    *FORGERS,
    *SESSIONS,
    *PACKETS,
    *PRESENCES,
    *KEYS,
)
