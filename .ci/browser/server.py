"""`mynah serve` on a port of its own."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

PATIENCE_SECONDS = 30


class Server:
    """A server process, restarted at will on the same port."""

    def __init__(self, mynah, log, token=None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._command = [mynah, "serve", "--listen", f"127.0.0.1:{self.port}"]
        self._environment = os.environ | ({"MYNAH_TOKEN": token} if token else {})
        self._log = log
        self.process = None
        self.start()

    def start(self):
        """Starts the process and waits until it answers."""
        self.process = subprocess.Popen(self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=self._log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"mynah serve ended with status {self.process.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"mynah serve does not answer within {PATIENCE_SECONDS} s")
            time.sleep(0.05)

    def kill(self):
        """Ends the process at once, as a power failure does."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()

    def pause(self):
        """Stops the process, so that it reads nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        """Lets a paused process go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    def _answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=1).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
