"""A TCP proxy that can be cut, shut and held: a bad network in front of a good broker.

    client --> proxy --> target        on a thread of its own, which runs asyncio

It looks into nothing and changes no byte; it counts them.
"""

import asyncio
import contextlib
import random
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Self, TypeVar

_READ_BYTES = 1 << 16
_MIB = 1 << 20
_LOOPBACK = "127.0.0.1"
_Result = TypeVar("_Result")


class TcpProxy:
    """A context manager. Every method may be called from any thread, and returns when it is done.

    Args:
        target: Host and port; asked for anew with each connection, so it may come and go.
        cut_chance: That a connection is cut off, with each MiB that it has brought; in [0, 1].
    """

    def __init__(self, target: tuple[str, int], *, cut_chance: float = 0.0) -> None:
        self._target = target
        self._cut_chance = cut_chance
        self._chances = random.Random(1)  # noqa: S311 - no secret
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = True
        self._cuts = 0
        self._flowing = asyncio.Event()
        self.port = 0  # where it listens, once it does
        self.sent_bytes = self.brought_bytes = 0  # to the target, and from it
        self.cut_off = 0  # connections, by chance

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy")
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break all connections off; new ones are let in."""
        self._run(self._cut())

    def shut(self) -> None:
        """Break all connections off, and turn new ones away."""
        self._run(self._shut())

    def hold(self) -> None:
        """Let nothing pass, and tell nobody: a link that is dead and looks alive."""
        self._run(self._hold())

    def restore(self) -> None:
        """Let everything pass again, also what was held."""
        self._run(self._restore())

    def _run(self, action: Coroutine[None, None, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(action, self._loop).result()

    async def _start(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, _LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._flowing.set()
        await self._cut()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    async def _cut(self) -> None:
        self._cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    async def _shut(self) -> None:
        self._open = False
        await self._cut()

    async def _hold(self) -> None:
        self._flowing.clear()

    async def _restore(self) -> None:
        self._open = True
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        cuts = self._cuts
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._writers |= ends
        if self._cuts > cuts:  # while it was being made
            await self._cut()
        try:
            await asyncio.gather(self._send(reader, back), self._bring(there, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _send(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        async for count in self._pump(reader, back):
            self.sent_bytes += count

    async def _bring(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        brought = 0
        async for count in self._pump(there, writer):
            self.brought_bytes += count
            brought += count
            if brought >= _MIB:
                brought -= _MIB
                if self._chances.random() < self._cut_chance:
                    self.cut_off += 1
                    writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> AsyncIterator[int]:
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
                yield len(data)
        writer.close()
