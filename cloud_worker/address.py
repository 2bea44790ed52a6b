"""Where a worker finds its broker, and under which name."""

import secrets

from broker.wire.certificate import common_name
from broker.wire.session import Address
from broker.wire.tls import TlsFiles
from broker.wire.topics import WorkerId
from cloud_worker.limits import Limits

_SPARE = 2  # questions on the way while others are acknowledged
_MOST = 65_535  # MQTT 5.0, section 3.1.2.11.3


def worker_address(host: str, port: int, limits: Limits, *, tls: TlsFiles | None = None) -> Address:
    """An address under the certificate's name, or under one that no worker had before.

    Raises:
        KeyFileError: the certificate cannot be read.
    """
    return Address(
        host=host,
        port=port,
        client_id=f"worker-{secrets.token_hex(8)}" if tls is None else common_name(tls.certificate),
        # As many as may wait here, so that the broker waits and not our memory grows.
        receive_maximum=min(_SPARE + limits.queue, _MOST),
        tls=tls,
    )


def worker_id(address: Address) -> WorkerId:
    """The worker's own part of its name: a certificate says `<pool>.<worker>`."""
    return WorkerId(address.client_id.rpartition(".")[2])
