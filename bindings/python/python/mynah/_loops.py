"""Loops around a stream: samples of an iterable in, an iterator of events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mynah._mynah import Event, Recognizer, Stream, _Samples


def recognize(recognizer: Recognizer, blocks: Iterable[_Samples], *, sample_rate: int = 16_000) -> Iterator[Event]:
    """Recognizes blocks of samples of any length; yields events as they come, the last ones behind the last block.

    `sample_rate` is the blocks' rate in Hz. Raises what `Stream.accept` raises.
    """
    stream = recognizer.stream(sample_rate)
    for block in blocks:
        stream.accept(block)
        yield from stream
    stream.finish()
    yield from stream


async def recognize_async(
    recognizer: Recognizer, blocks: AsyncIterable[_Samples], *, sample_rate: int = 16_000
) -> AsyncIterator[Event]:
    """Recognizes blocks that come asynchronously; yields events as they come. Threads compute, and the loop goes on.

    `sample_rate` is the blocks' rate in Hz. A block is asked for when the one before it is recognized. Raises what
    `Stream.accept` raises.
    """
    stream = recognizer.stream(sample_rate)
    async for block in blocks:
        for event in await asyncio.to_thread(_accepted, stream, block):
            yield event
    for event in await asyncio.to_thread(_finished, stream):
        yield event


class AsyncStream:
    """A stream for `asyncio`: one task accepts samples, another one iterates over the events.

    >>> stream = mynah.AsyncStream(recognizer, sample_rate=16_000)
    >>> await stream.accept(samples)  # in one task
    >>> async for event in stream:  # in another, up to `finish`
    ...     print(event.text)

    Threads compute, and the loop goes on. Events wait in a queue until they are asked for.
    """

    def __init__(self, recognizer: Recognizer, *, sample_rate: int = 16_000) -> None:
        """Begins a stream of samples at a rate in Hz."""
        self._stream = recognizer.stream(sample_rate)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._is_over = False

    async def accept(self, samples: _Samples) -> None:
        """Recognizes samples, as `Stream.accept`. Calls are executed in their order."""
        async with self._turn:
            self._put(await asyncio.to_thread(_accepted, self._stream, samples))

    async def flush(self) -> None:
        """Ends the utterance. Samples may follow."""
        async with self._turn:
            self._put(await asyncio.to_thread(_flushed, self._stream))

    async def finish(self) -> None:
        """Ends the stream: its last events follow, then the iteration ends."""
        async with self._turn:
            try:
                self._put(await asyncio.to_thread(_finished, self._stream))
            finally:
                self._events.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._is_over:
            raise StopAsyncIteration
        event = await self._events.get()
        if event is None:
            self._is_over = True
            raise StopAsyncIteration
        return event

    def _put(self, events: list[Event]) -> None:
        for event in events:
            self._events.put_nowait(event)


def _accepted(stream: Stream, samples: _Samples) -> list[Event]:
    stream.accept(samples)
    return list(stream)


def _flushed(stream: Stream) -> list[Event]:
    stream.flush()
    return list(stream)


def _finished(stream: Stream) -> list[Event]:
    stream.finish()
    return list(stream)
