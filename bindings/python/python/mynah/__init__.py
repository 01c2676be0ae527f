"""A streaming speech recognizer that runs offline: samples in, text out while it is being said.

>>> import mynah
>>> model = mynah.Model.builtin()
>>> print(model.transcribe("speech.flac"))

Live samples go through a stream:

>>> stream = mynah.Recognizer(model).stream(sample_rate=16_000)
>>> stream.accept(samples)
>>> for event in stream:
...     print(event.kind, event.text)

`recognize` and `recognize_async` are loops around a stream. `mynah.ray` transcribes archives on a cluster.
"""

from mynah._errors import (
    AudioError,
    ConfigError,
    EncoderError,
    Error,
    FileError,
    InternalError,
    ModelError,
    SamplesError,
    StateError,
)
from mynah._loops import AsyncStream, recognize, recognize_async
from mynah._mynah import (
    Event,
    EventIterator,
    Hypothesis,
    Model,
    Recognizer,
    Stream,
    Transcript,
    Word,
    __version__,
)

__all__ = [
    "AsyncStream",
    "AudioError",
    "ConfigError",
    "EncoderError",
    "Error",
    "Event",
    "EventIterator",
    "FileError",
    "Hypothesis",
    "InternalError",
    "Model",
    "ModelError",
    "Recognizer",
    "SamplesError",
    "StateError",
    "Stream",
    "Transcript",
    "Word",
    "__version__",
    "recognize",
    "recognize_async",
]
