"""The cache shared with huggingface_hub, both ways, against the hub look-alike:

    python tests/oracle/hub_cache.py build/release/gemma3n [TEST ...]
"""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hub"))
import pull_test  # noqa: E402
from hub import COMMIT, Repo  # noqa: E402
from pull_test import REPO, DATA  # noqa: E402

FILE = "m-Q4_K_M.gguf"


class Shared(pull_test.HubTest):
    def theirs(self, code):
        env = self.env | {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        p = subprocess.run([sys.executable, "-c", "from huggingface_hub import *\n" + code], env=env, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout.strip()

    def test_it_finds_what_we_fetched(self):
        self.hub.repos[REPO].files["config.json"] = b'{"a": 1}'
        self.assert_good(self.pull())
        self.assertEqual(self.theirs(f"print(hf_hub_download('{REPO}', '{FILE}', local_files_only=True))"), self.pointer)
        before = len(self.hub.requests("cdn"))
        self.assertEqual(self.theirs(f"print(hf_hub_download('{REPO}', '{FILE}'))"), self.pointer)
        self.assertEqual(len(self.hub.requests("cdn")), before)

    def test_its_inventory_of_our_cache(self):
        self.hub.repos["acme/dir"] = Repo({"config.json": b"{}", "model.safetensors": b"weights"})
        self.assertEqual(self.pull("acme/dir")[0], 0)
        self.assert_good(self.pull())
        found = self.theirs("c = scan_cache_dir()\nprint(len(c.warnings), sorted((r.repo_id, r.repo_type, r.size_on_disk, r.nb_files, sorted(r.refs)) for r in c.repos))")
        self.assertEqual(found, "0 [('acme/dir', 'model', 9, 2, ['main']), ('%s', 'model', %d, 1, ['main'])]" % (REPO, len(DATA)))

    def test_we_start_what_it_fetched(self):
        path = self.theirs(f"print(hf_hub_download('{REPO}', '{FILE}'))")
        self.assertEqual(path, self.pointer)
        before = len(self.hub.log)
        self.assert_good(self.pull(REPO, "--offline"))
        self.assertEqual(len(self.hub.log), before)
        cdn = len(self.hub.requests("cdn"))
        self.assert_good(self.pull())
        self.assertEqual(len(self.hub.requests("cdn")), cdn)
        self.assertIn(REPO, self.run_it("list")[1])

    def test_we_start_a_directory_that_it_fetched(self):
        self.hub.repos["acme/dir"] = Repo({"config.json": b"{}", "model.safetensors": b"weights", "README.md": b"text"})
        path = self.theirs("print(snapshot_download('acme/dir'))")
        code, out, err = self.run_it("pull", "acme/dir", "--offline")
        self.assertEqual((code, out), (0, path + "\n"), err)
        self.assertEqual(self.run_it("rm", "-y", "acme/dir")[0], 0)
        self.assertEqual(self.theirs("print(len(scan_cache_dir().repos))"), "0")

    def test_one_lock_for_both(self):
        self.hub.fault("slow", piece=50_000, pause=0.1)
        ours = self.start("pull", REPO)
        while not self.partial():
            self.assertIsNone(ours.poll())
        self.assertEqual(self.theirs(f"print(hf_hub_download('{REPO}', '{FILE}'))"), self.pointer)
        out, err = ours.communicate(timeout=20)
        self.assert_good((ours.returncode, out, err))
        self.assertEqual(len(self.hub.requests("cdn")), 1)

    def test_a_new_commit_of_theirs_is_seen_by_us(self):
        self.assert_good(self.pull())
        self.hub.repos[REPO].commit = "e" * 40
        self.theirs(f"print(hf_hub_download('{REPO}', '{FILE}'))")
        self.assertNotIn(COMMIT, self.run_it("pull", REPO, "--offline")[1])


if __name__ == "__main__":
    pull_test.COMMAND = os.path.abspath(sys.argv.pop(1))
    unittest.main()
