"""One phase of the nano model's training, or what is made of it; train.sh runs them all.

    python train.py PHASE --out DIR [--from DIR] [--minutes N] [--device cuda] [--threads N] [--workers N] [--scale X]

PHASE: data, vision, audio, text, joint, polish, table, suite, export. A phase that was killed goes on from its checkpoint in DIR; one that is
done is left alone. What a phase starts from (the f16 weights of those before it, and the tokenizer) is looked for in --from, by default DIR; joint and polish also begin from
the shipped model, --from models/nano, and go on training it.
Exit: 0 done, 3 the minutes or the steps are over (the same command goes on), 1 something is missing or wrong.
"""
import argparse
import fcntl
import pathlib
import shutil
import sys

from nano.training import Unfinished

N_CLIPS, N_HELD_CLIPS, N_QUESTIONS = 16_000, 600, 100
NEEDS = {"joint": ("text", "vision", "audio"), "polish": ("joint",)}


def say(line: str):
    print(line, file=sys.stderr, flush=True)


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("phase", choices=("data", "vision", "audio", "text", "joint", "polish", "table", "suite", "export"))
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--from", dest="source", type=pathlib.Path, help="where the weights of the phases before lie; default: --out")
    p.add_argument("--minutes", type=float, default=0, help="stop after so many, with a checkpoint; default: when done")
    p.add_argument("--steps", type=int, default=0, help="stop after so many steps of the phase, a multiple of its log's, with a checkpoint")
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--ranks", type=int, default=1, help="processes that share text, joint and polish, on a CPU: a thread each")
    p.add_argument("--rank", default="", help=argparse.SUPPRESS)  # of one that rank 0 has started: number:port
    p.add_argument("--workers", type=int, default=0, help="processes that make batches ahead, for a GPU")
    p.add_argument("--scale", type=float, default=1, help="steps and clips times this, for trials")
    p.add_argument("--size", type=float, default=1, help="conversations in a batch times this, for trials")
    p.add_argument("--of", default="polish", choices=("polish", "joint", "parts", "first"), help="table, export: whose weights; parts: text, vision and audio as they were before joint; first: untrained")
    p.add_argument("--save-every", type=float, default=240, help="seconds between checkpoints")
    p.add_argument("--questions", type=int, default=0, help=f"table, suite: of each skill; default {N_QUESTIONS}, fewer in a trial")
    a = p.parse_args()
    a.questions = a.questions or max(3, min(N_QUESTIONS, round(10 * N_QUESTIONS * a.scale)))
    a.source = a.source or a.out
    return a


def weights(a, name: str) -> pathlib.Path:
    for folder in (a.source, a.out):
        if (folder / f"{name}.safetensors").exists():
            return folder / f"{name}.safetensors"
    raise FileNotFoundError(f"{a.source}/{name}.safetensors: is not there: expected the weights of the phase '{name}'; run it, or name their folder by --from")


def make_data(a):
    from nano import vocabulary
    from nano.data import clips
    a.out.mkdir(parents=True, exist_ok=True)
    if not (a.out / "tokenizer.json").exists():
        known = [f for f in (a.source / "tokenizer.json", a.source / "training" / "tokenizer.json") if f.exists()]  # the second: of the shipped model
        if known:
            shutil.copy(known[0], a.out / "tokenizer.json")
        else:
            (a.out / "tokenizer.json").write_text(vocabulary.make())
    for n, held in ((max(100, round(N_CLIPS * a.scale)), False), (max(100, round(N_HELD_CLIPS * a.scale)), True)):
        clips.make(a.out / "clips", n, held, lambda done, total: say(f"data  {done}/{total} clips{', held-out voices' if held else ''}"))


def load_whole(a):
    """The network that table and export look at, after which phase."""
    from nano.network import build
    from nano.training import checkpoint
    if a.of == "first":
        return build.whole()
    if a.of == "parts":
        return build.from_parts(parts(a))
    m = build.whole()
    checkpoint.load_weights(weights(a, a.of), {"model": m})
    return m


def parts(a) -> dict:
    from nano.training import checkpoint
    out = {name: checkpoint.read_weights(weights(a, name)) for name in NEEDS["joint"]}
    out["text"] = {k.removeprefix("text."): v for k, v in out["text"].items()}
    return out


def phase_of(a, source, held):
    from nano import evaluate, shipped
    from nano.phases import audio, joint, text, vision
    from nano.training import checkpoint
    n_figures = max(3, min(60, round(600 * a.scale)))  # questions of each skill for the curve
    if a.phase == "vision":
        return vision.Vision(source, a.scale, a.device)
    if a.phase == "audio":
        return audio.Audio(source, held, a.scale, a.device)
    if a.phase == "text":
        return text.Text(source, evaluate.text_questions(n_figures), a.scale, a.device, a.size)
    again = (a.source / shipped.TEXT).exists() and not (a.phase == "polish" and (a.out / "joint.safetensors").exists())
    phase = joint.Joint(a.phase, source, evaluate.all_questions(-(-n_figures // 3), held), None if again or a.phase == "polish" else parts(a), a.scale, a.device, a.size)
    if again:
        shipped.load(phase.model, a.source)
        checkpoint.load_weights(a.source / "training" / "heads.safetensors", phase.heads)
    elif a.phase == "polish":
        checkpoint.load_weights(weights(a, "joint"), phase.modules)
    return phase


def main() -> int:
    a = parse()
    if a.phase == "data":
        make_data(a)
        return 0
    if (a.out / f"{a.phase}.safetensors").exists():
        say(f"{a.phase}: is done: {a.out}/{a.phase}.safetensors")
        return 0
    from nano import evaluate, export, mixtures, suite, turns
    from nano.data.clips import Clips
    from nano.training import trainer
    from nano.training.ranks import Ranks
    import torch
    torch.set_num_threads(a.threads)
    if a.phase == "export":
        export.export(load_whole(a), a.out / "tokenizer.json", a.out / "nano")
        if a.of in ("joint", "polish"):
            export.heads(weights(a, a.of), a.out / "heads.safetensors")
        say(f"export: {a.out}/nano")
        return 0
    held = Clips(a.out / "clips", held=True)
    if a.phase == "suite":
        say(f"suite: {suite.write(a.out / 'suite', a.questions, held)} questions in {a.out}/suite")
        return 0
    words = turns.Turns(a.out / "tokenizer.json")
    if a.phase == "table":
        m = load_whole(a).to(a.device).eval()
        text = evaluate.markdown(evaluate.table(m, words, evaluate.all_questions(a.questions, held), None, a.device, lambda name: say(f"table: {name}")))
        (a.out / "table.md").write_text(text)
        print(text, end="")
        return 0
    rank, port = map(int, a.rank.split(":")) if a.rank else (0, 0)
    lock = open(a.out / f"{a.phase}.lock", "w")
    try:
        if rank == 0:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"{a.out}: another process trains the phase '{a.phase}' there: expected one") from None
    ranks = Ranks(a.ranks if a.phase in ("text", "joint", "polish") else 1, rank, port)
    source = mixtures.Source(words, a.out / "clips", share=(rank, ranks.n))
    if a.workers:
        len(source.clips)  # read before the workers are forked: they share its pages
    phase = phase_of(a, source, held)
    trainer.Trainer(phase, a.out, a.device, a.minutes, a.save_every, a.workers, a.steps, ranks).run()
    return 0


if __name__ == "__main__":
    beside = "--rank" in sys.argv  # a process that rank 0 has started, which speaks for all
    try:
        sys.exit(main())
    except (FileNotFoundError, ValueError) as e:
        if not beside:
            say(f"train: {e}")
        sys.exit(1)
    except Unfinished as e:
        if not beside:
            say(f"train: {e}")
        sys.exit(3)
    except RuntimeError:
        if beside:  # rank 0 has gone
            sys.exit(3)
        raise
