"""Models and files."""

import errno
import importlib.util
import os
import pickle

import pytest

import mynah


def test_a_model_says_what_it_is(model):
    assert (model.name, model.language, model.sample_rate) == ("en-small", "en", 16_000)
    assert model.has_second_pass
    assert not mynah.Model.builtin(preset="low_latency").has_second_pass
    model.finish_loading()


def test_a_file_is_transcribed_by_its_path_and_by_its_bytes(model, speech, text):
    transcript = model.transcribe(speech)
    assert str(transcript) == transcript.text == text
    assert transcript.duration == pytest.approx(4.585, abs=0.01)
    assert model.transcribe(str(speech)).text == text
    assert model.transcribe(speech.read_bytes()).text == text


def test_utterances_have_words_with_times(model, speech, text):
    (utterance,) = model.transcribe(speech, nbest=3).utterances
    assert utterance.kind == "final" and utterance.is_final and utterance.utterance == 0
    assert " ".join(word.text for word in utterance.words) == utterance.text == text
    times = [time for word in utterance.words for time in (word.start, word.end)]
    assert times == sorted(times) and utterance.start == pytest.approx(times[0], abs=0.2)
    assert all(0 < word.confidence <= 1 for word in utterance.words) and 0 < utterance.confidence <= 1
    assert 1 < len(utterance.nbest) <= 3 and utterance.nbest[0].text == utterance.raw_text
    assert utterance.nbest[0].score >= utterance.nbest[1].score
    assert utterance.to_dict()["words"][0] == utterance.words[0].to_dict()


def test_options_reach_the_recognizer(model, speech):
    assert model.transcribe(speech, formatting=False).text.isupper()
    (utterance,) = model.transcribe(speech, grammar=["lights on", "lights off"]).utterances
    assert (utterance.grammar, utterance.text, utterance.words) == ("out_of_grammar", "", ())
    assert model.transcribe(speech, grammar="lights on\nlights off").text == "[out of grammar]"
    with pytest.raises(TypeError, match="volume"):
        model.transcribe(speech, volume=11)


def test_a_folder_is_a_model_too(speech, text):
    folder = speech.parents[1] / "models" / "en-small"
    loaded = mynah.Model.load(folder, precision="int8", chunk="offline")
    assert loaded.transcribe(speech).text == text


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"preset": "best"}, 'preset is "best"; it must be one of "balanced", "low_latency", "accurate"'),
        ({"preset": "accurate"}, "name its folder by second_model"),
        ({"precision": "f32"}, "f32"),
        ({"chunk": "long"}, 'chunk is "long"'),
        ({"chunk": 7}, "7 ms"),
        ({"chunk": -7}, "chunk is -7 ms"),
        ({"finals": "third_pass"}, "finals is"),
        ({"finals": "first_pass", "second_model": "x"}, "second_model needs a second pass"),
    ],
)
def test_a_wrong_option_of_a_model_is_an_error(options, reason):
    with pytest.raises(mynah.ConfigError, match=reason) as raised:
        mynah.Model.builtin(**options)
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, mynah.Error)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"endpoint_silence": -1.0}, "endpoint_silence is -1 s"),
        ({"longest_utterance": float("nan")}, "longest_utterance is NaN s"),
        ({"nbest": 0}, "nbest is 0"),
        ({"nbest": -1}, "nbest is -1"),
        ({"hotwords": ["Kew Gardens", "日本"]}, "hotwords: line 2"),
        ({"words": ["Kew", "Q1 = /W X/, "]}, "words: "),
        ({"grammar": "#JSGF V1.0;"}, "grammar: "),
        ({"keywords": ["a:2:3"]}, "keywords: line 1"),
    ],
)
def test_a_wrong_option_of_a_recognizer_is_an_error(model, options, reason):
    with pytest.raises(mynah.ConfigError, match=reason):
        mynah.Recognizer(model, **options)


def test_a_file_that_can_not_be_transcribed_is_an_error(model, speech, tmp_path):
    with pytest.raises(mynah.FileError, match="none.wav: No such file") as raised:
        model.transcribe(tmp_path / "none.wav")
    assert isinstance(raised.value, OSError)
    for error in (raised.value, pickle.loads(pickle.dumps(raised.value))):
        assert (error.errno, error.strerror) == (errno.ENOENT, os.strerror(errno.ENOENT))
        assert error.filename == str(tmp_path / "none.wav")
        assert str(error).startswith(f"{error.filename}: No such file")
    with pytest.raises(mynah.AudioError, match="text.wav: "):
        (tmp_path / "text.wav").write_text("no audio")
        model.transcribe(tmp_path / "text.wav")
    with pytest.raises(TypeError, match="a path or the bytes of a file, not list"):
        model.transcribe([0.0])
    with pytest.raises(mynah.FileError):
        mynah.Model.load(tmp_path)
    assert isinstance(pickle.loads(pickle.dumps(raised.value)), mynah.FileError)


def test_what_was_recognized_before_an_error_is_there(model, recording, text):
    whole = recording(2, silence=1.5).read_bytes()
    with pytest.raises(mynah.AudioError) as raised:
        # The header promises more.
        model.transcribe(whole[: len(whole) * 2 // 3])
    assert raised.value.transcript.text.startswith(text)
    error = pickle.loads(pickle.dumps(raised.value))
    assert str(error) == str(raised.value) and error.transcript.text == raised.value.transcript.text


def test_what_was_recognized_can_be_pickled(model, speech):
    for options in ({"nbest": 2}, {"grammar": "lights on"}):
        transcript = model.transcribe(speech, **options)
        copy = pickle.loads(pickle.dumps(transcript))
        assert (copy.text, copy.duration) == (transcript.text, transcript.duration)
        (event,), (original,) = copy.utterances, transcript.utterances
        assert event.to_dict() == original.to_dict() and repr(event) == repr(original)
        assert (event.words, event.nbest) == (original.words, original.nbest)
    with pytest.raises(ValueError, match="is of no event"):
        mynah.Event._restored(("none", 0, "", "", "", 0.0, 0.0), (None, None, None, None, [], []))


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_its_module_says_what_to_install():
    with pytest.raises(ImportError, match=r"pip install 'mynah\[ray\]'"):
        import mynah.ray  # noqa: F401
