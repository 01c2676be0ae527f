"""The command that the wheel installs."""

import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

import mynah

MYNAH = Path(sysconfig.get_path("scripts")) / "mynah"


def run(*arguments, command=(MYNAH,), **options) -> subprocess.CompletedProcess:
    environment = {"MYNAH_CONFIG": "/dev/null", "PATH": "/usr/bin:/bin"}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, env=environment, **options)


@pytest.mark.parametrize("command", [(MYNAH,), (sys.executable, "-m", "mynah")])
def test_the_command_transcribes(command, speech, text):
    done = run("transcribe", speech, command=command)
    assert (done.stdout, done.stderr, done.returncode) == (f"{text}\n", "", 0)


def test_the_status_is_the_commands(speech, tmp_path):
    failed = run("transcribe", speech, tmp_path / "none.wav")
    assert failed.returncode == 1 and "none.wav: No such file" in failed.stderr
    wrong = run("transcribe")
    assert wrong.returncode == 2 and "Usage: mynah transcribe" in wrong.stderr
    assert run("--version").stdout == f"mynah {mynah.__version__}\n"


def test_a_closed_pipe_is_no_error(speech):
    done = run("-c", f"set -o pipefail; {MYNAH} --licenses | head -1", command=("bash",))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_licences_are_of_what_the_wheel_contains():
    texts = run("--licenses").stdout
    for name in ["Copyright (c) 2022 OpenAI", "CC BY-SA 4.0", "tract-core ", "pyo3 ", "numpy "]:
        assert name in texts, name


def test_ctrl_c_ends_the_command_with_what_was_recognized(recording):
    process = subprocess.Popen(
        [MYNAH, "transcribe", recording(200)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130 and "interrupted" in errors and "Traceback" not in errors


def test_ctrl_c_ends_a_command_that_does_not_handle_it(tmp_path):
    """`lm build` of a text that never ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen([MYNAH, "lm", "build", pipe, "-o", tmp_path / "lm"], stderr=subprocess.PIPE)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT and errors == b""


def test_a_long_file_has_the_text_of_the_command(model, recording):
    """It is cut at pauses."""
    file = recording(11, silence=4.5)
    transcript = model.transcribe(file)
    assert run("transcribe", file).stdout == transcript.text + "\n"
    assert len(transcript.utterances) > 2
    assert [event.utterance for event in transcript.utterances] == list(range(len(transcript.utterances)))
