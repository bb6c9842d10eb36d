"""The dictionary: common nouns of WordNet 3.0 with the short gloss of their first sense. WordNet's licence (tools/train_nano/README.md) goes with them.

What is read are the files of Debian's package wordnet-base; NANO_WORDNET names another folder that holds them.
"""
import functools
import os
import pathlib
import re

from .. import seeds

N_TAUGHT = 1500
GLOSS_LETTERS = 48
_PLAIN = re.compile(r"(?=.*[aeiouy])[a-z]{3,9}")  # without a vowel it is an abbreviation
# a noun with such a word in the gloss of any of its senses is neither explained nor printed
_UNFIT = re.compile(r"slur|offensive|disparag|derogat|vulgar|obscen|sexual|genital|prostitut|erotic|feces|faeces|excre|urin|penis|vagina|anus|buttocks|breasts|semen|slave|nazi|racis|rape|intercourse|stupid|idiot|"
                    r"deity|worship|suicide|murder|heroin|cocaine|narcotic|contempt|homosex|lesbian|Negro|Jew|Islam|Muslim|Hindu|Christ|torture|kill|whore|naked|nipple|breast|drunk|hangman|terroris|corpse")
_UNFIT_WORDS = frozenset("abo abortion adulterer babe belching booby commie cop cripple damn damned depravity diarrhea freak fornication menarche maniac midget nuthouse pants savage scours "
                         "sin sinner slob spastic testicle tit virgin virginity vomiting whiteface womb".split())
_GLOSS = re.compile(r"[a-z][a-z ,'-]{7,%d}" % (GLOSS_LETTERS - 1))


def folder() -> pathlib.Path:
    return pathlib.Path(os.environ.get("NANO_WORDNET", "/usr/share/wordnet"))


def _uses() -> dict[str, int]:
    """How often a noun was met in WordNet's tagged texts, all its senses."""
    uses: dict[str, int] = {}
    for line in (folder() / "cntlist.rev").read_text().splitlines():
        key, _, count = line.split()
        lemma, sense = key.split("%")
        if sense[0] == "1" and _PLAIN.fullmatch(lemma):
            uses[lemma] = uses.get(lemma, 0) + int(count)
    return uses


@functools.cache
def _senses() -> dict[str, list[int]]:
    """Noun -> bytes of data.noun where its senses stand, the first one first."""
    places = {}
    for line in (folder() / "index.noun").read_text().splitlines():
        if line.startswith(" "):
            continue  # the licence
        fields = line.split()
        if _PLAIN.fullmatch(fields[0]):
            places[fields[0]] = [int(f) for f in fields[6 + int(fields[3]):]]  # lemma pos n p_cnt [p..] senses tagged offset..
    return places


def _line(data: bytes, at: int) -> str:
    return data[at:data.index(b"\n", at)].decode()


def _gloss(word: str, line: str) -> str:
    """Short and plain, or "": one that says the word itself explains nothing."""
    text = line.split("| ", 1)[1]
    text = re.sub(r"\([^)]*\)\s*", "", text).split(";")[0].split(":")[0].strip()
    return text if _GLOSS.fullmatch(text) and word not in re.findall(r"[a-z]+", text) else ""


@functools.cache
def _nouns() -> tuple[tuple[str, str], ...]:
    """(noun, gloss or ""), the most used first, names in order among equals."""
    uses, places = _uses(), _senses()
    data = (folder() / "data.noun").read_bytes()
    out = []
    for word in sorted((w for w in places if uses.get(w, 0) > 0), key=lambda w: (-uses[w], w)):
        lines = [_line(data, at) for at in places[word]]
        if word not in _UNFIT_WORDS and not any(_UNFIT.search(line) for line in lines):
            out.append((word, _gloss(word, lines[0])))
    return tuple(out)


@functools.cache
def taught() -> dict[str, str]:
    """Word -> gloss, N_TAUGHT of them; no two words have one gloss, so that each answer is its word's alone."""
    out: dict[str, str] = {}
    seen = set()
    for word, gloss in _nouns():
        if gloss and gloss not in seen and len(out) < N_TAUGHT:
            out[word] = gloss
            seen.add(gloss)
    return out


@functools.cache
def printed() -> tuple[str, ...]:
    """Words of 3 to 6 letters to be read from pictures."""
    return tuple(w.upper() for w, _ in _nouns() if len(w) <= 6)[:2000]


_SYLLABLES = ("ba", "bli", "cro", "da", "dre", "fi", "flo", "ga", "gri", "hu", "jo", "ka", "lum", "ma", "mip", "ne", "nor", "pla", "qua", "ro", "sti", "ta", "tru", "ul", "vo", "wex", "yi", "zan")


def made_up(i: int) -> str:
    """The i-th word that no dictionary holds (or that it does by accident: those are left out by asking again)."""
    r = seeds.source("made-up", i)
    while True:
        word = "".join(r.choice(_SYLLABLES) for _ in range(r.choice((2, 2, 3))))
        if word not in _senses():
            return word


@functools.cache
def untaught() -> tuple[str, ...]:
    """True words that the dictionary leaves out, to be answered with not knowing: rarer ones."""
    known = taught()
    return tuple(w for w, _ in _nouns() if w not in known)[-3000:]
