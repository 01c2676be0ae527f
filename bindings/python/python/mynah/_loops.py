"""Loops around a stream: samples of an iterable in, an iterator of events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mynah._errors import InternalError

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
        events, error = await asyncio.to_thread(_executed, stream, stream.accept, block)
        for event in events:
            yield event
        if error:
            raise error
    events, error = await asyncio.to_thread(_executed, stream, stream.finish)
    for event in events:
        yield event
    if error:
        raise error


class AsyncStream:
    """A stream for `asyncio`: one task accepts samples, another one iterates over the events.

    >>> stream = mynah.AsyncStream(recognizer, sample_rate=16_000)
    >>> await stream.accept(samples)  # in one task
    >>> async for event in stream:  # in another, up to `finish`
    ...     print(event.text)

    Threads compute, and the loop goes on. Events wait in a queue until they are asked for. A call that is cancelled
    while a thread executes it is executed to its end: its events are in the queue before `CancelledError` is raised.
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
            await self._execute(self._stream.accept, samples)

    async def flush(self) -> None:
        """Ends the utterance. Samples may follow."""
        async with self._turn:
            await self._execute(self._stream.flush)

    async def finish(self) -> None:
        """Ends the stream: its last events follow, then the iteration ends, after an error too."""
        async with self._turn:
            try:
                await self._execute(self._stream.finish)
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

    async def _execute(self, call: Callable[..., None], *arguments: Any) -> None:
        """Executes a call of the stream on a thread, and puts its events into the queue. Needs the turn."""
        running = asyncio.get_running_loop().run_in_executor(None, _executed, self._stream, call, *arguments)
        cancelled = None
        while not running.done():
            try:
                await asyncio.wait([running])
            except asyncio.CancelledError as error:  # A thread can't be stopped.
                cancelled = error
        events, failure = running.result()
        for event in events:
            self._events.put_nowait(event)
        if cancelled:
            raise cancelled
        if failure:
            raise failure


def _executed(stream: Stream, call: Callable[..., None], *arguments: Any) -> tuple[list[Event], Exception | None]:
    """Executes a call of a stream; gives the events that are there then, and the call's error."""
    try:
        call(*arguments)
    except InternalError as defect:  # The stream gives nothing any more.
        return [], defect
    except Exception as error:
        return list(stream), error
    return list(stream), None
