"""A GGUF file that holds nothing but the vocabulary of a tokenizer.json, by the rules of llama.cpp's converter.

    python tools/oracle/vocabulary_gguf.py tokenizer.json vocabulary.gguf [--media user-defined]

Added tokens that are special, or look like <pad>, <mask> or <unusedN>, become control tokens; other added tokens user-defined, with real
spaces in place of the space marks. Scores are the negative order of the merges. --media user-defined types the media marks as the
published files of Gemma 3 270M do.
"""
import argparse
import json
import pathlib
import re
import struct

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9


def string(s: str | bytes) -> bytes:
    b = s.encode() if isinstance(s, str) else s
    return struct.pack("<Q", len(b)) + b


def convert(tokenizer: dict, media_user_defined: bool = False) -> dict:
    vocab = tokenizer["model"]["vocab"]
    added = {t["id"]: t for t in tokenizer["added_tokens"]}
    size = max(*vocab.values(), *added) + 1
    order = {}
    for n, merge in enumerate(tokenizer["model"]["merges"]):
        order.setdefault(merge.replace(" ", "", 1) if isinstance(merge, str) else "".join(merge), n)
    tokens = [f"[PAD{i}]" for i in range(size)]
    scores = [-10000.0] * size
    types = [UNUSED] * size
    for piece, i in vocab.items():
        tokens[i], types[i] = piece, NORMAL
        scores[i] = -float(order.get(piece, len(order) + i))
        if re.fullmatch("<0x[0-9A-F]{2}>", piece):
            types[i], scores[i] = BYTE, 0.0
    for i, t in added.items():
        piece = t["content"]
        is_control = t["special"] or re.fullmatch(r"<(pad|mask|unused\d*)>", piece) is not None
        if media_user_defined and piece in ("<start_of_image>", "<end_of_image>"):
            is_control = False
        tokens[i], scores[i], types[i] = (piece if is_control else piece.replace("\u2581", " ")), -1000.0, CONTROL if is_control else USER_DEFINED
    return {"tokens": tokens, "scores": scores, "types": types}


def write(path: pathlib.Path, v: dict) -> None:
    n = len(v["tokens"])
    keys = [("general.architecture", STRING, string("gemma3n")), ("tokenizer.ggml.model", STRING, string("llama")), ("tokenizer.ggml.pre", STRING, string("default")),
            ("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQ", STRING, n) + b"".join(map(string, v["tokens"]))),
            ("tokenizer.ggml.scores", ARRAY, struct.pack(f"<IQ{n}f", F32, n, *v["scores"])),
            ("tokenizer.ggml.token_type", ARRAY, struct.pack(f"<IQ{n}i", I32, n, *v["types"])),
            ("tokenizer.ggml.bos_token_id", U32, struct.pack("<I", 2)), ("tokenizer.ggml.eos_token_id", U32, struct.pack("<I", 1)),
            ("tokenizer.ggml.unknown_token_id", U32, struct.pack("<I", 3)), ("tokenizer.ggml.padding_token_id", U32, struct.pack("<I", 0)),
            ("tokenizer.ggml.add_bos_token", BOOL, b"\1"), ("tokenizer.ggml.add_space_prefix", BOOL, b"\0")]
    with open(path, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)))
        for key, kind, value in keys:
            f.write(string(key) + struct.pack("<I", kind) + value)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("tokenizer_json", type=pathlib.Path)
    p.add_argument("gguf", type=pathlib.Path)
    p.add_argument("--media", choices=["control", "user-defined"], default="control")
    a = p.parse_args()
    write(a.gguf, convert(json.loads(a.tokenizer_json.read_text()), a.media == "user-defined"))


if __name__ == "__main__":
    main()
