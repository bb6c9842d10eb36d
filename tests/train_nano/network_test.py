"""The network: sizes within it equal networks cut out of it, features equal the library's, its parts begin as they should."""
import unittest

import small_training
import numpy as np

from nano import evaluate, sizes, turns
from nano.batches import collate
from nano.network import build, config, fused, heads, mel, nested
from nano.phases.text import answer_loss
import torch
import transformers


def cut(m, one: dict) -> transformers.Gemma3nForCausalLM:
    """A network of its own with the kept layers at their widths, by the slicing rules."""
    kept, widths = one["layers"], one["widths"]
    c = config.text().to_dict()
    c |= {"num_hidden_layers": len(kept), "intermediate_size": widths, "num_kv_shared_layers": sum(i >= 5 for i in kept), "layer_types": [c["layer_types"][i] for i in kept],
          "activation_sparsity_pattern": [c["activation_sparsity_pattern"][i] for i in kept]}
    small = transformers.Gemma3nForCausalLM._from_config(transformers.Gemma3nTextConfig(**c), attn_implementation="sdpa", dtype=torch.float32).eval()
    whole, p = m.state_dict(), sizes.PER_LAYER
    rows = [p * i + j for i in kept for j in range(p)]
    for name, target in small.state_dict().items():
        if ".layers." in name:
            _, _, k, rest = name.split(".", 3)
            v = whole[f"model.layers.{kept[int(k)]}.{rest}"]
        else:
            v = whole[name]
        if "per_layer_model_projection" in name:
            v = v[rows]
        if name.endswith("embed_tokens_per_layer.weight"):
            v = v[:, rows]
        target.copy_(v[tuple(slice(n) for n in target.shape)])
    return small


class Network(unittest.TestCase):
    def setUp(self):
        fused.use(False)  # what is compared with is the library's own

    def tearDown(self):
        fused.use(True)

    def test_losses_of_the_table_are_the_training_s(self):
        m, t, questions = build.text_network().eval(), turns.Turns(small_training.made() / "tokenizer.json"), evaluate.text_questions(3)
        scores = evaluate.score(m, t, questions).values()
        b = collate(questions, t)
        with torch.no_grad():
            wanted = answer_loss(m, m.model(input_ids=b.ids, use_cache=False).last_hidden_state, b.wanted)
        self.assertEqual(sum(s.tokens for s in scores), int((b.wanted != turns.IGNORED).sum()))
        self.assertAlmostEqual(sum(sum(s.losses) for s in scores) / sum(s.tokens for s in scores), float(wanted), places=4)
        small, full = (evaluate.Score(n=2, tokens=6, losses=losses) for losses in ([2.0, 4.0], [1.0, 2.0]))
        table = evaluate.markdown({"small": {"sums": small}, "full": {"sums": full}})
        self.assertIn("| all answers, nats a token | 6 tokens | 1.0000 | 0.5000 |", table)
        self.assertIn("| more than full, with its standard error | 2 answers | 0.5000 ± 0.1179 |  |", table)

    def test_fused_is_the_library(self):
        """Logits, loss and every gradient of a training step, and the same without gradients."""
        m = build.text_network()
        g = torch.Generator().manual_seed(8)
        with torch.no_grad():
            for name, p in m.named_parameters():
                if p.dim() == 1:
                    p.add_(0.3 * torch.randn(p.shape, generator=g))
        ids = torch.randint(0, sizes.TEXT_VOCAB, (3, 40), generator=g)
        wanted = torch.where(torch.rand((3, 40), generator=g) < 0.3, ids, turns.IGNORED)
        seen = []
        for ours in (False, True):
            fused.use(ours)
            m.train().zero_grad()
            if ours:
                loss = answer_loss(m, m.model(input_ids=ids, use_cache=False).last_hidden_state, wanted)
            else:
                loss = torch.nn.functional.cross_entropy(m(input_ids=ids, use_cache=False).logits.flatten(0, 1), wanted.flatten())
            loss.backward()
            with torch.no_grad():
                logits = m.eval()(input_ids=ids, use_cache=False).logits
            seen.append({"loss": loss.detach(), "logits": logits} | {n: p.grad.clone() for n, p in m.named_parameters() if p.grad is not None})
        self.assertEqual(seen[0].keys(), seen[1].keys())
        self.assertGreater(len(seen[0]), 300)
        for name, theirs in seen[0].items():
            self.assertLess(float((theirs - seen[1][name]).abs().max()), 5e-5 * float(theirs.abs().max()) + 1e-9, name)

    def test_sizes_within_equal_sizes_cut_out(self):
        m = build.text_network().eval()
        ids = torch.randint(0, sizes.TEXT_VOCAB, (2, 150), generator=torch.Generator().manual_seed(5))  # beyond the window
        seen = []
        for one in sizes.slices():
            with torch.no_grad():
                with nested.sized(build.layers_of(m), one):
                    inside = m(input_ids=ids, use_cache=False).logits
                outside = cut(m, one)(input_ids=ids, use_cache=False).logits
            self.assertLess(float((inside - outside).abs().max() / outside.abs().max()), 1e-5, one["name"])
            seen.append(inside)
        for a, b in zip(seen, seen[1:]):
            self.assertGreater(float((a - b).abs().max()), 0.1)

    def test_first_weights(self):
        m = build.text_network().eval()
        ids = torch.randint(0, sizes.TEXT_VOCAB, (2, 64), generator=torch.Generator().manual_seed(6))
        gates = []
        for layer in m.model.layers[:sizes.SPARSE]:
            layer.mlp.act_fn.register_forward_pre_hook(lambda m, x: gates.append(float((x[0] > 0).float().mean())))
        with torch.no_grad():
            logits = m(input_ids=ids, use_cache=False).logits
        self.assertTrue(0.5 < float(logits.std()) < 2)
        self.assertEqual(len(gates), sizes.SPARSE)
        for share in gates:
            self.assertTrue(0.03 < share < 0.07, share)
        self.assertLess(build.count(build.whole()) * 34 / 32, 16e6)  # bytes at 8 bits and their scales

    def test_features_equal_the_library(self):
        g = np.random.Generator(np.random.PCG64(3))
        clips = [(g.standard_normal(n) * 3000).astype(np.int16) for n in (30000, 20011)]
        mine, valid = mel.log_mel(clips)
        theirs = mel.extractor()([c.astype(np.float32) / 32768 for c in clips], return_tensors="pt")
        self.assertLess(float((mine - theirs["input_features"]).abs().max()), 1e-3)
        self.assertTrue(bool((valid == theirs["input_features_mask"]).all()))

    def test_random_sizes_keep_the_layers_that_others_need(self):
        import random
        m = build.text_network()
        layers, names = build.layers_of(m), set()
        for i in range(60):
            names.add(nested.draw_size(random.Random(i), layers))
            skipped = [i for i, layer in enumerate(layers) if layer.skip]
            self.assertTrue(set(skipped) <= set(sizes.SKIPPED))
        self.assertEqual(names, set(nested.SHARES))

    def test_edits(self):
        self.assertEqual([heads.edits(a.split(), b.split()) for a, b in (("a b c", "a b c"), ("a c", "a b c"), ("a x c", "a b c"), ("", "a b"), ("a b", ""))], [0, 1, 1, 2, 2])
        self.assertEqual(heads.collapsed([0, 3, 3, 0, 3, 5, 5]), [3, 3, 5])


if __name__ == "__main__":
    unittest.main()
