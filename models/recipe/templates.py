"""Sentences that corpora lack: figures said one by one, names and codes spelled aloud, addresses, times, commands, dictation.

    python templates.py --names first_names.txt --cities cities.tsv --count 120000 --out text/generated.txt

Written as they are said, in lower case. The slots of a template, `{place}`, are filled by `SLOTS`; the lists are of words that
people use with such a device, chosen by hand, beside names and cities.
"""

import argparse
import random
import re
from collections.abc import Callable
from pathlib import Path

from spoken_numbers import MONTHS, ONES, cardinal, ordinal, year

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NATO = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra "
    "tango uniform victor whiskey x-ray yankee zulu"
).split()
AS_IN = (
    "apple boy cat dog elephant frank george henry ice john king larry mary nancy orange peter queen robert sam tom umbrella "
    "victor water x-ray yellow zebra"
).split()
LISTS = {
    "place": "kitchen|living room|bedroom|bathroom|office|garage|hallway|basement|dining room|garden|front door|back yard|attic|nursery|guest room|porch",
    "device": "light|lights|lamp|fan|heater|television|tv|speaker|thermostat|blinds|curtains|air conditioner|vacuum|coffee machine|dishwasher|washing machine|sprinklers|oven|plug|alarm",
    "color": "red|green|blue|white|warm white|purple|orange|yellow|pink|cyan",
    "food": "milk|eggs|bread|butter|cheese|apples|bananas|oranges|tomatoes|potatoes|onions|garlic|rice|pasta|chicken|ground beef|salmon|yogurt|cereal|coffee|tea|sugar|flour|olive oil|salt|pepper|spinach|lettuce|cucumbers|avocados|broccoli|carrots|paper towels|toilet paper|dish soap|laundry detergent|trash bags|diapers|cat food|dog food|orange juice|sparkling water|peanut butter|ice cream|frozen pizza|almond milk|tofu|mushrooms|strawberries|blueberries|lemons|ginger",
    "drink": "coffee|latte|cappuccino|espresso|mocha|americano|iced coffee|iced tea|hot chocolate|green tea|macchiato|flat white|cold brew|smoothie",
    "task": "call the dentist|pay the rent|take out the trash|pick up the kids|water the plants|renew my passport|send the invoice|book the flights|charge the car|clean the kitchen|feed the cat|walk the dog|return the package|finish the report|review the pull request|update the website|back up the laptop|buy a birthday present|cancel the subscription|change the filter|check in for my flight|file my taxes|pick up the dry cleaning|schedule a checkup|take my medicine|reply to the email|submit the expenses|order more printer ink",
    "song": "jazz|classical music|the news|my workout playlist|some rock|hip hop|country music|my favorites|the latest podcast|relaxing music|an audiobook|blues|electronic music|the eighties playlist|white noise|rain sounds",
    "room": "the conference room|zoom|the office|the cafe downtown|the lobby|a video call|the airport|the main building",
    "topic": "the budget|the new website|the quarterly report|the marketing plan|the project timeline|the release|the database migration|the interview|the contract|the presentation|the onboarding|the customer feedback|the app update|our road map|the login page|the invoice|the design review|next week's meeting|the sprint planning|the schedule|the performance issues|the new hire|the security audit",
    "code": "function|class|method|variable|test|module|component|script|query|endpoint|loop|config file|migration|dependency|type|interface|database schema|docker image|pull request|unit test|pipeline|error handler|regular expression|web page|button|form|login page|search box|cache|parser",
    "language": "python|javascript|typescript|rust|go|java|c plus plus|ruby|swift|kotlin|bash|s q l|h t m l|c s s|react",
    "day": "monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|today|tonight|next week|next monday|next friday|this afternoon|this evening|tomorrow morning|tomorrow night|the weekend",
    "street": "street|avenue|road|drive|lane|boulevard|court|place|way|circle|terrace|parkway",
    "street_name": "main|oak|maple|park|cedar|pine|elm|washington|lake|hill|walnut|spring|north|ridge|church|willow|mill|sunset|jackson|lincoln|river|highland|forest|jefferson|center|franklin|valley|chestnut|madison|green|meadow|spruce|broadway|college|liberty|king|market|union|summit|orchard|bay|harbor|golden gate|mountain view|cherry hill|stone creek|fox run|eagle|sand|fair oaks|lake shore|martin luther king|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth",
    "rest": "the usual|as soon as possible|when you have a minute|before lunch|by the end of the day|if that works for you|at your convenience",
    "app": "youtube|spotify|netflix|instagram|facebook|whatsapp|google maps|gmail|slack|twitter|zoom|teams|github|amazon|uber|the calculator|the camera|the browser|settings|chrome|firefox|the app store|outlook|excel|word|discord|tiktok|snapchat|linkedin",
    "thing": "password|wifi password|address|phone number|order number|tracking number|account number|credit card|email address|zip code|license plate|booking reference|serial number|username|pin|confirmation code|flight number",
    "query": "weather|temperature|time|traffic|score|news|date|exchange rate|stock price|forecast|humidity",
    "sport": "the lakers|the yankees|the warriors|manchester united|the patriots|the cowboys|real madrid|the red sox",
    "list_name": "shopping list|grocery list|to do list|packing list|wish list|reading list",
    "unit_from": "cups|ounces|pounds|kilograms|miles|kilometers|inches|centimeters|degrees fahrenheit|dollars|euros|liters|gallons|feet|meters|tablespoons|grams",
    "domain": "gmail|yahoo|outlook|hotmail|icloud|example|company|work",
    "animal": "dog|cat|baby|son|daughter|wife|husband|boss|mom|dad|sister|brother|roommate|neighbor|landlord|manager|team|doctor",
    "contact": "mom|dad|my wife|my husband|my boss|my sister|my brother|the office|the doctor|the school|my landlord|grandma",
}
CHOICES = {name: words.split("|") for name, words in LISTS.items()}
# Templates of a kind, and how often the kind comes up.
TEMPLATES: list[tuple[int, list[str]]] = [
    (10, [
        "set a timer for {duration}", "set a {duration} timer", "timer for {duration}", "start a timer for {duration} please",
        "cancel the timer", "cancel timer", "pause timer", "resume the timer", "stop the timer", "how much time is left on the timer",
        "add {number} minutes to the timer", "set a {food} timer for {duration}", "remind me in {duration} to {task}",
        "{duration}", "in {duration}", "set a second timer for {duration}", "start the stopwatch",
        "set an alarm for {time}", "wake me up at {time}", "set an alarm for {time} on {day}", "cancel my {time} alarm", "snooze",
        "snooze for {number} minutes", "turn off all alarms", "what time is my alarm", "set a repeating alarm for {time} on weekdays",
    ]),
    (12, [
        "turn on the {place} {device}", "turn off the {place} {device}", "turn the {device} on in the {place}", "switch off the {device}",
        "turn off lights in the {place}", "turn on the lights in the {place}", "set {place} lights to {color}", "dim the {place} lights",
        "set the {place} lights to {number} percent", "set the thermostat to {number} degrees", "set brightness to {number} percent",
        "make it warmer in the {place}", "is the {place} {device} on", "open the garage door", "is the front door locked", "lock the front door",
        "what is the {place} temperature", "what's the {query} in the {place}", "close the {place} blinds", "make the {place} {device} {color}",
        "raise the temperature by {number} degrees", "turn everything off", "start the vacuum in the {place}", "good night", "never mind",
        "{device} on", "{device} off", "lights off", "lights on", "stop", "cancel", "next", "previous", "pause", "resume", "volume up", "volume down",
        "set the volume to {number}", "is the {device} in the {place} open",
    ]),
    (7, [
        "play {song}", "play {song} on {app}", "play {song} in the {place}", "skip this song", "next song", "turn the volume up", "turn it down",
        "shuffle {song}", "what song is this", "pause the music", "add this song to my playlist", "open {app}", "close {app}", "search for {topic} on {app}",
        "play the next episode", "rewind {number} seconds", "volume to {number} percent", "play something by {name} {surname}", "mute", "turn on subtitles",
        "take a screenshot", "scroll down", "go back", "open a new tab", "go to {name} dot com", "take a picture", "turn on do not disturb", "turn on airplane mode",
    ]),
    (8, [
        "call {contact}", "call {name}", "call {name} {surname}", "call {name} on speaker", "text {name} i'm running late", "text {contact} that i'll be there at {time}",
        "send a message to {name}", "send a message to {name} saying {dictated}", "send {name} an email about {topic}", "reply to {name} {dictated}",
        "read my messages", "do i have any new messages", "ask {name} if {day} works", "tell {contact} that {dictated}", "hang up", "dial {phone}",
        "my number is {phone}", "you can reach me at {phone}", "call me back at {phone}", "what's {name}'s phone number", "face time {name}",
        "send me an email with the {thing}", "send an email to {name} about {topic}", "text {name} the address", "video call {name}",
    ]),
    (9, [
        "what's the {query}", "what's the {query} in {city}", "what's the weather like in {city} {day}", "how's the weather", "will it rain {day}",
        "will it rain in {city} {day}", "what time is it in {city}", "how do i get to {city}", "how far is it to {city}", "navigate to {number} {street_name} {street}",
        "directions to {city}", "find a {drink} place near me", "find a restaurant in {city}", "what's the traffic like to {city}", "book a table for {small} at {time}",
        "book a flight to {city} on {date}", "find me a hotel in {city} for {small} nights", "how old is {name} {surname}", "who won the game last night",
        "what's the score of {sport}", "how many {unit_from} in a {unit_from}", "convert {number} {unit_from} to {unit_from}", "what is {number} times {number}",
        "what's {number} plus {number}", "what is {number} percent of {number}", "how do you spell {name}", "what day is {date}", "how many days until {date}",
        "what's on my calendar {day}", "when is my next meeting", "what's the capital of {city}", "add {date} to my calendar", "translate good morning to spanish",
        "when does the next train to {city} leave", "is there a pharmacy nearby", "get me a {drink}", "can i get a {size} {drink}", "i'd like a {size} {drink} with {milk}",
        "make me a {size} {drink} with {milk} please", "can i have a {size} {drink} to go",
    ]),
    (12, [
        "remind me to {task}", "remind me to {task} at {time}", "remind me to {task} {day}", "remind me to {task} on {date}", "add {food} to my {list_name}",
        "add {food} and {food} to my {list_name}", "add {food} {food} and {food} to the {list_name}", "put {food} on the {list_name}", "what's on my {list_name}",
        "note to self {task}", "make a note {dictated}", "i need to {task} and then {task}", "i need to {task} before {day}", "don't let me forget to {task}",
        "we're out of {food} and {food}", "we need {food} {food} {food} and some {food}", "we're running low on {food} so i should get some",
        "for dinner i'm thinking {food} with {food} and maybe some {food}", "grocery list {food} {food} {food} {food} and {food}",
        "schedule a meeting with {name} on {day} at {time}", "move my {time} meeting to {time}", "create an event called {topic} on {date} at {time}",
        "delete the reminder to {task}", "mark {task} as done", "meeting with {name} at {time} in {room}", "let's meet at {time} in {room}",
    ]),
    (16, [
        "hi {name} {dictated}", "hi {name} i wanted to follow up on {topic} {dictated}", "hey {name} just a quick note about {topic} {dictated}",
        "dear {name} thank you for your email {dictated}", "hello {name} {dictated} thanks {name}", "thanks for getting back to me about {topic}",
        "let me know if {day} at {time} works for you", "i've attached {topic} to this email", "best regards {name}", "kind regards {name} {surname}",
        "i'm writing to ask about {topic}", "could you send me {topic} by {day}", "let's talk about {topic} on {day}", "i'll send you the link {rest}",
        "the meeting is on {date} at {time}", "so i need to send an email to {name} about {topic}", "please find attached {topic}", "thanks {name}",
        "can we move the call from {time} to {time}", "i had a call with {name} about {topic} and we agreed to meet on {day}", "{dictated} {dictated}",
        "quick update on {topic} {dictated}", "i've been thinking about {topic} and {dictated}", "okay so {dictated}", "um so {dictated}",
        "the total comes to {money}", "it costs {money}", "we spent {money} on {topic}", "that's {number} percent more than last year",
        "i talked to {name} yesterday about {topic} and {dictated}", "my {animal} has an appointment at {time} on {day}",
    ]),
    (12, [
        "write a {code} that {does}", "write a {language} {code} that {does}", "can you refactor this {code}", "add a {code} for the {code}", "fix the bug in the {code}",
        "why does this {code} fail", "rename the {code} to {name}", "add tests for the {code}", "the {code} in {language} throws an error", "explain this {code}",
        "create a new branch", "commit the changes and push them", "open a pull request", "run the tests again", "the build is failing", "it returns {number} instead of {number}",
        "import the {code}", "deploy it to staging", "add a comment above the {code}", "make the {code} faster", "use {language} instead of {language}", "let's rewrite it in {language}",
        "the a p i returns a {number} error", "check the logs for the {code}", "revert the last commit", "the {code} takes {number} milliseconds", "install the latest version of {language}",
        "i'm working on the {code} and {dictated}", "the {code} needs a new {code}", "merge it into main", "set the timeout to {number} seconds", "update the docs for the {code}",
        "can you add a {code} to the {code} so that it {does}", "we should move the {code} into its own {code}", "version {small} point {small}", "the c p u is at {number} percent",
    ]),
    (14, ["{digits}", "{digits}", "{digits}", "my {thing} is {digits}", "the {thing} is {digits}", "{phone}", "{spaced_digits}", "the number is {digits}", "code {digits}", "{small} {digits}"]),
    (16, [
        "{spelled}", "{spelled}", "{spelled_name}", "{spelled_name}", "{spelled_full}", "{spelled_full}", "{name} {spelled_same}", "my name is {name} that's {spelled_same}",
        "it's spelled {spelled}", "that's {as_in}", "{as_in}", "{nato}", "{code_mix}", "the {thing} is {code_mix}", "my email is {mail}", "{mail}", "{letter} as in {word_for}",
        "double u", "{spelled_name} at {domain} dot com", "capital {letter}", "underscore", "dash", "the license plate is {code_mix}", "{surname} {spelled_surname}",
    ]),
    (12, [
        "{address}", "{address} {city}", "{address} {city} {zip}", "my address is {address}", "i live at {address} in {city}", "ship it to {address} {city} {zip}",
        "{address} apartment {small}", "{address} unit {digits}", "{address} {zip}", "{address} {short_digits}", "the zip code is {zip}", "{number} {spelled_street} {street}",
    ]),
    (8, ["{time}", "{date}", "{date} {year}", "at {time} on {date}", "on {day} at {time}", "from {time} to {time}", "{month} {year}", "born on {date} {year}", "half past {small}", "quarter to {small}", "{money}", "{number}", "{number} point {small}"]),
]
PHRASES = [
    "i'll be there at {time}", "i'm on my way", "can you pick up some {food}", "i think we should {task}", "the numbers look good but we need to talk about {topic}",
    "we should look into {topic}", "it looks like {topic} is going to take longer than we thought", "i'll have it ready by {day}", "let me know what works for you",
    "i wanted to check in about {topic}", "i'm wondering if we can {task}", "maybe we could meet on {day} around {time}", "that sounds great", "i don't think that's a problem",
    "i'll get back to you {rest}", "could you take a look at {topic}", "my {animal} is not feeling well", "the team has been working on {topic}", "please {task} {rest}",
    "i'm going out for lunch", "we talked about {topic} briefly", "it's been a long week", "i was thinking of using {language} for the {code}", "i'm running about {number} minutes late",
    "we can discuss it over {drink}", "i haven't heard back from {name} yet", "the {code} is still broken", "don't forget to {task}", "happy birthday", "see you {day}",
]
DOES = [
    "sorts a list of numbers", "reads a c s v file", "returns the sum of two numbers", "validates an email address", "connects to the database", "parses the j son", "sends a request to the a p i",
    "counts the words in a file", "downloads the page", "checks whether a string is a palindrome", "converts the dates", "retries three times", "logs the errors", "renders the table",
    "filters out the duplicates", "handles the empty case", "runs every night", "groups the users by country", "removes the old files", "shows a loading spinner",
]
SURNAMES = (
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore jackson martin lee perez "
    "thompson white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera "
    "campbell mitchell carter roberts patel kim chen wang li singh kumar khan ali cohen kaplan murphy kelly sullivan o'brien schmidt mueller rossi silva santos costa "
    "pereira ivanov novak kowalski yamamoto tanaka suzuki sharma gupta shah rao reddy iyer krishnan hassan ibrahim okafor mensah diaz cruz ortiz gomez morales fischer weber"
).split()


class Filler:
    def __init__(self, names: list[str], cities: list[str], seed: int):
        self.rng, self.names, self.cities = random.Random(seed), names, cities
        makers = [n.removeprefix("make_") for n in dir(self) if n.startswith("make_")]
        self.makers: dict[str, Callable[[], str]] = {n: getattr(self, f"make_{n}") for n in makers}

    def fill(self, template: str) -> str:
        self.last_name = self.rng.choice(self.names)
        while "{" in template:
            template = re.sub(r"\{(\w+)\}", lambda m: self.slot(m[1]), template)
        return template

    def slot(self, name: str) -> str:
        return self.makers[name]() if name in self.makers else self.rng.choice(CHOICES[name])

    def digit(self) -> str:
        return self.rng.choice([*ONES[:10], "oh" if self.rng.random() < 0.5 else "zero"])

    def make_digits(self) -> str:
        length = self.rng.choice([3, 4, 4, 5, 6, 7, 9, 10, 10, 10, 12, 16])
        said = []
        while len(said) < length:
            pair = self.rng.random()
            said.append("double " + self.digit() if pair < 0.02 else self.digit())
        return " ".join(said)

    def make_short_digits(self) -> str:
        return " ".join(self.digit() for _ in range(self.rng.choice([2, 3, 3, 4])))

    def make_spaced_digits(self) -> str:
        pairs = [self.tens() if self.rng.random() < 0.6 else self.digit() for _ in range(self.rng.randint(2, 5))]
        return " ".join(pairs)

    def tens(self) -> str:
        return cardinal(self.rng.randint(10, 99))

    def make_phone(self) -> str:
        ten = " ".join(self.digit() for _ in range(10))
        return self.rng.choice([ten, ten, " ".join(self.digit() for _ in range(7)), "eight hundred " + " ".join(self.digit() for _ in range(7)), "plus one " + ten])

    def make_small(self) -> str:
        return cardinal(self.rng.randint(1, 12))

    def make_number(self) -> str:
        return cardinal(self.rng.choice([self.rng.randint(1, 20), 5 * self.rng.randint(1, 20), self.rng.randint(20, 100), 10 * self.rng.randint(10, 99), self.rng.randint(101, 999), 100 * self.rng.randint(10, 99)]))

    def make_duration(self) -> str:
        small = self.rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 45, 50, 60, 90])
        unit = self.rng.choice(["minute", "minute", "minute", "second", "hour"])
        said = f"{cardinal(small)} {unit}{'' if small == 1 else 's'}"
        return self.rng.choice([said, said, said, said, "half an hour", "an hour", "an hour and a half", f"{said} and {self.make_small()} seconds", "a minute"])

    def make_time(self) -> str:
        hour, minute = cardinal(self.rng.randint(1, 12)), self.rng.choice(["", "", "", "thirty", "fifteen", "forty five", "oh five", "twenty", "ten", "fifty", cardinal(self.rng.randint(11, 59))])
        after = self.rng.choice(["", "", "a m", "p m", "p m", "in the morning", "in the evening", "o'clock" if not minute else "", "tonight"])
        return " ".join(f"{hour} {minute} {after}".split())

    def make_month(self) -> str:
        return self.rng.choice(MONTHS).lower()

    def make_date(self) -> str:
        day = ordinal(self.rng.randint(1, 31))
        return f"{self.make_month()} {day}" if self.rng.random() < 0.75 else f"the {day} of {self.make_month()}"

    def make_year(self) -> str:
        return year(self.rng.choice([self.rng.randint(1930, 2030), self.rng.randint(1990, 2030)]))

    def make_money(self) -> str:
        dollars = cardinal(self.rng.choice([self.rng.randint(1, 100), 50 * self.rng.randint(2, 60), self.rng.randint(100, 5000)]))
        return self.rng.choice([f"{dollars} dollars", f"{dollars} dollars and {self.tens()} cents", f"{self.make_small()} {self.tens()}", f"{dollars} euros", f"{dollars} pounds", f"{self.make_small()} million dollars"])

    def make_letter(self) -> str:
        return self.rng.choice(LETTERS)

    def make_word_for(self) -> str:
        return self.rng.choice(AS_IN)

    def make_name(self) -> str:
        return self.last_name if self.rng.random() < 0.5 else self.rng.choice(self.names)

    def make_surname(self) -> str:
        return self.rng.choice(SURNAMES)

    def make_city(self) -> str:
        return self.rng.choice(self.cities[: self.rng.choice([100, 400, 2000])])

    def spell(self, word: str) -> str:
        return " ".join(c for c in word if c in LETTERS)

    def make_spelled(self) -> str:
        return self.spell(self.rng.choice([self.rng.choice(self.names), self.make_surname(), self.make_city()]))

    def make_spelled_name(self) -> str:
        return self.spell(self.rng.choice(self.names))

    def make_spelled_surname(self) -> str:
        return self.spell(self.make_surname())

    def make_spelled_full(self) -> str:
        return f"{self.spell(self.rng.choice(self.names))} {self.spell(self.make_surname())}"

    def make_spelled_same(self) -> str:
        return self.spell(self.last_name)

    def make_spelled_street(self) -> str:
        return self.spell(self.slot("street_name"))

    def make_as_in(self) -> str:
        letters = self.rng.choice(self.names)
        how = self.rng.choice(["as in", "for", "like"])
        return " ".join(f"{c} {how} {AS_IN[LETTERS.index(c)]}" for c in letters if c in LETTERS)

    def make_nato(self) -> str:
        return " ".join(self.rng.choice([*NATO, *NATO, self.digit()]) for _ in range(self.rng.randint(2, 6)))

    def make_code_mix(self) -> str:
        return " ".join(self.digit() if self.rng.random() < 0.5 else self.rng.choice(LETTERS) for _ in range(self.rng.randint(4, 8)))

    def make_mail(self) -> str:
        name = self.rng.choice([self.rng.choice(self.names), f"{self.rng.choice(self.names)} dot {self.make_surname()}", f"{self.rng.choice(LETTERS)} dot {self.make_surname()}", self.spell(self.make_surname())])
        return f"{name} at {self.slot('domain')} dot {self.rng.choice(['com', 'com', 'org', 'net', 'co dot u k', 'io', 'edu'])}"

    def make_address(self) -> str:
        number = self.rng.choice([self.make_short_digits(), self.make_short_digits(), self.tens(), f"{self.digit()} {self.tens()}", f"{self.tens()} {self.tens()}", self.make_number(), self.digit()])
        return f"{number} {self.rng.choice([self.slot('street_name'), self.slot('street_name'), self.make_surname()])} {self.slot('street')}"

    def make_zip(self) -> str:
        return " ".join(self.digit() for _ in range(5))

    def make_size(self) -> str:
        return self.rng.choice(["small", "medium", "large", "tall", "grande", "decaf", "iced", "extra large"])

    def make_milk(self) -> str:
        return self.rng.choice(["milk", "oat milk", "almond milk", "soy milk", "sugar", "cream", "whipped cream", "no sugar", "extra ice", "some honey", "caramel syrup"])

    def make_does(self) -> str:
        return self.rng.choice(DOES)

    def make_dictated(self) -> str:
        return self.rng.choice(PHRASES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, required=True, help="first names, one a line")
    parser.add_argument("--cities", type=Path, required=True, help="cities, the largest first; what follows a tab is ignored")
    parser.add_argument("--count", type=int, default=120_000, help="sentences")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    names = [n.lower() for n in args.names.read_text().split("\n") if n.isascii() and n.isalpha()]
    cities = [line.split("\t")[0].lower() for line in args.cities.read_text().splitlines()]
    filler = Filler(names, [c for c in cities if re.fullmatch("[a-z' -]+", c)], args.seed)
    kinds = filler.rng.choices([kind for _, kind in TEMPLATES], [weight for weight, _ in TEMPLATES], k=args.count)
    with open(args.out, "w") as out:
        out.writelines(filler.fill(filler.rng.choice(kind)) + "\n" for kind in kinds)
    print(f"{args.out}: {args.count} sentences")


if __name__ == "__main__":
    main()
