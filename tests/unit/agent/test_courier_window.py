"""How much is sent and not answered: a device that comes back must not drown its workers."""

from uuid import UUID

from agent.shell.courier import _MOST_WAITING
from broker.wire.session import IN_FLIGHT, Acknowledged
from tests.unit.agent.post_office import LISTENS, RESEND_S, SUCCESS, WORKER, Post

MORE = _MOST_WAITING + 2 * IN_FLIGHT


def queued(post: Post) -> None:
    """Many questions wait, and the link is back."""
    for number in range(MORE):
        post.put(number, due_s=post.clock.now_s)
    post.courier.online(IN_FLIGHT)
    post.courier.send_due()


def acknowledge_all(post: Post) -> None:
    """The broker takes whatever is published, as a broker does, and ticks pass."""
    done = 0
    while done < len(post.broker.taken):
        done += 1
        post.courier.acknowledged(Acknowledged(done, SUCCESS))
        if done == len(post.broker.taken):
            post.courier.send_due()


def test_a_broker_that_takes_everything_gets_no_more_than_workers_can_hold(post: Post) -> None:
    queued(post)

    acknowledge_all(post)

    assert len(set(post.broker.tickets)) == len(post.broker.tickets) == _MOST_WAITING


def test_each_answer_makes_room_and_nothing_is_sent_twice(post: Post) -> None:
    queued(post)
    acknowledge_all(post)

    answered = [UUID(int=number) for number in range(_MOST_WAITING)]
    post.outbox.settle(answered)
    post.courier.answered(answered)
    acknowledge_all(post)

    assert sorted(post.broker.tickets) == list(range(MORE))


def test_what_is_never_answered_makes_room_when_it_is_due_again(post: Post) -> None:
    queued(post)
    acknowledge_all(post)

    post.clock.now_s += 4 * RESEND_S
    post.courier.send_due()

    assert len(post.broker.taken) == _MOST_WAITING + IN_FLIGHT


def test_a_worker_that_comes_is_sent_what_others_never_answered(post: Post) -> None:
    queued(post)
    acknowledge_all(post)

    post.courier.heard_worker(WORKER, LISTENS)
    post.courier.send_due()

    assert len(post.broker.taken) == _MOST_WAITING + IN_FLIGHT
