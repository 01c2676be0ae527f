import random

import pytest

from spoken_numbers import say_numbers
from verbalize import KeptOut, Speller, dictate, join, run_hashes, verbalize

SPELLER = Speller({"THE", "RETURNS", "NOT", "VERY", "WORK", "TEAM"})


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$1.5 billion", "one point five billion dollars"),
        ("$20K", "twenty thousand dollars"),
        ("7:30 p.m", "seven thirty P M"),
        ("12:05", "twelve oh five"),
        ("8:00", "eight o'clock"),
        ("March 11, 2021", "March eleventh twenty twenty one"),
        ("in 2009", "in two thousand nine"),
        ("2020–2021", "twenty twenty to twenty twenty one"),
        ("the 21st", "the twenty first"),
        ("the 1990s", "the nineteen nineties"),
        ("25%", "twenty five percent"),
        ("3 1/2 cups", "three and a half cups"),
        ("version 2.0.1", "version two point zero point one"),
        ("5km at 350°F", "five kilometers at three hundred fifty degrees fahrenheit"),
        ("1 lb", "one pound"),
        ("555-123-4567", "five five five one two three four five six seven"),
    ],
)
def test_figures_are_said(written, spoken):
    assert " ".join(say_numbers(written.replace("–", "-")).split()) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("The API returns JSON.", "THE A P I RETURNS JSON"),
        ("APIs at NASA", "A P I'S AT NASA"),
        ("It is NOT the IT team.", "IT IS NOT THE I T TEAM"),
        ("THIS IS VERY IMPORTANT FOR US", "THIS IS VERY IMPORTANT FOR US"),
        ("Mr. Smith and Dr. Who live on Main St.", "MISTER SMITH AND DOCTOR WHO LIVE ON MAIN STREET"),
        ("St. Mary in the U.S. since then", "SAINT MARY IN THE U S SINCE THEN"),
        ("write to john@example.com, e.g. today", "WRITE TO JOHN AT EXAMPLE DOT COM FOR EXAMPLE TODAY"),
        ("see https://github.com/foo/bar", "SEE GITHUB DOT COM"),
        ("C++ and Node.js", "C PLUS PLUS AND NODE DOT J S"),
        ("im sure thats ok, dont u think", "I'M SURE THAT'S OKAY DON'T YOU THINK"),
        ("I do n't know, you 're right", "I DON'T KNOW YOU'RE RIGHT"),
        ("self-hosting Wi-Fi", "SELF HOSTING WIFI"),
        ("a café — “naïve” ’em", "A CAFE NAIVE 'EM"),
        ("COVID-19 & AI", "COVID NINETEEN AND A I"),
        ("日本", ""),
    ],
)
def test_text_is_said(written, spoken):
    assert verbalize(written, SPELLER) == spoken


def test_kept_out_text_is_recognized():
    long = "ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE"
    kept_out = KeptOut(run_hashes(long.split()), ["set a timer for ten minutes", "never mind"])
    assert "ZERO " + long in kept_out
    assert "SET A TIMER FOR TEN MINUTES" in kept_out
    assert "NEVER MIND" not in kept_out


def test_neighbours_of_a_turn_share_lines():
    assert list(join(["A", "B", "", "C"], 1.0, random.Random(1))) == ["A B", "C"]
    assert list(join(["A", "B", "", "C"], 0.0, random.Random(1))) == ["A", "B", "C"]


def test_dictated_marks_are_words():
    text = 'He said "Wait!", (then) left... didn\'t he? At 3.5 - no: 4;'
    spoken = dictate(text, random.Random(1))
    assert not set('!?,;:"()') & set(spoken), spoken
    assert "didn't he question mark" in spoken and "3.5" in spoken and " colon " in spoken
    said = verbalize(spoken, Speller({"HE"})).split()
    assert said.count("MARK") + said.count("POINT") >= 2 and "COMMA" in said and "PARENTHESIS" in said
