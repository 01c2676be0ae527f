"""The script `mynah`: the command, which is inside the native module."""

import signal
import sys

from mynah._mynah import execute


def main() -> int:
    """Executes the command line of this process, and returns the status to exit with."""
    # Ctrl-C is the command's, which ends what it is doing, and not Python's.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return execute(sys.argv)
