"""Podcast transcripts and press briefings, Markdown in Git repositories, as plain sentences in their original case.

    git clone --bare https://github.com/thechangelog/transcripts podcasts.git
    git clone --bare https://github.com/brian14708/wh-briefings briefings.git
    python transcripts_text.py podcasts.git podcasts --out text/changelog.txt
    python transcripts_text.py briefings.git briefings --out text/wh_spoken.txt
    python transcripts_text.py briefings.git statements --out text/wh_written.txt

One sentence a line, those of a turn after one another, an empty line between turns. A sentence that the collection has
already given is left out.
"""

import argparse
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

PODCASTS = "afk backstage brainscience founderstalk friends gotime jsparty news podcast practicalai rfc shipit spotlight"
SPOKEN, UNSPOKEN = "press-briefings speeches-remarks remarks", "disclosures uncategorized .github _scraper"
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
# `**Adam Stacoviak:**`, `MS. PSAKI:`, `THE PRESIDENT:`, `Q` before what is said.
SPEAKER = re.compile(r"^(?:\*\*[^*\n]{1,60}:?\*\*:?|[A-Z][A-Z.'’\- ]{1,50}(?:\([^)]*\))?:|Q(?= ))\s*")
# Links keep their text; pictures, code, notes such as `\[laughter\]` or `(Applause.)` and time codes go.
MARKUP = [
    (re.compile(r"```.*?```", re.DOTALL), " "),
    (re.compile(r"!\[[^\]]*\]\([^)]*\)|<[^>]*>|https?://\S+"), " "),
    (re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"\\?\[[^\]\n]*\]"), " "),
    (re.compile(r"\((?:Laughs?|Laughter|Applause|Crosstalk|Inaudible|Speaks|As \w+)[^)]*\)", re.IGNORECASE), " "),
    (re.compile(r"\b\d{1,2}:\d{2}:\d{2}(?:\.\d+)?\b"), " "),
    (re.compile(r"[*_`#>\\|]+"), " "),
]
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’)]*\s+(?=[\"“‘(]*[A-Z0-9])")
# After these a full stop ends no sentence.
ABBREVIATED = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Jr|Sr|Prof|No|vs|[A-Z])|\.[A-Z])\.$")
SHORTEST_TURN = 2


def blobs(repository: Path, folders: set[str] | None, without: set[str]) -> Iterator[str]:
    """Yield the Markdown files of the newest commit that stand in these folders, or in all but some."""
    listing = subprocess.run(["git", "-C", repository, "ls-tree", "-r", "-z", "HEAD"], capture_output=True, check=True)
    command = ["git", "-C", repository, "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        for row in filter(None, listing.stdout.decode(errors="replace").split("\0")):
            (_, _, name), path = row.split("\t")[0].split(), row.split("\t")[1]
            folder = path.split("/")[0]
            if not path.endswith(".md") or "/" not in path or folder in without or (folders and folder not in folders):
                continue
            reader.stdin.write(f"{name}\n".encode())
            reader.stdin.flush()
            header = reader.stdout.readline().split()
            if header[1] != b"missing":
                yield reader.stdout.read(int(header[2]) + 1)[:-1].decode(errors="replace")


def split_sentences(turn: str) -> list[str]:
    sentences = []
    for piece in SENTENCE_END.split(turn):
        if sentences and ABBREVIATED.search(sentences[-1]):
            sentences[-1] += " " + piece
        else:
            sentences.append(piece)
    return sentences


def read_turns(markdown: str) -> Iterator[list[str]]:
    """Yield the sentences of each paragraph."""
    text = FRONT_MATTER.sub("", markdown)
    for pattern, instead in MARKUP[:1]:
        text = pattern.sub(instead, text)
    for paragraph in re.split(r"\n\s*\n", text):
        said = SPEAKER.sub("", " ".join(paragraph.split()))
        for pattern, instead in MARKUP[1:]:
            said = pattern.sub(instead, said)
        said = " ".join(said.split())
        # Headings and signatures have no end.
        if len(said.split()) >= SHORTEST_TURN and re.search(r"[.!?…][\"”’)]*$", said):
            yield split_sentences(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("kind", choices=["podcasts", "briefings", "statements"])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    spoken = set(SPOKEN.split())
    folders = {"podcasts": set(PODCASTS.split()), "briefings": spoken, "statements": None}[args.kind]
    without = set(UNSPOKEN.split()) | (spoken if args.kind == "statements" else set())
    seen, words = set(), 0
    with open(args.out, "w") as out:
        for markdown in blobs(args.repository, folders, without):
            for turn in read_turns(markdown):
                # Hello and goodbye come often, and are said often.
                new = [s for s in turn if len(s) < 20 or s not in seen]
                seen.update(new)
                words += sum(len(s.split()) for s in new)
                out.writelines(s + "\n" for s in [*new, *[""] * bool(new)])
    print(f"{args.out}: {words} words")


if __name__ == "__main__":
    main()
