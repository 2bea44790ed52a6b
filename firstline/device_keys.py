"""A device's keys, as they are once a renewal that a crash interrupted is finished."""

from pathlib import Path

from broker.wire.credentials import DeviceCredentials, load_device

STAGE = "renewal"  # in the folder of keys: new ones that are not in place yet
GRANTED = "answer.json"  # in there, once they are granted


def load_settled(keys: Path) -> DeviceCredentials:
    """Read a device's folder of keys.

    Raises:
        KeyFileError: they cannot be used.
        OSError: the disk refused.
    """
    if (keys / STAGE / GRANTED).exists():
        from firstline.renewing import settle  # noqa: PLC0415 - rare, and 5 MiB of certificates

        settle(keys)
    return load_device(keys)
