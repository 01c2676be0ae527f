import lzma

import pytest

from spoken_form import Speaker, convert, is_prose, of_transcript


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It's 7:30, isn't it?", "It's seven thirty, isn't it?"),
        ("He paid $5.20 in 1984!", "He paid five dollars and twenty cents in nineteen eighty four."),
        ("At 7:05 p.m. we left.", "At seven oh five p m we left."),
        ("Mr. Smith — from St. Louis — said “no”…", "Mister Smith~ from Saint Louis~ said no."),
        ("A well-known 21st-century city", "A well known twenty first century city"),
        ("$2.5 million and 20,000 people; 95% of them.", "two point five million and twenty thousand people, ninety five percent of them."),
        ("It… it works... Good.", "It, it works. Good."),
        ("See example.com: it's 12 minutes long.", "See example dot com, it's twelve minutes long."),
    ],
)
def test_text_is_spoken_as_a_recognizer_gives_it(written, spoken):
    assert Speaker().line(written) == spoken


def test_initialisms_are_letters_or_words():
    forms = {speaker_line for speaker in [Speaker()] for speaker_line in (speaker.line("An API by NASA.") for _ in range(30))}
    assert forms == {"An A_P_I by NASA.", "An API by NASA."}
    assert Speaker().line("In the U.S. we met.") in ("In the U_S we met.", "In the US we met.")


def test_what_cannot_be_said_is_left_out():
    assert Speaker().line("x = f(y)^2 in C#") is None
    assert Speaker().line("...") is None


def test_prose_begins_with_a_capital_and_is_no_heading():
    assert is_prose("Where are you going?")
    assert not any(map(is_prose, ["where are you", "i Think so", "I think i know.", "Annual Report Of Federal Agencies", "PRESS OFFICE STATEMENT"]))


def test_a_transcript_loses_its_speakers():
    text = "---\ntitle: x\n---\n\n**Ann Lee:** Well, \\[laughs\\] yes.\n\nMS. LEE:  No\nway.\n\n# Heading.\n\nno mark\n"
    assert of_transcript(text) == ["Well,   yes.", "No way."]


def test_documents_are_put_aside_whole(tmp_path):
    with lzma.open(tmp_path / "text.txt.xz", "wt") as file:
        file.write("\n".join(f"Line {'x' * (number % 7 + 1)} it is number {number}." for number in range(1200)))
    convert(tmp_path / "text.txt.xz", 0.5, tmp_path)
    train, aside = (tmp_path / name for name in ("text.txt", "text.aside.txt"))
    sizes = [len(document.split("\n")) for file in (train, aside) for document in file.read_text().split("\n\n") if document.strip()]
    assert sum(sizes) == pytest.approx(1200, abs=5)
    convert(tmp_path / "text.txt.xz", 1, tmp_path)
    assert not train.read_text().strip()
