import pytest

import letter_to_sound
from letter_to_sound import Aligner, edits, hold_out, judge, learn, read_lexicon

FIRSTS, LASTS = {"B": "B", "C": "K", "PH": "F", "M": "M", "T": "T"}, {"T": "T", "N": "N", "X": "K S", "SS": "S", "P": "P"}
VOWELS = {"A": ("AE", "EY"), "I": ("IH", "AY")}


@pytest.fixture
def entries():
    """One syllable, in which an E at the end makes the vowel long."""
    words = []
    for first, f in FIRSTS.items():
        for last, s in LASTS.items():
            for vowel, (short, long) in VOWELS.items():
                words.append((first + vowel + last, tuple(f"{f} {short} {s}".split())))
                words.append((first + vowel + last + "E", tuple(f"{f} {long} {s}".split())))
    return words


def test_letters_say_no_phone_or_one_or_two(entries):
    aligner = Aligner(sorted({phone for _, phones in entries for phone in phones}))
    aligner.fit(entries)
    row = [word for word, _ in entries].index("PHAX")
    said = [aligner.name(sound) for sound in aligner.align(entries)[row]]
    assert said in ([("F",), (), ("AE",), ("K", "S")], [(), ("F",), ("AE",), ("K", "S")])


def test_a_word_of_more_phones_than_its_letters_can_say_has_no_alignment(entries):
    aligner = Aligner(sorted({phone for _, phones in entries for phone in phones}))
    assert aligner.align([("T", ("T", "IH", "T"))]) == [[]]


def test_rules_hold_for_words_not_learned_from(entries):
    kept, held = hold_out(entries, 0.1, seed=3)
    assert held and not {word for word, _ in kept} & {word for word, _ in held}
    figures = judge(learn(kept, 4000), held)
    assert figures["right"] == 1 and figures["phone errors"] == 0


def test_learning_repeats_and_keeps_within_its_bytes(entries):
    text = learn(entries, 500).text()
    assert text == learn(entries, 500).text() and len(text) <= 500
    assert text.startswith("unit\nunit AE\n") and "\nletter X\n" in text


def test_words_said_in_two_ways_have_both_pronunciations(entries):
    both = [(word, tuple({"AE": "AA"}.get(phone, phone) for phone in phones)) for word, phones in entries if "AE" in phones]
    rules = learn(entries + both, 4000)
    assert set(rules.pronounce("BAT")) == {("B", "AE", "T"), ("B", "AA", "T")}
    assert rules.pronounce("QZ") == []


def test_a_lexicon_may_number_pronunciations(tmp_path):
    (tmp_path / "words.dict").write_text("a EY\na(2) AH\n4 F AO R\n' K\nbob's B AA B Z\n")
    expected = [("A", ("EY",)), ("A", ("AH",)), ("BOB'S", ("B", "AA", "B", "Z"))]
    assert read_lexicon(tmp_path / "words.dict") == expected


def test_units_have_printable_characters():
    characters = [letter_to_sound.character(unit) for unit in range(letter_to_sound.MOST_UNITS)]
    assert (characters[0], characters[-1]) == ("?", "~") and len(set(characters)) == len(characters)
    assert letter_to_sound.BEYOND not in characters


def test_edits():
    assert edits(("B", "AE"), ("B", "AE")) == 0
    assert edits((), ("B", "AE")) == edits(("AE", "K"), ("B", "AE")) == 2
