"""Writes the committed goldens of the tokenizer, tests/tokens/data/gemma3.jsonl: some thousands of the live comparison's texts, ids and conversations.

    python tools/oracle/make_token_goldens.py tokenizer.json

from Gemma 3's tokenizer.json, with the library versions of tests/oracle/requirements.txt. The lines are those of token_cases.py.
"""
import itertools
import pathlib
import sys

import token_cases
from token_texts import Texts

MAX_CHARACTERS = 40  # of most texts, MAX_TURNS of the turns of a conversation together: the file stays small
MAX_TURNS = 120


def main():
    reference = token_cases.Reference(pathlib.Path(sys.argv[1]))
    texts = Texts("goldens", reference.pieces)
    def short(make, n, measure=len, most=MAX_CHARACTERS):
        return list(itertools.islice((x for x in iter(make, None) if measure(x) <= most), n))
    chosen = [*short(texts.one, 1200), *short(texts.marks, 300), *(texts.one() for _ in range(20)), *itertools.islice(texts.runs(), 0, None, 31)]
    sequences = [texts.ids(reference.size) for _ in range(250)]
    conversations = short(texts.conversation, 300, lambda turns: sum(len(content) for _, content in turns), MAX_TURNS)
    out = token_cases.TEMPLATE.parent / "gemma3.jsonl"
    n = token_cases.write(out, itertools.chain(reference.text_cases(chosen), reference.id_cases(sequences), reference.turn_cases(conversations)))
    print(f"{out}: {n} lines, {out.stat().st_size} bytes")


main()
