"""Streams: samples in, events out."""

import numpy as np
import pytest

import mynah


def finals(events) -> list[str]:
    return [event.text for event in events if event.is_final]


def test_partials_come_before_the_final(recognizer, samples, text):
    stream = recognizer.stream()
    kinds = []
    for block in np.split(samples, range(4_000, len(samples), 4_000)):
        stream.accept(block)
        kinds += [event.kind for event in stream]
    stream.finish()
    last = list(stream)
    assert kinds.count("partial") > 3
    assert finals(last) == [text]
    assert stream.position == len(samples) / 16_000
    assert stream.next_event() is None


def test_float32_and_int16_give_the_same(recognizer, samples):
    texts = []
    for array in (samples, samples.astype(np.float32) / 32_768):
        stream = recognizer.stream()
        stream.accept(array)
        stream.finish()
        texts.append([(event.kind, event.text, event.start) for event in stream])
    assert texts[0] == texts[1]


def test_another_rate_is_resampled(recognizer, samples, text):
    stream = recognizer.stream(sample_rate=48_000)
    assert stream.sample_rate == 48_000
    stream.accept(np.repeat(samples, 3))
    stream.finish()
    assert finals(stream) == [text]
    with pytest.raises(mynah.ConfigError, match="1 Hz"):
        recognizer.stream(1)
    with pytest.raises(mynah.ConfigError, match="sample_rate is -1 Hz"):
        recognizer.stream(-1)


def test_an_array_that_can_not_be_written_is_read(recognizer):
    array = np.zeros(160, np.float32)
    array.flags.writeable = False
    stream = recognizer.stream()
    stream.accept(array)
    stream.accept(np.frombuffer(bytes(320), np.int16))
    stream.accept(np.zeros(0, np.int16))
    assert stream.position == 0.02


@pytest.mark.parametrize(
    ("array", "kind", "reason"),
    [
        ([0.0], TypeError, "a NumPy array of float32 or int16, not list"),
        (b"\0\0", TypeError, "not bytes; np.frombuffer"),
        (None, TypeError, "not NoneType"),
        (np.zeros(2), TypeError, "samples are of float64"),
        (np.zeros(2, np.int32), TypeError, "samples are of int32"),
        (np.zeros(2, ">i2"), TypeError, "byte order"),
        (np.zeros((2, 2), np.float32), ValueError, r"the shape \[2, 2\]"),
        (np.float32(0.0), TypeError, "NumPy array"),
        (np.array(0.0, np.float32), ValueError, "the shape"),
        (np.zeros(4, np.float32)[::2], ValueError, "np.ascontiguousarray"),
        (np.zeros(4, np.float32)[::-1], ValueError, "np.ascontiguousarray"),
        (np.zeros(9, np.int8)[1:].view(np.float32), ValueError, "aligned"),
        (np.array([0.0, np.inf], np.float32), mynah.SamplesError, "sample 1 is inf"),
    ],
)
def test_other_samples_are_refused_and_the_stream_goes_on(recognizer, samples, array, kind, reason):
    stream = recognizer.stream()
    with pytest.raises(kind, match=reason):
        stream.accept(array)
    stream.accept(samples[:160])
    assert stream.position == 0.01


def test_a_finished_stream_accepts_nothing_until_it_is_reset(recognizer, samples, text):
    stream = recognizer.stream()
    stream.finish()
    stream.finish()
    with pytest.raises(mynah.StateError, match="reset it"):
        stream.accept(samples)
    with pytest.raises(mynah.StateError, match="reset it"):
        stream.skip(1)
    stream.reset()
    with pytest.raises(mynah.ConfigError, match="lost samples are -1"):
        stream.skip(-1)
    stream.accept(samples)
    stream.flush()
    stream.skip(16_000)
    stream.finish()
    assert finals(stream) == [text]
    assert stream.position == len(samples) / 16_000 + 1


def test_hotwords_grammar_and_keywords_can_be_changed(recognizer, samples):
    stream = recognizer.stream()
    stream.set_keywords(["better than:0.1"])
    stream.set_hotwords("Kew Gardens")
    stream.set_grammar(["lights on"], threshold=0.5)
    stream.accept(samples)
    stream.finish()
    events = list(stream)
    (hit,) = (event for event in events if event.kind == "keyword")
    assert (hit.keyword, hit.text, hit.utterance) == (0, "better than", None) and 2.5 < hit.start < hit.end < 3.6
    assert [event.grammar for event in events if event.is_final] == ["out_of_grammar"]
    with pytest.raises(mynah.ConfigError, match="grammar: "):
        stream.set_grammar("日本")
    with pytest.raises(mynah.ConfigError, match="hotwords: "):
        stream.set_hotwords(["日本"])
    stream.set_keywords(None)


def test_an_iteration_ends_once_and_the_next_one_goes_on(recognizer, samples, text):
    stream = recognizer.stream()
    iteration = iter(stream)
    assert iter(iteration) is iteration and isinstance(iteration, mynah.EventIterator)
    assert list(iteration) == []
    stream.accept(samples)
    stream.finish()
    assert list(iteration) == []
    events = list(stream)
    assert finals(events) == [text] and events[-1].to_dict()["stable_text"] == events[-1].stable_text


def test_recognize_is_a_loop_around_a_stream(recognizer, samples, text):
    blocks = np.split(samples, range(8_000, len(samples), 8_000))
    events = mynah.recognize(recognizer, blocks)
    assert next(events).kind == "partial"
    assert finals(events) == [text]
