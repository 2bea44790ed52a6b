"""One question with personal data: who hears it, what is said to it, what it becomes."""

from uuid import UUID

from agent.stages import Delivery, Origin
from broker.wire.envelope import seal_reply
from broker.wire.messages import Answer, Question, Reply, dump_reply
from broker.wire.payload import Payload
from cloud_worker.errors import UnfitQuestionError
from cloud_worker.models import Instant
from tests.asker import DOMAIN
from tests.simulator import CloudSimulator
from tests.unit.agent.device import FIRST, TASK, Device

QUESTION = "mail bob@example.org please"
MASKED = "mail <EMAIL_1> please"


def expected(origin: Origin, answer: str, *flags: str) -> Delivery:
    """What QUESTION becomes, all but its time."""
    confidence, model = (1.0, "echo 1") if origin is Origin.CLOUD else (0.4, f"scripted {DOMAIN}")
    return Delivery(
        ticket=FIRST,
        task=TASK,
        source="a.txt",
        answer=answer,
        origin=origin,
        confidence=confidence,
        model=model,
        elapsed_ms=0.0,
        flags=flags,
    )


def heard(cloud: CloudSimulator) -> list[Payload]:
    """Have the cloud note what it reads."""
    payloads: list[Payload] = []
    complete = cloud.worker.completers[DOMAIN].complete

    def note(question: Question, deadline_s: float) -> Answer:
        payloads.append(question.payload)
        return complete(question, deadline_s)

    cloud.worker.completers = {DOMAIN: Instant("echo 1", note)}
    return payloads


def refusing(cloud: CloudSimulator, reason: str) -> None:
    """Have the cloud's model refuse every question."""

    def refuse(_question: Question, _deadline_s: float) -> Answer:
        raise UnfitQuestionError(reason)

    cloud.worker.completers = {DOMAIN: Instant("picky 1", refuse)}


def told(device: Device, reply: Reply) -> None:
    """Have who can read the first question say something."""
    key = device.pipeline.post.memo(FIRST).reply_key
    device.pipeline.finish(FIRST, seal_reply(dump_reply(reply), key))


def reply_to(device: Device, ticket: UUID, answer: str) -> bytes:
    """A true reply by who can read the question."""
    key = device.pipeline.post.memo(ticket).reply_key
    return seal_reply(dump_reply(Answer(answer, "large 1", 1.0)), key)


def carry_due(device: Device, cloud: CloudSimulator) -> list[type[Exception]]:
    """Carry what is due as the courier does: as a worker can open it."""
    due = device.outbox.due(device.clock.now_s)
    fresh = [device.pipeline.post.fresh(parcel) for parcel in due]
    return device.carry(cloud, *(parcel for parcel in fresh if parcel is not None))
