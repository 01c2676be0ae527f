"""A running `mynah`, and what it prints when."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time

PATIENCE = 40


def fail(reason):
    sys.exit(f"faults: {reason}")


class Program:
    """A process whose lines are kept with the time at which they came."""

    def __init__(self, name, command, files=None, **options):
        """`files` is how many it may have open."""
        self.name = name
        self.out, self.err = [], []
        # Standard output as a whole: what is dictated has no lines.
        self.text = ""
        options.setdefault("stdout", subprocess.PIPE)

        def prepare():
            # A script's background processes ignore SIGINT unless told otherwise.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=prepare, **options)
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            if stream is not None:
                threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    def _read(self, stream, lines):
        rest = b""
        while piece := os.read(stream.fileno(), 1 << 16):
            if lines is self.out:
                self.text += piece.decode(errors="replace")
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                text = line.decode(errors="replace")
                if "panicked" in text:
                    print(f"{self.name}: {text}", file=sys.stderr)
                    os._exit(1)
                lines.append((time.monotonic(), text))

    def send(self, number):
        os.kill(self.process.pid, number)

    def events(self, kind, since=0):
        """The JSON lines of a type from the line `since` on."""
        lines = [json.loads(line) for _, line in self.out[since:]]
        return [line for line in lines if line["type"] == kind]

    def warnings(self, words, since=0):
        return [line for _, line in self.err[since:] if words in line]

    def wait_for(self, what, found, patience=PATIENCE):
        """Waits until `found` gives something, and gives it."""
        deadline = time.monotonic() + patience
        while not (value := found()):
            if time.monotonic() > deadline:
                self.explain(f"{what}: not within {patience} s")
            if self.process.poll() is not None and not found():
                self.explain(f"{what}: the program ended with status {self.process.returncode}")
            time.sleep(0.05)
        return value

    def end(self, status=0, patience=PATIENCE):
        """Waits for the end and checks the exit status."""
        try:
            found = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.explain(f"does not end within {patience} s")
        time.sleep(0.1)
        if found != status:
            self.explain(f"ended with status {found} in place of {status}")

    def explain(self, reason):
        for _, line in self.out[-5:] + self.err[-15:]:
            print(f"{self.name}: {line[:300]}", file=sys.stderr)
        self.kill()
        fail(f"{self.name}: {reason}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024 / 1e6


def lost_seconds(program, since=0):
    """The audio that the program has warned of as lost."""
    return sum(float(line.split()[1]) for line in program.warnings("s of audio lost at", since))
