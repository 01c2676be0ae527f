"""Teachers: models that hear 16 kHz samples and tell frame by frame what is said, or only the text.

A teacher is named `KIND:PATH` (`open_teacher`):

    transformers:PATH             wav2vec 2.0, XLS-R, HuBERT, wav2vec2-Conformer: whatever `AutoModelForCTC` loads
    transformers:PATH@LANGUAGE    MMS: the same with the adapter and the vocabulary of a language (`eng`)
    recipe:average.pt             an encoder trained here, for instance Whisper base's (`configs/whisper-base-ctc.json`)
    whisper:PATH                  Whisper by faster-whisper: text alone, for speech without transcripts (`label.py`)

PATH is a folder, or the name of a model in the hub's cache.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoint import load_checkpoint
from features import LogMel
from losses import WORD_DELIMITERS
from text import TOKENS, normalize

SAMPLE_RATE = 16000


@dataclass
class Heard:
    """What a teacher makes of a batch of recordings of one length."""

    texts: list[str]  # normalized
    confidences: list[float]  # 0 to 1, of each text: the geometric mean over its symbols
    log_probs: Tensor | None = None  # (batch, frames, symbol)
    hidden: Tensor | None = None  # (batch, frames, dim), below the output layer


class Teacher(ABC):
    """`hear` takes samples (batch, samples) in [-1, 1]. Those without posteriors have no symbols and no frames."""

    symbols: list[str] = []
    blank: int = 0
    frame_rate: float | None = None  # frames a second
    hidden_dim: int | None = None

    @abstractmethod
    def hear(self, samples: Tensor) -> Heard: ...


def best_path(log_probs: Tensor, symbols: list[str], blank: int) -> tuple[str, float]:
    """Return the greedy text of (frames, symbol) and its confidence."""
    best, ids = log_probs.max(-1)
    kept = (ids != blank) & (ids != ids.roll(1)).index_fill(0, torch.tensor([0]), True)
    said = [symbols[i] for i in ids[kept].tolist()]
    text = "".join(" " if s in WORD_DELIMITERS else s for s in said if len(s) == 1)
    return normalize(text), best[kept].mean().exp().item() if said else 0.0


def heard(log_probs: Tensor, hidden: Tensor, teacher: Teacher) -> Heard:
    paths = [best_path(row, teacher.symbols, teacher.blank) for row in log_probs]
    return Heard([text for text, _ in paths], [confidence for _, confidence in paths], log_probs, hidden)


class TransformersTeacher(Teacher):
    """A CTC model of `transformers`, with its own feature extractor and tokenizer."""

    def __init__(self, path: str, language: str | None):
        from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer

        # An adapter brings an output layer of its own size.
        chosen = {"target_lang": language} if language else {}
        resized = {"ignore_mismatched_sizes": True} if language else {}
        self.extractor = AutoFeatureExtractor.from_pretrained(path)
        if self.extractor.sampling_rate != SAMPLE_RATE:
            raise ValueError(f"{path}: hears {self.extractor.sampling_rate} Hz, expected {SAMPLE_RATE}")
        tokenizer = AutoTokenizer.from_pretrained(path, **chosen)
        self.model = AutoModelForCTC.from_pretrained(path, **chosen, **resized).eval().requires_grad_(False)
        # Some vocabularies have gaps, and some models have outputs beyond them.
        self.symbols = [""] * self.model.config.vocab_size
        for symbol, index in tokenizer.get_vocab().items():
            if index < len(self.symbols):
                self.symbols[index] = "|" if symbol == tokenizer.word_delimiter_token else symbol
        self.blank = tokenizer.pad_token_id
        self.frame_rate = SAMPLE_RATE / self.model.config.inputs_to_logits_ratio
        self.hidden_dim = self.model.config.hidden_size

    @torch.no_grad()
    def hear(self, samples: Tensor) -> Heard:
        inputs = self.extractor(list(samples.numpy()), sampling_rate=SAMPLE_RATE, return_tensors="pt")
        output = self.model(inputs.input_values, output_hidden_states=True)
        return heard(output.logits.float().log_softmax(-1), output.hidden_states[-1].float(), self)


class RecipeTeacher(Teacher):
    """An encoder of this recipe, its chunk as wide as its left context."""

    symbols = TOKENS
    frame_rate = 25.0

    def __init__(self, path: Path):
        self.model = load_checkpoint(path).requires_grad_(False)
        self.log_mel = LogMel(self.model.features)
        self.hidden_dim = self.model.config.dim
        self.model.head_norm.register_forward_hook(self.keep_hidden)

    def keep_hidden(self, _module, _inputs, output: Tensor) -> None:
        self.hidden = output.float()

    @torch.no_grad()
    def hear(self, samples: Tensor) -> Heard:
        left = self.model.config.left_context
        frames = self.log_mel(samples)
        # Whole blocks, silence behind; the encoder reads one frame beyond them.
        wanted = -(-(frames.shape[1] - 1) // (4 * left)) * 4 * left + 1
        frames = F.pad(frames, (0, 0, 0, wanted - frames.shape[1]), value=float(frames.min()))
        log_probs = self.model(frames, left, torch.zeros(len(frames), 1)).tokens
        return heard(log_probs, self.hidden, self)


class WhisperTeacher(Teacher):
    """Whisper, offline, for its text. Its confidence is that of its worst segment."""

    # Where only sampling would give a text, none is better; so the same recording always gives the same.
    OPTIONS = dict(language="en", beam_size=5, temperature=0.0, condition_on_previous_text=False)

    def __init__(self, path: str):
        from faster_whisper import WhisperModel

        self.model = WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=torch.get_num_threads())

    def hear(self, samples: Tensor) -> Heard:
        texts, confidences = [], []
        for row in samples.numpy():
            segments, _ = self.model.transcribe(row, **self.OPTIONS)
            segments = list(segments)
            texts.append(normalize(" ".join(s.text for s in segments)))
            worst = min((s.avg_logprob for s in segments), default=-torch.inf)
            confidences.append(float(torch.tensor(worst).exp()))
        return Heard(texts, confidences)


def open_teacher(name: str) -> Teacher:
    """Load the teacher named `KIND:PATH`."""
    kind, _, path = name.partition(":")
    if kind == "transformers" and path:
        path, _, language = path.partition("@")
        return TransformersTeacher(path, language or None)
    if kind == "recipe" and path:
        return RecipeTeacher(Path(path))
    if kind == "whisper" and path:
        return WhisperTeacher(path)
    raise ValueError(f"{name}: a teacher is transformers:PATH, transformers:PATH@LANGUAGE, recipe:PATH or whisper:PATH")
