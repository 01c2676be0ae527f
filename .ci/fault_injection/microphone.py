"""Faults of a microphone: unplugged, changed in rate, a process that is stopped or starved, clocks that jump.

microphone.py MYNAH SPEECH SHIM LONGEST_STOP

PulseAudio's null sink `speaker` is played to, and its monitor is recorded. After each fault the speech is played again: its words come, at
the time at which they were played.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from program import Program, fail, lost_seconds

# Recognition is compared by a word near the speech's beginning, which has to be where it was played, within so many seconds: ALSA's pulse
# plugin may hold a new recording back by more than a second, and drops that without a report when the process has been stopped.
ANCHOR, SLACK = "NOTHING", 4.0
PHRASE = "should like"


def pactl(*arguments):
    return subprocess.run(["pactl", *arguments], check=True, capture_output=True, text=True).stdout.strip()


class Microphone:
    def __init__(self, rate, channels):
        self.plug(rate, channels)

    def plug(self, rate, channels):
        self.module = pactl("load-module", "module-null-sink", "sink_name=speaker", f"rate={rate}", f"channels={channels}")

    def unplug(self):
        pactl("unload-module", self.module)


class Clock:
    """Compares times of words with when they were played."""

    def __init__(self, listen, speech):
        self.listen, self.speech, self.first = listen, speech, None
        command = ["sox", speech, "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-"]
        self.samples = subprocess.run(command, check=True, capture_output=True).stdout

    def check(self, fault, jumped=0.0):
        """Plays the speech; its final has the time at which it was played, `jumped` seconds later than the monotonic clock says."""
        seen, played = len(self.listen.out), self._play()
        word = self.listen.wait_for(f"{fault}: the words after it", lambda: self._anchor(seen))
        offset = word["start"] - played
        self.first = offset if self.first is None else self.first
        error = offset - self.first - jumped
        print(f"{fault}: words come, {error:+.2f} s from where they were played")
        if abs(error) > SLACK:
            self.listen.explain(f"{fault}: times are wrong by {error:.2f} s")

    def _play(self):
        """Gives when it began: a busy machine takes a while to start a player, so that waits for the samples."""
        command = ["pacat", "--playback", "--device=speaker", "--rate=16000", "--channels=1", "--format=s16le", "--latency-msec=50"]
        player = subprocess.Popen(command, stdin=subprocess.PIPE)
        time.sleep(0.7)
        played = time.monotonic()
        player.communicate(self.samples, timeout=60)
        return played

    def _anchor(self, seen):
        words = [word for final in self.listen.events("final", seen) for word in final["words"]]
        return next((word for word in words if word["text"] == ANCHOR), None)


def unplug(microphone, programs, clock):
    listen, dictate, spot = programs
    marks = [(len(program.out), len(program.err)) for program in programs]
    dictated = len(dictate.text)
    microphone.unplug()
    for program, (_, err) in zip(programs, marks):
        program.wait_for("the microphone's loss", lambda: program.warnings("waiting for it", err))
    time.sleep(1)
    microphone.plug(44_100, 1)
    for program, (_, err) in zip(programs, marks):
        program.wait_for("the microphone's return", lambda: program.warnings("is back", err))
    clock.check("unplugged, and back with another rate")
    if lost_seconds(listen, marks[0][1]) < 1:
        listen.explain("the outage is not counted as lost audio")
    dictate.wait_for("dictated text", lambda: "happy" in dictate.text[dictated:].lower())
    spot.wait_for("a hit", lambda: spot.events("keyword", marks[2][0]))


def stop(listen, seconds):
    listen.send(signal.SIGSTOP)
    time.sleep(seconds)
    listen.send(signal.SIGCONT)
    # Until what the sound server kept has been recognized.
    time.sleep(2)


def starve(listen, clock, seconds):
    """Lets the process run for a thirtieth of the time while it is spoken to."""
    player = subprocess.Popen(["paplay", "--device=speaker", clock.speech])
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        listen.send(signal.SIGSTOP)
        time.sleep(0.58)
        listen.send(signal.SIGCONT)
        time.sleep(0.02)
    player.wait()
    time.sleep(4)
    clock.check(f"starved for {seconds} s")


def main(mynah, speech, shim, longest_stop):
    jumps = Path(shim).with_suffix(".jumps")
    jumps.write_text("0 0\n")
    environment = {"LD_PRELOAD": shim, "CLOCK_JUMPS": str(jumps)}
    microphone = Microphone(48_000, 2)
    start = lambda name, *arguments, **more: Program(name, [mynah, *arguments], **more)
    listen = start("listen", "listen", "--format", "jsonl", env={**os.environ, **environment})
    dictate = start("dictate", "dictate", "--backend", "stdout")
    spot = start("spot", "spot", "--keyword", PHRASE, "--format", "jsonl")
    programs = [listen, dictate, spot]
    try:
        listen.wait_for("three recordings", lambda: len(pactl("list", "short", "source-outputs").splitlines()) == 3)
        clock = Clock(listen, speech)
        clock.check("undisturbed")
        unplug(microphone, programs, clock)
        for program in programs[1:]:
            program.send(signal.SIGINT)
        for program in programs[1:]:
            program.end()
        jumps.write_text("3600 0\n")
        stop(listen, 1)
        jumps.write_text("-3600 0\n")
        clock.check("stopped for 1 s, and the wall clock set forward and back")
        stop(listen, longest_stop)
        clock.check(f"stopped for {longest_stop} s")
        starve(listen, clock, 8)
        jumps.write_text("-3600 60\n")
        time.sleep(2)
        clock.check("machine suspended for 60 s", jumped=60)
        if lost_seconds(listen) < 60:
            fail("the time for which the machine was suspended is not counted as lost audio")
        listen.send(signal.SIGINT)
        listen.end()
    finally:
        for program in programs:
            program.kill()


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
