"""JSON objects of a fixed shape, checked at the door.

With msgspec and not pydantic, because this is what a board keeps in memory: 3 MiB instead of 13.
Settings and model packages, which are read by processes that end, stay with pydantic.
"""

from typing import Annotated, Self

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
Version = Annotated[int, msgspec.Meta(ge=1)]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object whose fields are known, typed and within bounds."""

    @classmethod
    def read(cls, data: bytes | str) -> Self:
        """Read JSON.

        Raises:
            ValueError: no JSON, or not of this shape; the message names the field.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None

    def write(self) -> bytes:
        """Write JSON that `read` takes.

        Raises:
            ValueError: a field is out of its bounds.
        """
        data = msgspec.json.encode(self)
        self.read(data)
        return data
