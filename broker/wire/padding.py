"""Hide how long a message is, at little cost.

HPKE does not hide lengths (RFC 9180, section 9.7.6). Messages grow to a bucket: at least
256 bytes, then Padmé sizes (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files
and Communication with PURBs", PoPETs 2019, section 4), which cost at most 12 % and leave an
observer O(log log n) bits. The bucket counts the content: our own header's room is added to
it unrounded, so a content of a round size is not pushed into the next bucket.
"""

from broker.wire.errors import EnvelopeError

MIN_BUCKET_BYTES = 256
HEADER_ROOM_BYTES = 40
_END = b"\x80"  # ISO/IEC 7816-4: one 0x80, then zeros


def padded_bytes(length: int) -> int:
    """Size of the bucket into which `length` bytes, end mark included, go."""
    content = max(length - HEADER_ROOM_BYTES, MIN_BUCKET_BYTES - HEADER_ROOM_BYTES)
    exponent = content.bit_length() - 1
    free_bits = max(0, exponent - exponent.bit_length())
    mask = (1 << free_bits) - 1
    return ((content + mask) & ~mask) + HEADER_ROOM_BYTES


def pad(message: bytes) -> bytes:
    """Fill a message up to its bucket."""
    marked = message + _END
    return marked.ljust(padded_bytes(len(marked)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Take the filling off again.

    Raises:
        EnvelopeError: there is no end mark, or the bucket is not the right one.
    """
    marked = padded.rstrip(b"\0")
    if not marked.endswith(_END) or len(padded) != padded_bytes(len(marked)):
        raise EnvelopeError("envelope does not open")
    return marked[: -len(_END)]
