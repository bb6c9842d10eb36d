"""The data: the same names give the same bytes, answers are what is drawn and said, nothing asked was trained on."""
import collections
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import small_training
import numpy as np

from nano import mixtures, seeds, sizes, suite, turns
from nano.data import arithmetic, clips, commands, drawing, held_out, pictures, talk, videos, words


class Data(unittest.TestCase):
    def test_same_names_same_bytes(self):
        for draw in (pictures.example, arithmetic.turn, talk.command_turn, talk.refusal_turn, lambda r: videos.example(r, None)):
            a, b, other = (draw(seeds.source("test", i)) for i in (7, 7, 8))
            show = lambda e: e if isinstance(e, tuple) else (e.turns, [p.pixels.tobytes() for p in e.pictures])  # noqa: E731
            self.assertEqual(show(a), show(b))
            self.assertNotEqual(show(a), show(other))

    def test_a_voice_says_the_same_again(self):
        said = [clips.spoken("turn on the kitchen lamp", "en-us+f3", 150, 50) for _ in range(2)]
        np.testing.assert_array_equal(*said)
        self.assertGreater(len(said[0]), 16000)

    def test_sums_are_right(self):
        r = seeds.source("test sums")
        for _ in range(300):
            asked, answer = arithmetic.turn(r)
            if asked.startswith("What"):
                continue
            for one, result in zip(asked.split(", "), answer.split(", "), strict=True):
                self.assertEqual(eval(one), int(result))

    def test_cells_name_what_is_drawn(self):
        for i in range(100):
            picture, asked = pictures.group(seeds.source("test cells", i), bool(i % 2))
            n = int((picture.cells >= 0).sum())
            self.assertEqual(asked[1][1], pictures.COUNTS[n])
            colour = np.array(drawing.COLOURS[asked[2][1]])
            for y, x in np.argwhere(picture.cells >= 0):
                cell = picture.pixels[16 * y:16 * y + 16, 16 * x:16 * x + 16].astype(int)
                self.assertLess(np.abs(cell - colour).sum(-1).min(), 100)
            picture, asked = pictures.print_of(seeds.source("test print", i), False)
            letters = [picture.cells.T[picture.cells.T >= 0]]  # columns first: as read
            self.assertEqual([drawing.CHARACTERS[c - 24] for c in letters[0]], list(asked[0][1]))

    def test_things_move_as_said(self):
        for i in range(40):
            _, e = videos.conversation(seeds.source("test motion", i), False, None)
            what, direction = e.turns[0][1].split(" moves ")
            wanted = drawing.shape_class(*what.split()[1:])
            at = [np.argwhere(p.cells == wanted).mean(0) for p in e.pictures]
            dy, dx = at[-1] - at[0]
            self.assertEqual(direction, ("right" if dx > 0 else "left") if abs(dx) > abs(dy) else ("down" if dy > 0 else "up"))

    def test_parts_of_a_motion_are_the_whole_s(self):
        asked = set()
        for i in range(40):
            e = videos.example(seeds.source("test parts", i), None)
            answers = dict(e.turns)
            _, colour, shape, _, direction = answers.pop(videos.MOVES).split()
            for part, answer in answers.items():
                self.assertEqual(answer, {videos.COLOUR: colour, videos.SHAPE: shape, videos.WHERE: direction}[part])
            asked |= set(answers)
        self.assertEqual(asked, {videos.COLOUR, videos.SHAPE, videos.WHERE})

    def test_commands(self):
        self.assertEqual(len({c.said for c in commands.commands()}), len(commands.commands()))
        self.assertEqual(len({c.call for c in commands.commands()}), len(commands.commands()))
        for c in commands.commands():
            self.assertIsInstance(json.loads(c.call), dict)
        self.assertEqual([commands.spelled(n) for n in (0, 13, 20, 42)], ["zero", "thirteen", "twenty", "forty two"])
        self.assertEqual([commands.en_spanish(n) for n in (16, 22, 30, 99)], ["dieciséis", "veintidós", "treinta", "noventa y nueve"])

    def test_dictionary(self):
        taught = words.taught()
        self.assertEqual(len(taught), words.N_TAUGHT)
        self.assertEqual(len(set(taught.values())), words.N_TAUGHT)
        self.assertFalse(set(taught) & set(words.untaught()))

    def test_a_conversation_learns_its_answers_alone(self):
        t = turns.Turns(small_training.made() / "tokenizer.json")
        e = pictures.example(seeds.source("test", 3))
        ids, wanted = t.conversation(e)
        self.assertEqual(len(ids), len(wanted))
        self.assertEqual(ids.count(sizes.IMAGE), sizes.PICTURE_TOKENS)
        self.assertEqual(ids[:5], [sizes.BOS, sizes.START_OF_TURN, *t.text("user"), sizes.NEWLINES + 2, sizes.BEGIN_IMAGE])  # three newlines are one id
        answers = [i for i in wanted if i != turns.IGNORED]
        self.assertEqual(answers, [i for _, answer in e.turns for i in t.text(answer) + [sizes.END_OF_TURN]])

    def test_avi(self):
        files, e = videos.conversation(seeds.source("test avi"), False, clips.Clips(small_training.made() / "clips").clip(0))
        data = suite.avi(files, e.clips[0].samples, 128)
        self.assertEqual((data[:4], struct.unpack("<I", data[4:8])[0], data[8:12]), (b"RIFF", len(data) - 8, b"AVI "))
        at, frames, sound = data.index(b"movi") + 4, [], b""
        while data[at:at + 4] != b"idx1":
            n = struct.unpack("<I", data[at + 4:at + 8])[0]
            body = data[at + 8:at + 8 + n]
            frames, sound = (frames + [body], sound) if data[at:at + 4] == b"00dc" else (frames, sound + body)
            at += 8 + n + n % 2
        self.assertEqual(frames, files)
        self.assertEqual(sound, e.clips[0].samples.tobytes())

    def test_nothing_asked_was_trained_on(self):
        prove = [sys.executable, str(small_training.TOOLS / "prove_disjoint.py"), "--out", str(small_training.made()), "--scale", "0.002", "--questions", "10"]
        done = subprocess.run(prove, capture_output=True, text=True, env=small_training.ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # and it sees what is not disjoint, when a rule says of every group that it is held out and that it is not
        broken = ("import runpy, sys\nfrom nano.data import held_out\nheld_out.group = lambda *_: type('Both', (), {'__eq__': lambda a, b: True, '__bool__': lambda a: False})()\n"
                  "sys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')")
        done = subprocess.run([prove[0], "-c", broken, *prove[1:]], capture_output=True, text=True, env={**small_training.ENVIRONMENT, "PYTHONPATH": str(small_training.TOOLS)})
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("BOTH groups of things", done.stdout)

    def test_a_training_uses_no_held_out_group(self):
        source = mixtures.Source(None, pathlib.Path("nowhere"))
        for e in source.picture_examples("vision", 0, 200) + source.picture_examples("polish", 0, 200):
            for asked, answer in e.turns:
                for group in answer.split(", ") if asked == pictures.WHAT else ():
                    n, colour, shape = group.split()
                    count = 1 if n in ("a", "an") else pictures.COUNTS.index(n)
                    self.assertFalse(held_out.group(colour, shape.removesuffix("s"), count), answer)

    def test_crowds_are_counted(self):
        for i in range(60):
            picture, asked = pictures.crowd(seeds.source("test crowds", i))
            drawn = collections.Counter(int(c) for c in picture.cells.ravel() if c >= 0)
            (_, all_of_them), *parts = asked
            self.assertEqual(pictures.COUNTS.index(all_of_them), sum(drawn.values()))
            for question, n in parts:
                kind = question.removeprefix("How many ").removeprefix("are ").split("?")[0].split("s are")[0]
                self.assertIn(kind, [*drawing.COLOURS, *drawing.SHAPES])
                of_kind = [k for c, k in drawn.items() if kind in (list(drawing.COLOURS)[c // 4], drawing.SHAPES[c % 4])]
                self.assertEqual([pictures.COUNTS.index(n)], of_kind, question)

    def test_a_making_that_was_killed_goes_on(self):
        with tempfile.TemporaryDirectory() as d:
            folder = pathlib.Path(d)
            clips.make(folder, 4, False, per_file=2)
            first = (folder / "000.npz").stat().st_mtime_ns
            (folder / "001.npz").unlink()
            (folder / "001.partial").write_bytes(b"half")
            clips.make(folder, 4, False, per_file=2)
            self.assertEqual((folder / "000.npz").stat().st_mtime_ns, first)
            self.assertEqual(len(clips.Clips(folder)), 4)


if __name__ == "__main__":
    unittest.main()
