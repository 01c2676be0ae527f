from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, TypeAlias, TypedDict, final

import numpy as np
import numpy.typing as npt
from typing_extensions import Self, Unpack

__all__ = [
    "Event",
    "EventIterator",
    "Hypothesis",
    "Model",
    "Recognizer",
    "Stream",
    "Transcript",
    "Word",
    "__version__",
    "execute",
]

__version__: str

_Samples: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.int16]
"""Mono samples of one dimension, contiguous: float32 in [-1, 1], or int16."""

_Preset: TypeAlias = Literal["balanced", "low_latency", "accurate"]
_Precision: TypeAlias = Literal["auto", "f32", "int8"]
_Chunk: TypeAlias = Literal["streaming", "offline", "shortest"] | int
_Finals: TypeAlias = Literal["second_pass", "first_pass"]
_Lines: TypeAlias = str | Sequence[str]

class _RecognizerOptions(TypedDict, total=False):
    endpoint: bool
    endpoint_silence: float | None
    early_endpoint: float | None
    longest_utterance: float | None
    gate: bool
    nbest: int
    words: _Lines | None
    hotwords: _Lines | None
    grammar: _Lines | None
    grammar_threshold: float | None
    keywords: _Lines | None
    formatting: bool | None
    spoken_punctuation: bool

def execute(argv: Sequence[str]) -> int: ...
@final
class Model:
    @staticmethod
    def builtin(
        *,
        preset: _Preset = "balanced",
        second_model: str | PathLike[str] | None = None,
        precision: _Precision = "auto",
        chunk: _Chunk | None = None,
        finals: _Finals | None = None,
    ) -> Model: ...
    @staticmethod
    def load(
        folder: str | PathLike[str],
        *,
        preset: _Preset = "balanced",
        second_model: str | PathLike[str] | None = None,
        precision: _Precision = "auto",
        chunk: _Chunk | None = None,
        finals: _Finals | None = None,
    ) -> Model: ...
    @property
    def name(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def has_second_pass(self) -> bool: ...
    def finish_loading(self) -> None: ...
    def transcribe(
        self, audio: str | PathLike[str] | bytes, /, **options: Unpack[_RecognizerOptions]
    ) -> Transcript: ...

@final
class Recognizer:
    def __new__(
        cls,
        model: Model,
        *,
        endpoint: bool = True,
        endpoint_silence: float | None = None,
        early_endpoint: float | None = None,
        longest_utterance: float | None = None,
        gate: bool = False,
        nbest: int = 1,
        words: _Lines | None = None,
        hotwords: _Lines | None = None,
        grammar: _Lines | None = None,
        grammar_threshold: float | None = None,
        keywords: _Lines | None = None,
        formatting: bool | None = None,
        spoken_punctuation: bool = True,
    ) -> Self: ...
    @property
    def model(self) -> Model: ...
    def stream(self, sample_rate: int = 16_000) -> Stream: ...
    def transcribe(self, audio: str | PathLike[str] | bytes, /) -> Transcript: ...

@final
class Stream:
    @property
    def sample_rate(self) -> int: ...
    @property
    def position(self) -> float: ...
    def accept(self, samples: _Samples, /) -> None: ...
    def skip(self, samples: int, /) -> None: ...
    def flush(self) -> None: ...
    def finish(self) -> None: ...
    def reset(self) -> None: ...
    def next_event(self) -> Event | None: ...
    def set_hotwords(self, hotwords: _Lines | None, /) -> None: ...
    def set_grammar(self, grammar: _Lines | None, /, threshold: float | None = None) -> None: ...
    def set_keywords(self, keywords: _Lines | None, /) -> None: ...
    def __iter__(self) -> EventIterator: ...

@final
class EventIterator:
    def __iter__(self) -> Self: ...
    def __next__(self) -> Event: ...

@final
class Event:
    @property
    def kind(self) -> Literal["partial", "final", "keyword"]: ...
    @property
    def utterance(self) -> int | None: ...
    @property
    def text(self) -> str: ...
    @property
    def raw_text(self) -> str: ...
    @property
    def stable_text(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def grammar(self) -> Literal["phrase", "out_of_grammar"] | None: ...
    @property
    def fit(self) -> float | None: ...
    @property
    def keyword(self) -> int | None: ...
    @property
    def is_final(self) -> bool: ...
    @property
    def words(self) -> tuple[Word, ...]: ...
    @property
    def nbest(self) -> tuple[Hypothesis, ...]: ...
    def to_dict(self) -> dict[str, Any]: ...

@final
class Word:
    @property
    def text(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def confidence(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Hypothesis:
    @property
    def text(self) -> str: ...
    @property
    def score(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Transcript:
    @property
    def utterances(self) -> tuple[Event, ...]: ...
    @property
    def text(self) -> str: ...
    @property
    def duration(self) -> float: ...
