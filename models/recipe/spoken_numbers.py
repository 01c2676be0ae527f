"""Numbers as they are said: cardinals, ordinals, years, decimals, money, times, dates, phone numbers, units.

`say_numbers` replaces every figure of a sentence by words; what it cannot read it leaves, and the caller drops the sentence.
Where people differ ("a hundred and five", "one hundred five", "oh", "zero"), a checksum of the text chooses, so that
both are learned and a run repeats.
"""

import re
import zlib
from collections.abc import Callable
from functools import lru_cache

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
SCALES = ["", "thousand", "million", "billion", "trillion"]
IRREGULAR_ORDINALS = {
    **{"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"},
    **{"twelve": "twelfth"},
}
MONTHS = "January February March April May June July August September October November December".split()
MONTH = "|".join(["Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec", *MONTHS])
CURRENCIES = {"$": ("dollar", "cent"), "£": ("pound", "pence"), "€": ("euro", "cent"), "¥": ("yen", "sen")}
UNITS = {
    **{"km": "kilometers", "kg": "kilograms", "mg": "milligrams", "cm": "centimeters", "mm": "millimeters"},
    **{"lb": "pounds", "lbs": "pounds", "oz": "ounces", "ft": "feet", "mph": "miles an hour", "mi": "miles"},
    **{"kb": "kilobytes", "mb": "megabytes", "gb": "gigabytes", "tb": "terabytes", "ms": "milliseconds"},
    **{"hz": "hertz", "khz": "kilohertz", "mhz": "megahertz", "ghz": "gigahertz", "kw": "kilowatts", "mw": "megawatts"},
    **{"gw": "gigawatts", "kwh": "kilowatt hours", "ml": "milliliters", "hr": "hours", "hrs": "hours", "min": "minutes"},
    **{"mins": "minutes", "sec": "seconds", "secs": "seconds", "yrs": "years", "px": "pixels", "tbsp": "tablespoons"},
    **{"tsp": "teaspoons", "sq": "square", "x": "times", "k": "thousand", "m": "million", "bn": "billion"},
    **{"g": "grams", "l": "liters", "°f": "degrees fahrenheit", "°c": "degrees celsius", "°": "degrees"},
}
FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth"}


def choice(text: str, share: float) -> bool:
    """Whether this text is among the given share of all."""
    return zlib.crc32(text.encode()) % 100 < 100 * share


def below_thousand(number: int, joint: str) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{ONES[hundreds]} hundred"] if hundreds else []
    if hundreds and rest and joint:
        words.append(joint)
    if rest >= 20:
        words += [TENS[rest // 10], *([ONES[rest % 10]] if rest % 10 else [])]
    elif rest:
        words.append(ONES[rest])
    return " ".join(words)


@lru_cache(1 << 16)
def cardinal(number: int) -> str:
    """In words; "and" after hundreds in a third of all numbers."""
    if number == 0:
        return "zero"
    joint = "and" if choice(f"and{number}", 0.33) else ""
    words, groups = [], []
    while number:
        number, group = divmod(number, 1000)
        groups.append(group)
    for scale, group in reversed(list(enumerate(groups))):
        if group:
            words.append(f"{below_thousand(group, joint)} {SCALES[scale]}".rstrip())
    return " ".join(words)


def ordinal(number: int) -> str:
    *before, last = cardinal(number).split()
    if last in IRREGULAR_ORDINALS:
        last = IRREGULAR_ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return " ".join([*before, last])


def year(number: int) -> str:
    century, rest = divmod(number, 100)
    if number % 1000 < 10 and number >= 2000:
        return cardinal(number - rest) + (f" {ONES[rest]}" if rest else "")
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} " + (f"oh {ONES[rest]}" if rest < 10 else cardinal(rest))


def digits(text: str) -> str:
    """One by one, 0 as "oh" in a third of all numbers."""
    zero = "oh" if choice("oh" + text, 0.33) else "zero"
    return " ".join(zero if c == "0" else ONES[int(c)] for c in text if c.isdigit())


def plain_number(text: str) -> str:
    """An integer or a decimal, with commas or without."""
    whole, _, fraction = text.replace(",", "").partition(".")
    if len(whole) > 15:
        return digits(whole)
    said = cardinal(int(whole)) if whole else ""
    if not fraction:
        return said
    return f"{said} point {' '.join(ONES[int(c)] for c in fraction)}".strip()


def integer(text: str) -> str:
    """Digits without commas: a year, a code, or a number."""
    if len(text) == 4 and "1100" <= text <= "2099":
        return year(int(text))
    if text[0] == "0" and len(text) > 1 or len(text) > 7:
        return digits(text)
    if len(text) == 3 and text[1:] != "00" and choice("hundred" + text, 0.15):
        return f"{ONES[int(text[0])]} " + (f"oh {ONES[int(text[2])]}" if text[1] == "0" else cardinal(int(text[1:])))
    if len(text) in (5, 6, 7) and choice("digits" + text, 0.5):
        return digits(text)
    return cardinal(int(text))


def say_money(match: re.Match) -> str:
    unit, part = CURRENCIES[match["currency"]]
    amount, scale = match["amount"].rstrip(".,"), match["scale"]
    if scale:
        scale = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "t": "trillion"}.get(scale.lower(), scale)
        return f" {plain_number(amount)} {scale} {unit}s "
    whole, _, cents = amount.replace(",", "").partition(".")
    said = f"{cardinal(int(whole or 0))} {unit}{'' if whole == '1' or unit == 'yen' else 's'}"
    if len(cents) == 2 and int(cents):
        if choice(amount, 0.5):
            return f" {cardinal(int(whole or 0))} {cardinal(int(cents)) if int(cents) > 9 else 'oh ' + ONES[int(cents)]} "
        said += f" and {cardinal(int(cents))} {part}{'' if part == 'pence' or int(cents) == 1 else 's'}"
    return f" {said} "


def say_time(match: re.Match) -> str:
    hour, minute, half = int(match["hour"]), match["minute"], (match["half"] or "").lower().strip(". ")
    said = cardinal(hour)
    if minute and int(minute):
        said += f" oh {ONES[int(minute)]}" if minute[0] == "0" else f" {cardinal(int(minute))}"
    elif not half:
        said += " o'clock"
    return f" {said} {half[:1].upper() + ' M' if half else ''} "


def say_date(match: re.Match) -> str:
    month = next(m for m in MONTHS if m.startswith(match["month"].rstrip(".")[:3]))
    day = ordinal(int(match["day"]))
    return f" {month} {day} {year(int(match['year'])) if match['year'] else ''} "


def say_day_month(match: re.Match) -> str:
    month = next(m for m in MONTHS if m.startswith(match["month"].rstrip(".")[:3]))
    after = year(int(match["year"])) if match["year"] else ""
    return f" the {ordinal(int(match['day']))} of {month} {after} "


def say_iso_date(match: re.Match) -> str:
    month, day = int(match[2]), int(match[3])
    return f" {MONTHS[month - 1]} {ordinal(day)} {year(int(match[1]))} " if 1 <= month <= 12 and day else match[0]


def say_fraction(match: re.Match) -> str:
    before, top, bottom = match[1], int(match[2]), int(match[3])
    if (top, bottom) == (24, 7):
        return " twenty four seven "
    if bottom in PARTS and 0 < top < bottom:
        one = "a" if top == 1 and (before or choice(match[0], 0.5)) else cardinal(top)
        part = PARTS[bottom] if top == 1 else {2: "halves"}.get(bottom, PARTS[bottom] + "s")
        return f" {cardinal(int(before)) + ' and ' if before else ''}{one} {part} "
    return f" {before or ''} {cardinal(top)} {cardinal(bottom)} "


def say_decade(match: re.Match) -> str:
    text, before = match[1], ""
    if len(text) == 4:
        before = cardinal(int(text[:2])) + " " if text[2:] != "00" or text < "2000" else cardinal(int(text)) + "s"
    if len(text) == 4 and text[2:] == "00":
        return f" {before if text >= '2000' else before + 'hundreds'} "
    tens = TENS[int(text[-2])]
    return f" {before}{tens[:-1]}ies "


def say_unit(match: re.Match) -> str:
    number, unit = match[1], UNITS[match[2].lower()]
    if match[2] == "M" or match[2] == "K":
        unit = {"M": "million", "K": "thousand"}[match[2]]
    if number == "1" and unit.endswith("s") and not unit.startswith("degrees"):
        unit = {"feet": "foot"}.get(unit, unit[:-1])
    return f" {plain_number(number)} {unit} "


NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\.\d+|\d+"
Rule = tuple[re.Pattern, Callable[[re.Match], str]]
RULES: list[Rule] = [
    (re.compile("[½¼¾⅓⅔]"), lambda m: " " + FRACTIONS[m[0]]),
    (
        re.compile(
            r"(?P<currency>[$£€¥])\s?(?P<amount>\d[\d,]*(?:\.\d+)?|\.\d+)(?:[\s-]?(?P<scale>(?:thousand|million|billion|trillion|[kKmMbBtT]n?)\b))?"
        ),
        say_money,
    ),
    (re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b"), say_iso_date),
    (re.compile(rf"\b(?P<month>{MONTH})\.? (?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<year>(?:1[1-9]|20)\d\d)\b)?"), say_date),
    (re.compile(rf"\b(?P<day>[0-3]?\d)(?:st|nd|rd|th)? (?:of )?(?P<month>{MONTH})\b\.?(?:,? (?P<year>(?:1[1-9]|20)\d\d)\b)?"), say_day_month),
    (re.compile(r"(?:\+?1[-. ])?\(?\b(\d{3})\)?[-. ](\d{3})[-. ](\d{4})\b"), lambda m: f" {digits(m[1] + m[2] + m[3])} "),
    (re.compile(r"\b(\d{3})-(\d{4})\b"), lambda m: f" {digits(m[1] + m[2])} "),
    (re.compile(r"\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::\d\d)?\s*(?P<half>[AaPp]\.?[Mm]\b\.?)?"), say_time),
    (re.compile(r"\b(?P<hour>1[0-2]|[1-9])(?P<minute>)\s*(?P<half>[AaPp]\.?[Mm]\b\.?)"), say_time),
    (re.compile(r"(?<![\d/])(?:(\d+) )?\b(\d{1,3})/(\d{1,3})\b(?!/)"), say_fraction),
    (re.compile(r"\b(\d{1,2})/(\d{1,2})/((?:20|19)?\d\d)\b"), lambda m: f" {cardinal(int(m[1]))} {cardinal(int(m[2]))} {integer(m[3])} "),
    (re.compile(r"'?\b((?:1[1-9]|20)?\d0)'?s\b"), say_decade),
    (re.compile(r"\b(\d{1,3}(?:,\d{3})*)(?:st|nd|rd|th)\b"), lambda m: f" {ordinal(int(m[1].replace(',', '')))} "),
    (re.compile(rf"({NUMBER})\s?%"), lambda m: f" {plain_number(m[1])} percent "),
    (re.compile(rf"(?<![A-Za-z\d])({NUMBER})[ -]?(°\s?[FC]|°)"), lambda m: say_unit(re.match(r"(\S+) (\S+)", f"{m[1]} {m[2].replace(' ', '')}"))),
    (re.compile(rf"(?<![A-Za-z\d])({NUMBER}) ?({'|'.join(sorted((u for u in UNITS if len(u) > 1 and u.isalpha()), key=len, reverse=True))})\b", re.IGNORECASE), say_unit),
    (re.compile(rf"(?<![A-Za-z\d])({NUMBER})([xkKmMgl])\b"), say_unit),
    (re.compile(rf"(?<![\w-])({NUMBER})\s?[-–]\s?({NUMBER})(?![\w-])"), lambda m: f" {plain_or_year(m[1])} to {plain_or_year(m[2])} "),
    (re.compile(r"(?<!\w)#(\d+)\b"), lambda m: f" number {integer(m[1])} "),
    (re.compile(r"\b(\d+(?:\.\d+){2,})\b"), lambda m: " " + " point ".join(integer(p) for p in m[1].split(".")) + " "),
    (re.compile(r"\b(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)|(?<![\w.])(\.\d+)\b"), lambda m: f" {plain_number(m[0])} "),
    (re.compile(r"\d+"), lambda m: f" {integer(m[0])} "),
]
FIGURE = re.compile(r"[\d½¼¾⅓⅔]")


def plain_or_year(text: str) -> str:
    return integer(text) if text.isdigit() else plain_number(text)


def say_numbers(sentence: str) -> str:
    """Replace the figures of a sentence by words."""
    for pattern, say in RULES:
        sentence = pattern.sub(say, sentence)
        if not FIGURE.search(sentence):
            break
    return sentence
