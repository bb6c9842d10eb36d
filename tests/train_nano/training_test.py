"""The training: every phase learns, and a phase that was killed goes on with the curve that it would have had."""
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import small_training

from nano import evaluate, mixtures, turns
from nano.data.clips import Clips
from nano.phases import audio, joint, text, vision
from nano.training import checkpoint, log, trainer
import torch


def parts_of(folder: pathlib.Path) -> dict:
    out = {n: checkpoint.read_weights(folder / f"{n}.safetensors") for n in ("text", "vision", "audio")}
    out["text"] = {k.removeprefix("text."): v for k, v in out["text"].items()}
    return out


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        out = small_training.made()
        cls.held = Clips(out / "clips", held=True)
        cls.source = mixtures.Source(turns.Turns(out / "tokenizer.json"), out / "clips")
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def learns(self, phase):
        """20 steps make the loss of the first batch, which is one of theirs, at least a tenth smaller."""
        batch = phase.batch(0)
        with torch.no_grad():
            before = float(phase.loss(0, batch)[0])
        trainer.Trainer(phase, self.path, say=lambda line: None).run()
        with torch.no_grad():
            after = float(phase.loss(0, batch)[0])
        self.assertLess(after, 0.9 * before, phase.name)
        stored = checkpoint.read_weights(self.path / f"{phase.name}.safetensors")
        self.assertEqual({k.split(".")[0] for k in stored}, set(phase.modules))
        rows = log.read(self.path / f"{phase.name}.csv")
        self.assertEqual(int(rows[-1]["step"]), phase.n_steps)
        self.assertTrue(any(r["what"] for r in rows))
        self.assertTrue((self.path / f"{phase.name}.png").exists())
        self.assertFalse((self.path / f"{phase.name}.state").exists())

    def test_1_every_phase_learns(self):
        few = evaluate.all_questions(1, self.held)
        self.learns(vision.Vision(self.source, scale=0))
        self.learns(audio.Audio(self.source, self.held, scale=0))
        self.learns(text.Text(self.source, evaluate.text_questions(1), scale=0, size=0.1))
        parts = parts_of(self.path)
        together = joint.Joint("joint", self.source, few, parts, scale=0, size=0.1)
        self.assertTrue(torch.equal(together.model.model.audio_tower.conformer[0].norm.weight, parts["audio"]["tower.conformer.0.norm.weight"]))
        self.learns(together)
        polish = joint.Joint("polish", self.source, few, None, scale=0, size=0.1)
        checkpoint.load_weights(self.path / "joint.safetensors", polish.modules)
        last = trainer.Trainer(polish, self.path, say=lambda line: None)
        last.run()
        self.assertEqual(last.rate(polish.n_steps), 0)
        self.assertTrue((self.path / "polish.safetensors").exists())

    def furnished(self, name: str) -> pathlib.Path:
        """A folder of its own for a command, with the tokenizer and the clips."""
        folder = self.path / name
        if not folder.exists():
            folder.mkdir()
            for what in ("tokenizer.json", "clips"):
                (folder / what).symlink_to(small_training.made() / what)
        return folder

    def test_2_killed_and_taken_up_again(self):
        def command(folder):
            return [sys.executable, str(small_training.TOOLS / "train.py"), "text", "--out", str(folder), "--scale", "0.016", "--size", "0.05", "--save-every", "0"]

        def curve(folder):
            return [(r["step"], r["loss"], r["what"], r["value"]) for r in log.read(folder / "text.csv")]

        straight, broken = self.furnished("straight"), self.furnished("broken")
        subprocess.run(command(straight), check=True, capture_output=True, env=small_training.ENVIRONMENT)
        kills = 0
        for after in ("3", "5"):  # kills at two moments, each behind another checkpoint
            p = subprocess.Popen(command(broken), stderr=subprocess.PIPE, text=True, env=small_training.ENVIRONMENT)
            lines = 0
            for line in p.stderr:
                lines += "loss" in line
                if lines == int(after):
                    time.sleep(0.3)  # somewhere within the steps, or within the writing
                    p.send_signal(signal.SIGKILL)
                    break
            kills += p.wait() == -signal.SIGKILL
            p.stderr.close()
        self.assertEqual(kills, 2)
        done = subprocess.run(command(broken), capture_output=True, text=True, env=small_training.ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("goes on at step", done.stderr)
        self.assertEqual(curve(broken), curve(straight))
        a, b = (checkpoint.read_weights(f / "text.safetensors") for f in (straight, broken))
        self.assertTrue(all(torch.equal(a[k], b[k]) for k in a))

    def test_3_a_budget_ends_a_sitting(self):
        folder = self.furnished("budget")
        done = small_training.train("text", "--out", folder, "--scale", "0.016", "--size", "0.05", "--minutes", "0.001")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("minutes are over at step 2 of 21; the same command goes on", done.stderr)
        self.assertTrue((folder / "text.state").exists())
        self.assertFalse((folder / "text.safetensors").exists())

    def test_3_processes_share_the_batches(self):
        """Two processes: the same conversations, so nearly the same losses (each averages its own tokens first); and a sitting that ends is taken up again by two."""
        one, two = self.furnished("one"), self.furnished("two")
        for folder, ranks in ((one, 1), (two, 2)):
            done = small_training.train("text", "--out", folder, "--scale", "0.016", "--size", "0.25", "--ranks", ranks, "--minutes", "0.001")
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
            done = small_training.train("text", "--out", folder, "--scale", "0.016", "--size", "0.25", "--ranks", ranks)
            self.assertEqual(done.returncode, 0, done.stderr)
        a, b = ([r for r in log.read(f / "text.csv") if r["loss"]] for f in (one, two))
        self.assertEqual([(r["step"], r["examples"], r["positions"]) for r in a], [(r["step"], r["examples"], r["positions"]) for r in b])
        for x, y in zip(a, b):
            self.assertLess(abs(float(x["loss"]) - float(y["loss"])), 0.03 * float(x["loss"]), x["step"])

    def test_4_what_is_missing_is_said(self):
        done = small_training.train("joint", "--out", self.furnished("empty"), "--from", "/nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/text.safetensors: is not there: expected the weights of the phase 'text'", done.stderr)


if __name__ == "__main__":
    unittest.main()
