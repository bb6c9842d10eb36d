"""What the tokenizers library and the model's own turn template make of the texts of token_texts.py, as lines of JSON that test_tokens runs:

    {"text", "plain": ids, "parsed": ids}           parsed is left out when it is the same
    {"ids", "keep": text, "skip": text}             decoded with and without special tokens; skip is left out when it is the same
    {"turns": [[role, content]], "generation", "rendered": text or null for an error, "ids"}   ids only where no content holds a special token
"""
import json
import pathlib

import jinja2
import jinja2.sandbox
import tokenizers

from token_texts import SPECIAL

TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "tests/tokens/data/gemma_template.jinja"


class Refused(Exception):
    pass


class Reference:
    def __init__(self, tokenizer_json: pathlib.Path):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_json))
        self.size = self.tokenizer.get_vocab_size()
        self.pieces = [self.tokenizer.id_to_token(i) for i in range(self.size)]

        def refuse(message):
            raise Refused(message)
        # as transformers sets it up
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = refuse
        self.template = environment.from_string(TEMPLATE.read_text())

    def encode(self, texts: list[str], parsed: bool) -> list[list[int]]:
        self.tokenizer.encode_special_tokens = not parsed
        return [e.ids for e in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def text_cases(self, texts: list[str]):
        for text, plain, parsed in zip(texts, self.encode(texts, False), self.encode(texts, True)):
            yield {"text": text, "plain": plain} | ({"parsed": parsed} if parsed != plain else {})

    def id_cases(self, sequences: list[list[int]]):
        keep = self.tokenizer.decode_batch(sequences, skip_special_tokens=False)
        skip = self.tokenizer.decode_batch(sequences, skip_special_tokens=True)
        for ids, a, b in zip(sequences, keep, skip):
            yield {"ids": ids, "keep": a} | ({"skip": b} if a != b else {})

    def turn_cases(self, conversations: list[list[tuple[str, str]]]):
        for n, turns in enumerate(conversations):
            generation = n % 3 != 0
            messages = [{"role": role, "content": content} for role, content in turns]
            case = {"turns": turns, "generation": generation}
            try:
                case["rendered"] = self.template.render(messages=messages, add_generation_prompt=generation, bos_token="<bos>")
                if not any(s in content for s in SPECIAL for _, content in turns):
                    case["ids"] = self.encode([case["rendered"]], True)[0]
            except Refused:
                case["rendered"] = None
            yield case


def write(path: pathlib.Path, cases) -> int:
    n = 0
    with open(path, "w", encoding="utf-8") as f:
        for case in cases:
            f.write(json.dumps(case, ensure_ascii=False, separators=(",", ":")) + "\n")
            n += 1
    return n
