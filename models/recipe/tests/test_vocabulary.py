from collections import Counter

from lexicon import compound, possessive
from vocabulary import choose, is_a_word


def test_misspellings_are_left_out():
    styles = [Counter({"THE": 90, "WEBSITE": 5, "TEH": 3}), Counter({"THE": 95, "ZORKLE": 30})]
    words = choose(styles, {"THE": 7.7, "WEBSITE": 4.8}, {"ABBEY"}, {"THE", "ABBEY"}, 10)
    assert words == ["ABBEY", "THE", "WEBSITE", "ZORKLE"]


def test_the_most_frequent_stay():
    styles = [Counter({"A": 9, "B": 5, "C": 2})]
    assert choose(styles, {}, set(), {"A", "B", "C"}, 2) == ["A", "B"]


def test_possessives_and_compounds_are_said_like_their_parts():
    entries = {"BUS": [["B", "AH", "S"]], "STOP": [["S", "T", "AA", "P"]]}
    assert possessive("BUS'S", entries) == [["B", "AH", "S", "IH", "Z"]]
    assert possessive("STOP'S", entries) == [["S", "T", "AA", "P", "S"]]
    assert compound("BUSSTOP", entries) == [["B", "AH", "S", "S", "T", "AA", "P"]]
    assert compound("STOPPING", entries) == []


def test_quotation_marks_and_initialisms_make_no_words():
    assert is_a_word("'EM", set()) and not is_a_word("'CERTAINLY", {"CERTAINLY"})
    assert not is_a_word("VHF", set()) and not is_a_word("SMU", set())
    assert is_a_word("HMM", {"HMM"}) and is_a_word("DEBUGGER'S", set())
