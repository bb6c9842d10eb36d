"""The shipped nano's answers to its held-out questions are those that were written down when it was shipped (answers.jsonl).

    python3 answers_test.py COMMAND             compares: 20 questions of each skill, at two sizes, with f32 activations
    python3 answers_test.py COMMAND --write     writes answers.jsonl, for a new version of the model
Answers with 8-bit activations may differ from these by rounding, more so between CPUs; f32 ones only where two tokens are almost equally likely.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NANO = HERE.parents[1] / "models/nano"
ANSWERS = HERE / "answers.jsonl"
SIZES = ("full", "small")
EACH = 20
ALLOWED = 0.005  # of the answers may differ: near ties


def sample(lines: list[dict]) -> list[int]:
    """Line numbers of the first questions of each task."""
    seen: dict[str, int] = {}
    out = []
    for i, line in enumerate(lines, 1):
        seen[line["task"]] = seen.get(line["task"], 0) + 1
        if seen[line["task"]] <= EACH:
            out.append(i)
    return out


def answers(command: str, lines: list[dict], numbers: list[int]) -> list[dict]:
    with tempfile.TemporaryDirectory() as work:
        suite, said = pathlib.Path(work) / "suite.jsonl", pathlib.Path(work) / "said.jsonl"
        (pathlib.Path(work) / "media").symlink_to(NANO / "suite/media")
        suite.write_text("".join(json.dumps(lines[n - 1]) + "\n" for n in numbers))
        subprocess.run([command, "eval", NANO / "nano-Q8_0.gguf", "--suite", suite, "--size", ",".join(SIZES), "--activations", "f32", "--answers", said], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        out = [json.loads(line) for line in said.read_text().splitlines()]
    return [{"line": numbers[a["line"] - 1], "size": a["size"], "said": a["said"]} for a in out]


def main() -> int:
    command = sys.argv[1]
    lines = [json.loads(line) for line in (NANO / "suite/suite.jsonl").read_text().splitlines()]
    numbers = sample(lines)
    now = answers(command, lines, numbers)
    if sys.argv[2:] == ["--write"]:
        ANSWERS.write_text("".join(json.dumps(a, ensure_ascii=False) + "\n" for a in now))
        print(f"{ANSWERS}: {len(now)} answers")
        return 0
    then = [json.loads(line) for line in ANSWERS.read_text().splitlines()]
    if [(a["line"], a["size"]) for a in now] != [(a["line"], a["size"]) for a in then] or len(now) != len(SIZES) * len(numbers):
        print(f"{ANSWERS}: is of other questions than {NANO}/suite: expected it to be written anew (--write)")
        return 1
    others = [(a, b) for a, b in zip(now, then) if a["said"] != b["said"]]
    for a, b in others:
        print(f"line {a['line']}, {a['size']}: '{a['said']}', was '{b['said']}'")
    for size in SIZES:
        right = sum(a["said"] == lines[a["line"] - 1]["answer"] for a in now if a["size"] == size)
        print(f"{size}: {right} of {len(numbers)} right")
    print(f"{len(now) - len(others)} of {len(now)} answers as they were written down")
    return 0 if len(others) <= ALLOWED * len(now) else 1


if __name__ == "__main__":
    sys.exit(main())
