"""The exported directory is the network: transformers reads it back, and the engine's greedy answers to text, its soft tokens and its logits are the same."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import wave

import small_training

from nano import batches, evaluate, export, seeds, sizes, suite, turns
from nano.data import pictures, videos
from nano.data.clips import Clips
from nano.data.example import Clip, Picture
from nano.network import build, fused
import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.numpy import load_file

sys.path.insert(0, str(small_training.ROOT / "tools/oracle"))
import media_models  # noqa: E402

fused.use(False)  # the engine is held against the library's own
COMMAND = os.environ["GEMMA3N_COMMAND"]
TOLERANCE = 5e-4  # of the largest
N_GREEDY = 12


def shaken():
    """First weights, moved where they begin at values that hide a mistake: norms at 1, a correction scale at 0."""
    m = build.whole().eval()
    g = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for name, p in m.named_parameters():
            if p.dim() == 1:
                p.mul_(1 + 0.2 * (2 * torch.rand(p.shape, generator=g) - 1))
            if name.endswith("correct_output_scale"):
                p.add_(0.5)
            if name.endswith("language_model.norm.weight"):
                p.mul_(4 * (2 * torch.randint(0, 2, p.shape, generator=g) - 1))  # else a tied network repeats its last token
    return m


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name)
        cls.out, cls.work = path / "nano", path
        export.export(shaken(), small_training.made() / "tokenizer.json", cls.out)
        cls.model = transformers.Gemma3nForConditionalGeneration.from_pretrained(cls.out, dtype=torch.float32, attn_implementation="eager").eval()
        cls.turns = turns.Turns(cls.out / "tokenizer.json")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_command(self, *arguments) -> str:
        done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode(errors="replace")

    def traced(self, *arguments) -> dict:
        out = self.work / "trace.safetensors"
        self.run_command("trace", self.out, *arguments, "--activations", "f32", "-o", out)
        return load_file(out)

    def near(self, mine, theirs, what: str):
        self.assertEqual(mine.shape, tuple(theirs.shape), what)
        theirs = theirs.detach().numpy()
        self.assertLess(abs(mine - theirs).max() / abs(theirs).max(), TOLERANCE, what)

    def greedy(self, ids: list[int], n: int = N_GREEDY, **media) -> tuple[list[int], float]:
        """Tokens, and the smallest lead of a choice in parts of the largest logit."""
        out, lead = list(ids), 1.0
        with torch.no_grad():
            for _ in range(n):
                last = self.model(input_ids=torch.tensor([out]), use_cache=False, **media).logits[0, -1]
                best = last.topk(2)
                lead = min(lead, float((best.values[0] - best.values[1]) / last.abs().max()))
                out.append(int(best.indices[0]))
                if out[-1] in (sizes.EOS, sizes.END_OF_TURN):
                    break
        return out[len(ids):], lead

    def test_config_lists_the_slices(self):
        c = json.loads((self.out / "config.json").read_text())
        self.assertEqual([s["name"] for s in c["slices"]], ["small", "half", "mixed", "full"])
        self.assertEqual(c["slices"][0]["layers"], [0, 1, 2, 3, 4, 10, 11, 12, 13, 14])

    def test_tokenizer(self):
        for e in evaluate.text_questions(4):
            for s in e.turns[0]:
                mine = json.loads(self.run_command("tokenize", self.out, s, "--no-bos"))
                self.assertEqual(mine, self.turns.text(s), s)

    def test_text_answers(self):
        compared = said_the_same = 0
        for e in evaluate.text_questions(3):
            asked = e.turns[0][0]
            ids = [sizes.BOS] + self.turns.prompt(asked)
            self.assertEqual(self.traced(asked)["input_ids"].tolist(), ids)
            answer, lead = self.greedy(ids)
            got = self.traced("--ids", ",".join(map(str, ids + answer[:-1])))["logits"]
            with torch.no_grad():
                self.near(got, self.model(input_ids=torch.tensor([ids + answer[:-1]]), use_cache=False).logits[0], asked)
            if lead < 4 * TOLERANCE:
                continue
            compared += 1
            self.assertEqual(got[len(ids) - 1:].argmax(-1).tolist(), answer, asked)
            if all(sizes.BYTES + 256 <= i < sizes.BEGIN_IMAGE for i in answer):  # plain pieces: untrained, it says marks and bytes too
                said = self.run_command("run", self.out, asked, "--temp", "0", "-n", N_GREEDY, "--activations", "f32")
                self.assertEqual(said.strip(), self.turns.spelled(answer).strip(), asked)
                said_the_same += 1
        self.assertGreater(compared, 8)
        self.assertGreater(said_the_same, 0)

    def test_quantised(self):
        model = self.work / "nano-q8_0.gguf"
        self.run_command("quantize", self.out, "--type", "q8_0", "-o", model)
        self.assertLess(sum(f.stat().st_size for f in self.work.glob("*.gguf")), 16e6)
        self.run_command("run", model, "Who are you?", "--temp", "0", "-n", 4)

    def test_pictures_and_sound(self):
        if "--image" not in subprocess.run([COMMAND, "trace", "--help"], capture_output=True, text=True).stdout:
            self.skipTest("this command's trace takes no pictures")
        picture = pictures.group_question(seeds.source("test export"))
        Image.fromarray(picture.pictures[0].pixels).save(self.work / "picture.png")
        held = Clips(small_training.made() / "clips", held=True)
        suite.write_wav(self.work / "clip.wav", held.clip(0).samples)
        for flag, file, media, name in (("--image", "picture.png", {"pixel_values": batches.pixels_of(picture.pictures)}, "soft_tokens.image.0"),
                                        ("--audio", "clip.wav", dict(zip(("input_features", "input_features_mask"), batches.features_of([held.clip(0)]))), "soft_tokens.audio.0")):
            got = self.traced(flag, self.work / file, "What is it?")
            ids = [sizes.BOS] + self.turns.prompt("What is it?", *((1, 0) if flag == "--image" else (0, 1)))
            self.assertEqual(got["input_ids"].tolist(), ids)
            with torch.no_grad():
                out = self.model(input_ids=torch.tensor([ids]), use_cache=False, **media)
            soft = out.image_hidden_states if flag == "--image" else out.audio_hidden_states
            self.near(got[name].reshape(soft[0].shape), soft[0], name)
            self.near(got["logits"], out.logits[0], "logits behind " + flag)

    def test_video(self):
        if "--video" not in subprocess.run([COMMAND, "trace", "--help"], capture_output=True, text=True).stdout:
            self.skipTest("this command's trace takes no video")
        r = seeds.source("test export video")
        files, e = videos.conversation(r, True, Clips(small_training.made() / "clips", held=True).clip(1))
        (self.work / "video.avi").write_bytes(suite.avi(files, e.clips[0].samples, videos.SIDE))
        got = self.traced("--video", self.work / "video.avi", "What is said?")
        self.assertEqual(got["input_ids"].tolist(), [sizes.BOS] + self.turns.prompt("What is said?", videos.N_FRAMES, 1))
        for i, mine in enumerate(batches.pixels_of(e.pictures).numpy()):  # another decoder of JPEG: a step here and there
            self.assertLess(abs(got[f"pixel_values.{i}"].reshape(mine.shape) - mine).mean(), 2 / 255)
        features, valid = batches.features_of(e.clips)
        with torch.no_grad():
            soft = self.model.model.get_audio_features(features, ~valid, return_dict=True).pooler_output[0]
        self.near(got["soft_tokens.audio.0"].reshape(sizes.CLIP_TOKENS, -1)[:len(soft)], soft, "sound track")

    def media_of(self, line: dict) -> tuple[dict, int, int]:
        """What the network takes for a suite's line, from its files by Pillow and wave; pictures and clips in it."""
        folder = self.work / "suite"
        if "image" in line:
            return {"pixel_values": batches.pixels_of([Picture(np.asarray(Image.open(folder / line["image"])))])}, 1, 0
        if "audio" in line:
            with wave.open(str(folder / line["audio"])) as w:
                clip = Clip(np.frombuffer(w.readframes(w.getnframes()), "<i2"))
            return dict(zip(("input_features", "input_features_mask"), batches.features_of([clip]))), 0, 1
        return {}, 0, 0

    def test_the_suite_through_eval(self):
        """Each question that suite writes (but videos, whose JPEG is decoded otherwise), its answer replaced by this network's own: all are right."""
        suite.write(self.work / "suite", 3, Clips(small_training.made() / "clips", held=True))
        lines = [json.loads(line) for line in (self.work / "suite/suite.jsonl").read_text().splitlines()]
        as_written = json.loads(self.run_command("eval", self.out, "--suite", self.work / "suite/suite.jsonl", "--size", "full", "--json"))["models"][0]["tasks"]
        self.assertEqual({t["task"]: (t["type"], t["n"]) for t in as_written}, {line["task"]: (line["type"], sum(o["task"] == line["task"] for o in lines)) for line in lines})
        own = []
        for line in lines:
            if "video" in line:
                continue
            media, *counts = self.media_of(line)
            answer, lead = self.greedy([sizes.BOS] + self.turns.prompt(line["prompt"], *counts), 3, **media)
            said = self.turns.spelled(answer).strip()
            if lead > 4 * TOLERANCE and said and all(sizes.BYTES + 256 <= i < sizes.BEGIN_IMAGE or i == sizes.END_OF_TURN for i in answer):
                own.append(line | {"answer": said, "max_tokens": 3})
        self.assertGreater(len(own), 3)
        self.assertTrue(any("image" in line for line in own) and any("audio" in line for line in own), [line["task"] for line in own])
        (self.work / "suite/own.jsonl").write_text("".join(json.dumps(line) + "\n" for line in own))
        got = json.loads(self.run_command("eval", self.out, "--suite", self.work / "suite/own.jsonl", "--size", "full", "--json", "--activations", "f32"))["models"][0]["tasks"]
        self.assertEqual({t["task"]: t["match"]["right"] for t in got}, {t["task"]: t["n"] for t in got})

    def test_processor(self):
        processor = transformers.Gemma3nProcessor.from_pretrained(self.out)
        picture = Image.fromarray(pictures.group_question(seeds.source("test export")).pictures[0].pixels)
        text = processor.apply_chat_template([{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}], tokenize=False)
        got = processor(text=[text], images=[[picture]], add_special_tokens=False, return_tensors="pt")
        self.assertEqual(got["input_ids"][0].tolist(), [sizes.BOS] + self.turns.prompt("What is it?", 1))
        self.assertEqual(tuple(got["pixel_values"].shape), (1, 3, sizes.PICTURE_SIDE, sizes.PICTURE_SIDE))
        self.assertEqual(media_models.MARKS["image_token"], sizes.MARKS[sizes.IMAGE])


if __name__ == "__main__":
    unittest.main()
