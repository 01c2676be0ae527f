"""Faults of processes and disks: starved, full, terminated, killed, stalled.

files.py MYNAH SPEECH REPEATED [DISK]

REPEATED is the speech four times with pauses that end utterances; DISK a small file system of its own.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from program import Program, fail, lost_seconds

SENTENCE = "There is nothing in the world that I should like better than to see you happy."
# The repeated speech and its pause, in seconds.
PERIOD = 4.585 + 2
# The largest difference of a word's place between repetitions.
SLACK = 0.1
# What a pipe holds at least.
PIPE_BYTES = 4096


def listen(mynah, name, file, *arguments, **options):
    command = [mynah, "listen", "--file", file, "--realtime", "--format", "jsonl", "--partials", *arguments]
    return Program(name, command, **options)


def starved(mynah, repeated):
    """A worker far slower than real time."""
    program = listen(mynah, "starved", repeated)
    program.wait_for("a partial", lambda: program.events("partial"))
    for _ in range(4):
        program.send(signal.SIGSTOP)
        time.sleep(2.9)
        program.send(signal.SIGCONT)
        time.sleep(0.1)
    program.end()
    lost, last = lost_seconds(program), program.events("final")[-1]
    place = next(word["start"] for word in last["words"] if word["text"] == "NOTHING")
    expected = 0.66 + 3 * PERIOD
    if lost < 2 or abs(place - expected) > SLACK:
        program.explain(f"{lost:.1f} s were lost; the last sentence stands at {place:.2f} s, not {expected:.2f}")
    if last["formatted"] != SENTENCE:
        program.explain(f"captions do not recover: {last['formatted']!r}")
    print(f"starved: {lost:.1f} s lost and counted, captions recover, times stay true")


def full_while_saving(mynah, repeated, disk):
    """The disk fills before the first caption, and has room again before the third."""
    filler = disk / "filler"
    saved = disk / "captions.srt"
    saved.touch()
    fill(filler)
    program = listen(mynah, "full disk", repeated, "-o", str(saved))
    program.wait_for("a warning", lambda: program.warnings("No space left on device"))
    program.wait_for("a second caption", lambda: len(program.events("final")) == 2)
    filler.unlink()
    program.end()
    cues = [block for block in saved.read_text().split("\n\n") if block]
    texts = " ".join(" ".join(cue.split("\n")[2:]) for cue in cues)
    if texts.count(SENTENCE) != 4:
        program.explain(f"captions are missing in {saved.read_text()!r}")
    print("full disk while captions are saved: a warning, and all of them once there is room")


def full_transcript(mynah, speech, disk):
    """What was in the file stays, and the program says why it fails."""
    filler, output = disk / "filler", disk / "transcript.txt"
    output.write_text("what was there\n")
    fill(filler)
    run = subprocess.run([mynah, "transcribe", speech, "-o", output], capture_output=True, text=True)
    filler.unlink()
    left = [path.name for path in disk.iterdir() if path.name.startswith("transcript")]
    if run.returncode != 1 or "No space left on device" not in run.stderr or str(output) not in run.stderr:
        fail(f"full disk: status {run.returncode}, {run.stderr!r}")
    if output.read_text() != "what was there\n":
        fail(f"full disk: the output holds {output.read_text()!r}")
    print(f"full disk while a transcript is written: status 1 and the reason; the old file stays; left there: {left}")


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 1024)
        except OSError:
            return


def terminated(mynah, speech, folder):
    """SIGTERM in the middle of an utterance: its words are its final, on disk."""
    saved = folder / "terminated.txt"
    program = listen(mynah, "SIGTERM", speech, "-o", str(saved))
    words = program.wait_for("a partial", lambda: [e for e in program.events("partial") if len(e["words"]) >= 4])
    program.send(signal.SIGTERM)
    program.end()
    finals = program.events("final")
    if len(finals) != 1 or len(finals[0]["words"]) < len(words[0]["words"]) - 1 or saved.read_text() != finals[0]["formatted"] + "\n":
        program.explain(f"the utterance's final is not on disk: {finals}, {saved.read_text()!r}")
    print("SIGTERM in the middle of an utterance: its final is on disk")


def killed(mynah, repeated, folder):
    """SIGKILL in the middle of the second utterance: the first one's final is on disk in every format."""
    outputs = [folder / f"killed.{kind}" for kind in ("txt", "srt", "vtt", "jsonl")]
    programs = [listen(mynah, "SIGKILL", repeated, "-o", str(output)) for output in outputs]
    for program in programs:
        program.wait_for("the first final", lambda: program.events("final"))
        program.wait_for("the second utterance", lambda: [e for e in program.events("partial") if e["utterance"] == 1])
        program.kill()
    for output, program in zip(outputs, programs):
        if " ".join(SENTENCE.split()) not in " ".join(output.read_text().split()):
            program.explain(f"{output.name} lacks the first final: {output.read_text()!r}")
    print("SIGKILL in the middle of an utterance: the last final is on disk as text, SRT, WebVTT and JSON lines")


def terminated_transcript(mynah, speech, folder):
    """SIGTERM while a long file is transcribed: what was recognized is kept."""
    long, output = folder / "long.wav", folder / "transcript.txt"
    subprocess.run(["sox", speech, long, "repeat", "200"], check=True)
    program = Program("transcribe", [mynah, "transcribe", "--single-pass", "--decoding", "greedy", long, "-o", output])
    part = Path(f"{output}.part")
    program.wait_for("a part of the transcript", lambda: part.exists())
    time.sleep(4)
    program.send(signal.SIGTERM)
    program.end(130)
    if output.exists() or not part.read_text() or not program.warnings("interrupted; what was recognized is in"):
        program.explain("what was recognized is not kept")
    print("SIGTERM while a file is transcribed: what was recognized is in its part")


def stalled_pipe(mynah, repeated, folder):
    """Nobody reads standard output: captions go on into their file, and the second interrupt ends the program."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    saved = folder / "stalled.txt"
    program = listen(mynah, "stalled pipe", repeated, "-o", str(saved), stdout=writing)
    os.close(writing)
    program.wait_for("a caption in the file", lambda: saved.exists() and saved.read_text().count(SENTENCE) >= 2)
    program.send(signal.SIGINT)
    # The last words are on disk before anybody reads standard output.
    time.sleep(2)
    if program.process.poll() is not None:
        program.explain("does not wait for the reader of standard output")
    program.send(signal.SIGINT)
    program.end(130, 10)
    os.set_blocking(reading, False)
    got = os.read(reading, 1 << 20).decode()
    whole = [json.loads(line) for line in got.split("\n")[:-1]]
    if not whole:
        program.explain("standard output has no whole line")
    os.close(reading)
    print(f"stalled pipe: {len(saved.read_text().splitlines())} captions in the file, and an end after the second Ctrl-C")


def main(mynah, speech, repeated, disk=None):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        tasks = [
            (starved, repeated), (terminated, speech, folder), (killed, repeated, folder), (stalled_pipe, repeated, folder),
            (terminated_transcript, speech, folder),
        ]
        # One after the other on one disk.
        on_disk = lambda mynah: (full_transcript(mynah, speech, Path(disk)), full_while_saving(mynah, repeated, Path(disk)))
        if disk:
            tasks.append((on_disk,))
        failures = []

        def run(task, arguments):
            try:
                task(mynah, *arguments)
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=run, args=(task, arguments)) for task, *arguments in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            sys.exit("\n".join(str(failure) for failure in failures))


if __name__ == "__main__":
    main(*sys.argv[1:])
