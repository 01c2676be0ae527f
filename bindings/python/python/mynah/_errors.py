"""What Mynah's calls raise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mynah._mynah import Transcript


class Error(Exception):
    """The base of all that Mynah raises of its own. The message says in one line what, where and what to do."""

    transcript: Transcript | None = None
    """What was recognized before the error, where a file was being transcribed."""


class ConfigError(Error, ValueError):
    """A value is out of its range, or is nothing that the model can do: a phrase that can't be spelled, say."""


class FileError(Error, OSError):
    """A file can't be opened or read. The message has the path; `errno`, `strerror` and `filename` are those of `OSError`."""

    def __init__(self, message: str, errno: int | None = None, filename: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.strerror = None if errno is None else os.strerror(errno)
        self.filename = filename

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.errno, self.filename), self.__dict__


class AudioError(Error):
    """A file is not audio that can be decoded, or breaks off."""


class ModelError(Error):
    """A file of a model is missing, broken, or contradicts another."""


class SamplesError(Error, ValueError):
    """A sample is not a finite number. None of the call's samples was accepted."""


class EncoderError(Error):
    """The encoder can't be run. Reset the stream before going on."""


class StateError(Error):
    """The call does not fit what was called before: samples after `Stream.finish`."""


class InternalError(Error):
    """A defect of Mynah; please report the message. Its stream refuses all further calls."""
