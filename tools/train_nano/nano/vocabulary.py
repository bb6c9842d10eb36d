"""The tokenizer: BPE with byte fallback and Gemma's marks, in Hugging Face's tokenizer.json. Learned here from the data's own sentences.

Digits stand alone, and so does each capital letter of a printed word; punctuation and words never share a piece. So the pipeline can be
Gemma's, which cuts nothing before merging.
"""
import collections
import functools
import json
import re

from . import seeds, sizes
from .data import commands, pictures, talk, videos, words

SPACE = "\u2581"
_CUT = re.compile(rf"{SPACE}?[^\W\d_]+|\d|[^\w]+|_")
_LETTERS = [chr(c) for c in range(33, 127)] + list("áéíóúñüÁÉÍÓÚÑ¿¡")


def _sentences() -> collections.Counter:
    """What is asked and answered, with how often it counts."""
    r, out = seeds.source("vocabulary"), collections.Counter()
    for word, gloss in words.taught().items():
        for asked in talk.DEFINE:
            out[asked.format(word)] += 1
        out[gloss] += 6
    for c in commands.commands() + commands.numbers():
        out.update({c.said: 3, c.call: 2, c.spanish: 2, talk.TO_CALL: 1, talk.TO_SPANISH: 1})
    for asked, answer in talk.WHO:
        out.update({a: 3 for a in asked})
        out[answer] += 20
    out.update({"user\n": 500, "model\n": 500, talk.UNKNOWN: 200, talk.NOT_TAUGHT: 200, "What is": 200, "12, 30, 7": 500, "What does it say?": 100, videos.MOVES: 100, videos.SAID: 100})
    for i in range(1500):
        _, asked = (pictures.group if i % 2 else lambda r, _: pictures.scene(r))(r, False)
        for question, answer in asked:
            out.update((question, answer))
    for colour in pictures.COLOURS:
        for direction in videos.DIRECTIONS:
            out[f"a {colour} circle moves {direction}"] += 20
    for i in range(2000):
        out[f"What is {words.made_up(i)}?"] += 1
    return out


def _parts() -> collections.Counter:
    """Stretches that merging stays within."""
    out = collections.Counter()
    for sentence, n in _sentences().items():
        for line in sentence.split("\n"):
            for part in _CUT.findall(line.replace(" ", SPACE)):
                out[part] += n
    return out


def learn(n: int) -> list[tuple[str, str]]:
    """The n best merges, the most frequent pair first, the smaller among equals."""
    counts = _parts()
    symbols = {part: list(part) for part in counts}
    pairs, holders = collections.Counter(), collections.defaultdict(set)

    def count(part: str, sign: int):
        for pair in zip(symbols[part], symbols[part][1:]):
            pairs[pair] += sign * counts[part]
            holders[pair].add(part)

    for part in symbols:
        count(part, 1)
    merges = []
    while len(merges) < n and pairs:
        best = min(pairs, key=lambda p: (-pairs[p], p))
        if pairs[best] <= 0:
            break
        merges.append(best)
        for part in sorted(holders.pop(best)):
            count(part, -1)
            s, i = symbols[part], 0
            while i + 1 < len(s):
                if (s[i], s[i + 1]) == best:
                    s[i:i + 2] = ["".join(best)]
                i += 1
            count(part, 1)
        del pairs[best]
    return merges


def _special(i: int, piece: str, special: bool = True) -> dict:
    return {"id": i, "content": piece, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special}


@functools.cache
def make() -> str:
    """tokenizer.json; some seconds."""
    s = sizes
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"] + ["\n" * i for i in range(1, 5)] + [f"<0x{b:02X}>" for b in range(256)]
    added = [_special(i, p) for i, p in enumerate(pieces[:s.NEWLINES])] + [_special(s.NEWLINES + i, "\n" * (i + 1), False) for i in range(4)]
    pieces += [SPACE] + _LETTERS
    merges = []
    for left, right in learn(2 * s.TEXT_VOCAB):  # several merges may make one piece
        if left + right not in pieces:
            if len(pieces) == s.BEGIN_IMAGE:
                break
            pieces.append(left + right)
        merges.append([left, right])
    if len(pieces) != s.BEGIN_IMAGE:
        raise ValueError(f"the vocabulary has {len(pieces)} pieces: expected {s.BEGIN_IMAGE}, the data has too few words")
    pieces += [s.MARKS.get(i, f"<media{i}>") for i in range(s.BEGIN_IMAGE, s.VOCAB)]
    added += [_special(i, piece) for i, piece in sorted(s.MARKS.items())]
    bos = {"SpecialToken": {"id": "<bos>", "type_id": 0}}
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        "post_processor": {"type": "TemplateProcessing", "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [bos, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                           "special_tokens": {"<bos>": {"id": "<bos>", "ids": [s.BOS], "tokens": ["<bos>"]}}},
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": {p: i for i, p in enumerate(pieces)}, "merges": merges}}, ensure_ascii=False, indent=0)
