"""Recognizes a file through a server by each protocol; fails where words differ from the text.

serve_clients.py HTTP_ADDRESS WYOMING_ADDRESS AUDIO TEXT FOLDER

The folder holds the audio as 16-bit samples: 8000.pcm and 16000.pcm.
"""

import argparse
import asyncio
import json
import queue
import re
import sys
from pathlib import Path

import openai
import websockets
from vosk.transcriber.transcriber import Transcriber
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

CHUNK_SECONDS = 0.2


def words(text):
    return re.sub(r"[^a-z' ]", " ", text.lower().replace("\n", " ")).split()


def check(name, text, expected):
    if words(text) != words(expected):
        sys.exit(f"{name}: {text!r} instead of {expected!r}")
    print(f"{name}: ok")


def chunks(folder, rate):
    data = (folder / f"{rate}.pcm").read_bytes()
    size = int(rate * CHUNK_SECONDS) * 2
    return [data[at : at + size] for at in range(0, len(data), size)]


async def vosk(address, folder, rate, settings):
    """In lock step: each message has one answer."""
    texts, partials = [], []
    async with websockets.connect(f"ws://{address}") as socket:
        if settings is not None:
            await socket.send(json.dumps({"config": {"sample_rate": rate, **settings}}))
        for chunk in chunks(folder, rate):
            await socket.send(chunk)
            answer = json.loads(await asyncio.wait_for(socket.recv(), 30))
            if "partial" in answer:
                partials.append(answer["partial"])
            else:
                texts.append(answer)
        await socket.send('{"eof" : 1}')
        texts.append(json.loads(await asyncio.wait_for(socket.recv(), 30)))
        await socket.wait_closed()
        assert socket.close_code == 1000, socket.close_code
    assert any(partials), "no partial result"
    return texts


async def vosk_words(address, folder, expected):
    answers = await vosk(address, folder, 16000, {"words": True})
    text = " ".join(answer["text"] for answer in answers)
    check("Vosk's protocol", text, expected)
    assert text == text.lower()
    result = [word for answer in answers for word in answer.get("result", [])]
    assert [word["word"] for word in result] == text.split(), result
    assert all(word["start"] < word["end"] and 0 <= word["conf"] <= 1 for word in result), result
    # 8 kHz is what clients send that name no rate; half of the sound is missing there.
    answers = await vosk(address, folder, 8000, None)
    heard = words(" ".join(answer["text"] for answer in answers))
    common = set(heard) & set(words(expected))
    assert len(common) >= len(set(words(expected))) * 0.6, heard
    print("Vosk's protocol at 8 kHz: ok")


def vosk_transcriber(address, audio, folder, expected):
    """The client of Vosk's own package, without the model that its constructor downloads."""
    client, output = Transcriber.__new__(Transcriber), folder / "vosk.txt"
    client.args = argparse.Namespace(server=f"ws://{address}", tasks=1, output_type="txt")
    client.queue = queue.Queue()
    client.process_task_list([(Path(audio), str(output))])
    check("vosk-transcriber", output.read_text(), expected)


async def captions(address, folder, expected):
    """Unprompted results of formatted text."""
    finals, partials = [], 0
    async with websockets.connect(f"ws://{address}/ws") as socket:
        config = {"sample_rate": 16000, "events": True, "formatted": True, "words": False}
        await socket.send(json.dumps({"config": config}))
        for chunk in chunks(folder, 16000):
            await socket.send(chunk)
        await socket.send('{"eof": 1}')
        async for message in socket:
            event = json.loads(message)
            if "partial" in event:
                partials += 1
            else:
                finals.append(event["text"])
    check("captions", " ".join(finals), expected)
    assert partials and finals[0][0].isupper(), finals


async def wyoming(address, folder, expected):
    host, port = address.rsplit(":", 1)
    async with AsyncTcpClient(host, int(port)) as client:
        await client.write_event(Describe().event())
        info = Info.from_event(await client.read_event())
        assert info.asr[0].supports_transcript_streaming and info.asr[0].models[0].languages == ["en"]
        await client.write_event(Ping("here").event())
        assert Pong.from_event(await client.read_event()).text == "here"
        for _ in range(2):
            await client.write_event(Transcribe(language="en").event())
            await client.write_event(AudioStart(rate=16000, width=2, channels=1).event())
            for chunk in chunks(folder, 16000):
                await client.write_event(AudioChunk(rate=16000, width=2, channels=1, audio=chunk).event())
            await client.write_event(AudioStop().event())
            kinds, streamed, text = [], "", None
            while TranscriptStop().event().type not in kinds:
                event = await asyncio.wait_for(client.read_event(), 30)
                if event is None or event.type == "error":
                    sys.exit(f"Wyoming: {event} after {kinds}")
                kinds.append(event.type)
                if TranscriptChunk.is_type(event.type):
                    streamed += TranscriptChunk.from_event(event).text
                elif Transcript.is_type(event.type):
                    text = Transcript.from_event(event).text
            assert TranscriptStart.is_type(kinds[0]), kinds
            check("Wyoming", text, expected)
            check("Wyoming, streamed", streamed, expected)


def openai_client(address, audio, expected):
    client = openai.OpenAI(api_key="none", base_url=f"http://{address}/v1", max_retries=0)
    name = client.models.list().data[0].id

    def transcribe(**options):
        with open(audio, "rb") as file:
            return client.audio.transcriptions.create(model=name, file=file, **options)

    check("OpenAI, json", transcribe().text, expected)
    check("OpenAI, text", transcribe(response_format="text"), expected)
    for form, arrow in (("srt", ","), ("vtt", ".")):
        subtitles = transcribe(response_format=form)
        lines = [line for line in subtitles.splitlines() if not re.match(r"^(\d+|WEBVTT|.*-->.*)?$", line)]
        assert re.search(rf"\d\d{arrow}\d\d\d --> ", subtitles), subtitles
        check(f"OpenAI, {form}", " ".join(lines), expected)
    verbose = transcribe(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    check("OpenAI, verbose_json", " ".join(word.word for word in verbose.words), expected)
    assert verbose.duration > 1 and verbose.segments[0].end <= verbose.duration
    deltas, done = "", None
    for event in transcribe(stream=True):
        if event.type == "transcript.text.delta":
            deltas += event.delta
        elif event.type == "transcript.text.done":
            done = event.text
    check("OpenAI, streamed", done, expected)
    assert deltas == done
    try:
        client.audio.transcriptions.create(model=name, file=("a.wav", b"no audio at all"))
    except openai.BadRequestError as error:
        print(f"OpenAI, no audio: {error.body['message']}")
    else:
        sys.exit("what is no audio was taken for audio")


def main():
    http, wyoming_address, audio, text, folder = sys.argv[1:]
    expected, folder = Path(text).read_text(), Path(folder)
    asyncio.run(vosk_words(http, folder, expected))
    vosk_transcriber(http, audio, folder, expected)
    asyncio.run(captions(http, folder, expected))
    asyncio.run(wyoming(wyoming_address, folder, expected))
    openai_client(http, audio, expected)


main()
