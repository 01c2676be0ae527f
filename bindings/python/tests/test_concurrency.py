"""Threads, tasks and signals: the interpreter goes on while Mynah computes."""

import asyncio
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import mynah


class Ticker(threading.Thread):
    """Counts while it runs, a thousand times a second at most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ticks = 0

    def run(self) -> None:
        while True:
            self.ticks += 1
            time.sleep(0.001)


@pytest.fixture(scope="module")
def ticker():
    ticker = Ticker()
    ticker.start()
    return ticker


def test_a_thread_goes_on_during_each_long_call(ticker, recognizer, samples):
    """Each of these is one call of native code, without a moment at which a thread could be switched to otherwise."""
    before = ticker.ticks
    mynah.Model.builtin()
    assert ticker.ticks - before > 20
    stream = recognizer.stream()
    stream.accept(samples)
    before = ticker.ticks
    stream.flush()
    assert ticker.ticks - before > 20


def test_threads_share_a_recognizer(recognizer, samples, text):
    texts = []

    def recognize() -> None:
        stream = recognizer.stream()
        stream.accept(samples)
        stream.finish()
        texts.append([event.text for event in stream if event.is_final])

    threads = [threading.Thread(target=recognize) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [[text]] * 3


def test_threads_share_a_stream(recognizer, samples):
    """Whatever the order, each block is accepted once."""
    stream = recognizer.stream()
    blocks = np.split(samples, 4) if len(samples) % 4 == 0 else np.array_split(samples, 4)
    threads = [threading.Thread(target=stream.accept, args=(block,)) for block in blocks]
    for thread in threads:
        thread.start()
    events = list(stream)
    for thread in threads:
        thread.join()
    stream.finish()
    events += list(stream)
    assert stream.position == len(samples) / 16_000
    assert [event.kind for event in events].count("final") >= 1


async def blocks_of(samples):
    for start in range(0, len(samples), 8_000):
        await asyncio.sleep(0)
        yield samples[start : start + 8_000]


def test_recognize_async_yields_events_while_other_tasks_run(recognizer, samples, text):
    async def main():
        turns = 0

        async def other():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.001)

        task = asyncio.create_task(other())
        events = [event async for event in mynah.recognize_async(recognizer, blocks_of(samples))]
        task.cancel()
        return events, turns

    events, turns = asyncio.run(main())
    assert [event.text for event in events if event.is_final] == [text]
    assert events[0].kind == "partial" and turns > 20


def test_an_async_stream_has_a_producer_and_a_consumer(recognizer, samples, text):
    async def main():
        stream = mynah.AsyncStream(recognizer)

        async def produce():
            async for block in blocks_of(samples):
                await stream.accept(block)
            await stream.flush()
            await stream.finish()

        task = asyncio.create_task(produce())
        events = [event async for event in stream]
        await task
        assert [event async for event in stream] == []
        with pytest.raises(mynah.StateError):
            await stream.accept(samples)
        return events

    assert [event.text for event in asyncio.run(main()) if event.is_final] == [text]


def test_a_cancelled_call_of_an_async_stream_loses_no_event(recognizer, samples, text):
    async def main():
        stream = mynah.AsyncStream(recognizer)
        calls = [stream.accept(samples[:48_000]), stream.accept(samples[48_000:]), stream.finish()]
        for call in calls:
            task = asyncio.create_task(call)
            await asyncio.sleep(0.01)  # A thread executes it.
            assert task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return [event async for event in stream]

    events = asyncio.run(asyncio.wait_for(main(), 60))
    assert events[0].kind == "partial"
    assert [event.text for event in events if event.is_final] == [text]


def test_a_cancelled_call_keeps_its_turn_until_its_thread_ends(recognizer, samples):
    async def main():
        stream = mynah.AsyncStream(recognizer)
        first = asyncio.create_task(stream.accept(samples))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(stream.flush())
        first.cancel()
        await asyncio.sleep(0.01)
        assert not first.done() and not second.done()
        await second
        assert first.cancelled()
        await stream.finish()
        return [event.kind async for event in stream]

    kinds = asyncio.run(asyncio.wait_for(main(), 60))
    assert kinds[-1] == "final" and "partial" in kinds


class Broken:
    """A recognizer of streams whose `finish` fails behind an event."""

    def stream(self, sample_rate):
        return self

    def finish(self):
        raise mynah.EncoderError("no encoder")

    def __iter__(self):
        return iter(["the last event"])


def test_an_async_stream_ends_behind_its_last_events_when_finish_fails():
    async def main():
        stream = mynah.AsyncStream(Broken())
        with pytest.raises(mynah.EncoderError):
            await stream.finish()
        return [event async for event in stream]

    assert asyncio.run(asyncio.wait_for(main(), 10)) == ["the last event"]


def test_an_interrupted_finish_can_be_repeated(recognizer, samples):
    class Interrupted(Exception):
        pass

    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        stream = recognizer.stream()
        for call in (lambda: stream.accept(np.tile(samples, 20)), stream.finish):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Interrupted):
                call()
        assert 0 < stream.position < 20 * len(samples) / 16_000
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    stream.finish()
    assert stream.position == 20 * len(samples) / 16_000
    assert [event.is_final for event in stream][-1]
    with pytest.raises(mynah.StateError):
        stream.accept(samples)


def test_ctrl_c_interrupts_a_call(recording):
    """Of a file that takes longer than the test waits."""
    program = "import mynah, sys; m = mynah.Model.builtin(chunk='offline'); print('loaded', flush=True); m.transcribe(sys.argv[1])"
    process = subprocess.Popen(
        [sys.executable, "-c", program, recording(200)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "loaded\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT and "KeyboardInterrupt" in errors
