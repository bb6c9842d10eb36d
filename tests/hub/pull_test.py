"""pull, list, rm and models by name, as a person drives them, against the hub look-alike of hub.py.

    python3 tests/hub/pull_test.py build/release/gemma3n [TEST ...]
"""
import concurrent.futures
import fcntl
import hashlib
import json
import os
import pty
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from hub import COMMIT, Hub, Repo, git_sha1  # noqa: E402

COMMAND = ""
REPO = "acme/tiny-GGUF"
DATA = random.Random(1).randbytes(2_000_000)
ETAG = hashlib.sha256(DATA).hexdigest()


class HubTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub()
        self.addCleanup(self.hub.close)
        self.command = COMMAND
        self.home = tempfile.mkdtemp(prefix="gemma3n-hub-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.hub.repos[REPO] = Repo({"m-Q4_K_M.gguf": DATA})
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], "HF_ENDPOINT": self.hub.url(), "HF_HUB_DOWNLOAD_TIMEOUT": "2"}
        self.folder = self.home + "/.cache/huggingface/hub/models--acme--tiny-GGUF"
        self.blob = self.folder + "/blobs/" + ETAG
        self.pointer = self.folder + "/snapshots/" + COMMIT + "/m-Q4_K_M.gguf"

    def start(self, *args, **how):
        return subprocess.Popen([self.command, *args], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)

    def run_it(self, *args, **how):
        p = self.start(*args, **how)
        out, err = p.communicate(timeout=30)
        return p.returncode, out, err

    def pull(self, *args, **how):
        return self.run_it("pull", *(args or (REPO,)), **how)

    def assert_good(self, result):
        code, out, err = result
        self.assertEqual(code, 0, err)
        self.assertEqual(out, self.pointer + "\n")
        with open(self.pointer, "rb") as f:
            self.assertEqual(hashlib.sha256(f.read()).hexdigest(), ETAG)
        self.assertEqual(os.readlink(self.pointer), "../../blobs/" + ETAG)

    def assert_fails(self, result, *words, code=1):
        self.assertEqual(result[0], code, result)
        self.assertEqual(result[1], "")
        lines = [line for line in result[2].splitlines() if not line.startswith("gemma3n: fetching ")]
        self.assertEqual(len(lines), 1, result[2])  # one sentence
        for word in words:
            self.assertIn(word, lines[0])

    def assert_nothing_named(self):
        """No blob, no snapshot, no ref stands under a good name."""
        for root, _, files in os.walk(self.home):
            for name in files:
                self.assertTrue(name.endswith((".incomplete", ".lock")), root + "/" + name)

    def partial(self):
        return os.path.getsize(self.blob + ".incomplete") if os.path.exists(self.blob + ".incomplete") else 0


class Layout(HubTest):
    def test_a_file_lies_as_other_tools_expect_it(self):
        self.hub.repos[REPO].files["mmproj-m-F16.gguf"] = b"projector"
        result = self.pull()
        self.assert_good(result)
        self.assertEqual(os.listdir(self.folder + "/blobs"), [ETAG])
        with open(self.folder + "/refs/main") as f:
            self.assertEqual(f.read(), COMMIT)
        self.assertTrue(os.path.exists(self.home + "/.cache/huggingface/hub/.locks/models--acme--tiny-GGUF/" + ETAG + ".lock"))
        self.assertIn("1 file, 2.0 MB", result[2])
        self.assertNotIn("\r", result[2])

    def test_a_second_pull_moves_no_bytes(self):
        self.pull()
        before = len(self.hub.requests("cdn"))
        result = self.pull()
        self.assert_good(result)
        self.assertEqual(len(self.hub.requests("cdn")), before)
        self.assertIn("up to date", result[2])

    def test_environment(self):
        for name, value, cache in (("HF_HOME", "/a", "/a/hub"), ("HF_HUB_CACHE", "/b", "/b"), ("XDG_CACHE_HOME", "/c", "/c/huggingface/hub")):
            with self.subTest(name):
                self.env = {k: v for k, v in self.env.items() if not k.startswith(("HF_HO", "HF_HUB_C", "XDG"))} | {name: self.home + value}
                code, out, err = self.pull()
                self.assertEqual(code, 0, err)
                self.assertTrue(out.startswith(self.home + cache + "/models--acme--tiny-GGUF/snapshots/"), out)

    def test_mmproj_comes_when_asked_for(self):
        self.hub.repos[REPO].files["mmproj-m-F16.gguf"] = b"projector"
        self.hub.repos[REPO].files["mmproj-m-F32.gguf"] = b"a wider projector"
        self.assert_good(self.pull(REPO, "--mmproj"))
        with open(os.path.dirname(self.pointer) + "/mmproj-m-F16.gguf", "rb") as f:
            self.assertEqual(f.read(), b"projector")

    def test_a_new_commit_shares_unchanged_blobs(self):
        self.pull()
        self.hub.repos[REPO].commit = "f" * 40
        before = len(self.hub.requests("cdn"))
        code, out, _ = self.pull()
        self.assertEqual(code, 0)
        self.assertIn("/snapshots/" + "f" * 40, out)
        self.assertEqual(len(self.hub.requests("cdn")), before)

    def test_a_directory_brings_what_it_needs_and_no_more(self):
        wanted = {"config.json": b"{}", "model-00001-of-00002.safetensors": b"one", "model-00002-of-00002.safetensors": b"two",
                  "model.safetensors.index.json": b"{}", "tokenizer.json": b"{}", "tokenizer_config.json": b"{}", "generation_config.json": b"{}",
                  "chat_template.jinja": b"{{ bos_token }}", "preprocessor_config.json": b"{}"}
        other = {"README.md": b"x", "pytorch_model.bin": b"x", ".gitattributes": b"x", "onnx/model.safetensors": b"x", "flax_model.msgpack": b"x"}
        self.hub.repos["acme/dir"] = Repo(wanted | other)
        code, out, err = self.pull("acme/dir")
        self.assertEqual(code, 0, err)
        found = {}
        for name in os.listdir(out.strip()):
            with open(out.strip() + "/" + name, "rb") as f:
                found[name] = f.read()
        self.assertEqual(found, wanted)


class Choice(HubTest):
    def setUp(self):
        super().setUp()
        self.hub.repos[REPO] = Repo({n: n.encode() for n in ("m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-UD-Q4_K_XL.gguf", "m-Q8_0.gguf", "BF16/m-BF16.gguf", "mmproj-m-Q8_0.gguf")})

    def test_quant(self):
        for asked, name in ((":q4_k_m", "m-Q4_K_M.gguf"), (":Q8_0", "m-Q8_0.gguf"), ("", "m-Q4_K_M.gguf"), (":Q4_K_XL", "m-UD-Q4_K_XL.gguf"),
                            (":ud-q4_k_xl", "m-UD-Q4_K_XL.gguf"), (":m-Q4_K_S.gguf", "m-Q4_K_S.gguf"), (":bf16", "BF16/m-BF16.gguf")):
            with self.subTest(asked):
                code, out, err = self.pull(REPO + asked)
                self.assertEqual(code, 0, err)
                self.assertTrue(out.endswith("/" + COMMIT + "/" + name + "\n"), out)
                with open(out.strip(), "rb") as f:
                    self.assertEqual(f.read(), name.encode())

    def test_no_or_several_fits_list_the_choices(self):
        self.assert_fails(self.pull(REPO + ":Q5_K_M"), "Q5_K_M", "m-Q4_K_S.gguf", "m-Q8_0.gguf")
        self.assert_fails(self.pull(REPO + ":Q4_K"), "Q4_K", "m-Q4_K_M.gguf")
        self.assert_fails(self.pull(REPO + ":none.gguf"), "none.gguf", "m-Q8_0.gguf")
        self.hub.repos[REPO] = Repo({"a-Q3_K.gguf": b"a", "b-Q3_K.gguf": b"b"})
        self.assert_fails(self.pull(REPO + ":Q3_K"), "several", "a-Q3_K.gguf, b-Q3_K.gguf", code=2)
        self.assert_fails(self.pull(), "several", "a-Q3_K.gguf, b-Q3_K.gguf", code=2)
        self.hub.repos[REPO] = Repo({"README.md": b"a"})
        self.assert_fails(self.pull(), "holds no model")
        self.assert_nothing_named()

    def test_names_that_are_none(self):
        for name in ("../x", "a/../b", "acme/..", "e9b", "a/b/c", "/etc/passwd", "acme/x:", "acme/x:../../y.gguf", "acme/x:/y.gguf", "-a/b"):
            with self.subTest(name):
                code, out, err = self.run_it("pull", "--", name)
                self.assertEqual((code, out), (2, ""), err)
        self.assertEqual(self.hub.log, [])


class Resume(HubTest):
    def test_a_cut_connection_goes_on_where_it_was(self):
        self.hub.fault("cut", after=700_000)
        self.assert_good(self.pull())
        ranges = [r["headers"].get("range") for r in self.hub.requests("cdn")]
        self.assertEqual(ranges, [None, "bytes=700000-"])

    def test_a_stalled_connection_counts_as_cut(self):
        self.hub.fault("stall", after=500_000)
        self.assert_good(self.pull())
        self.assertEqual(self.hub.requests("cdn")[1]["headers"]["range"], "bytes=500000-")

    def test_an_earlier_partial_is_gone_on_with(self):
        os.makedirs(self.folder + "/blobs")
        with open(self.blob + ".incomplete", "wb") as f:
            f.write(DATA[:1_234_567])
        self.assert_good(self.pull())
        self.assertEqual([r["headers"].get("range") for r in self.hub.requests("cdn")], ["bytes=1234567-"])
        self.assertFalse(os.path.exists(self.blob + ".incomplete"))

    def test_a_whole_partial_needs_no_bytes(self):
        os.makedirs(self.folder + "/blobs")
        with open(self.blob + ".incomplete", "wb") as f:
            f.write(DATA)
        self.assert_good(self.pull())
        self.assertEqual(self.hub.requests("cdn"), [])

    def test_a_partial_of_other_bytes_is_fetched_anew(self):
        for rubbish in (b"x" * 1000, b"x" * 3_000_000, b"x" * 2_000_000):
            with self.subTest(len(rubbish)):
                shutil.rmtree(self.folder, True)
                os.makedirs(self.folder + "/blobs")
                with open(self.blob + ".incomplete", "wb") as f:
                    f.write(rubbish)
                self.assert_good(self.pull())

    def test_a_server_without_ranges_sends_all_again(self):
        self.hub.fault("cut", after=700_000)
        self.hub.fault("no_range")
        self.assert_good(self.pull())

    def test_the_wrong_range_is_refused(self):
        self.hub.fault("cut", after=700_000)
        self.hub.fault("wrong_range")
        self.assert_fails(self.pull(), "bytes 700007-", "bytes 700000-")
        self.assert_nothing_named()
        self.assert_good(self.pull())

    def test_ctrl_c_keeps_what_came(self):
        self.hub.fault("slow", piece=50_000, pause=0.1)
        p = self.start("pull", REPO)
        end = time.time() + 10
        while self.partial() < 100_000 and time.time() < end:
            time.sleep(0.02)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=10)
        self.assert_fails((p.returncode, out, err), "interrupted", "are kept", code=130)
        kept = self.partial()
        self.assertTrue(100_000 <= kept < len(DATA), kept)
        self.assert_nothing_named()
        self.assert_good(self.pull())
        self.assertEqual(self.hub.requests("cdn")[-1]["headers"]["range"], "bytes=%d-" % kept)

    def test_a_kill_keeps_what_came(self):
        self.hub.fault("slow", piece=50_000, pause=0.1)
        p = self.start("pull", REPO)
        end = time.time() + 10
        while self.partial() < 100_000 and time.time() < end:
            time.sleep(0.02)
        p.kill()
        p.communicate(timeout=10)
        self.assert_nothing_named()
        self.assertGreaterEqual(self.partial(), 100_000)
        self.assert_good(self.pull())
        self.assertIn("range", self.hub.requests("cdn")[-1]["headers"])


class Broken(HubTest):
    def test_wrong_checksum(self):
        self.hub.fault("flip", times=9)
        self.assert_fails(self.pull(), "checksum", ETAG)
        self.assert_nothing_named()
        self.assertEqual(self.partial(), 0)

    def test_wrong_checksum_of_a_small_file(self):
        self.hub.repos["acme/dir"] = Repo({"config.json": b"{}", "model.safetensors": b"w"})
        self.hub.fault("flip", role="endpoint", path="resolve-cache/acme/dir/" + COMMIT + "/config.json")
        self.assert_fails(self.pull("acme/dir"), "config.json", git_sha1(b"{}"))
        self.assert_nothing_named()

    def test_more_bytes_than_announced(self):
        self.hub.fault("longer")
        self.assert_fails(self.pull(), "more than the 2000000 bytes")
        self.assert_nothing_named()

    def test_fewer_bytes_than_announced(self):
        self.hub.fault("shorter", times=1)  # its Content-Length agrees with what it sends: only X-Linked-Size knows better
        self.assert_good(self.pull())
        self.assertEqual(self.hub.requests("cdn")[1]["headers"]["range"], "bytes=1999995-")

    def test_a_blob_of_the_wrong_size_is_fetched_anew(self):
        os.makedirs(self.folder + "/blobs")
        with open(self.blob, "wb") as f:
            f.write(DATA[:1000])
        self.assert_good(self.pull())

    def test_redirects_in_circles(self):
        self.hub.fault("circle", times=99)
        self.assert_fails(self.pull(), "circles")
        self.hub.faults.clear()
        self.hub.fault("circle", role="endpoint", method="any", times=99)
        self.assert_fails(self.pull(), "circles")
        self.assertLess(len(self.hub.log), 40)
        self.assert_nothing_named()

    def test_redirects_elsewhere_than_http(self):
        for to in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"):
            with self.subTest(to):
                self.hub.fault("status", status=302, headers={"Location": to})
                self.assert_fails(self.pull(), to)
        self.assert_nothing_named()

    def test_hostile_file_names(self):
        for name in ("../x.gguf", "/etc/x.gguf", "a/../../x.gguf", "x\0.gguf", "a\\..\\x.gguf", "", "a//x.gguf", "./x.gguf", "x\n.gguf", "x" * 300 + ".gguf"):
            with self.subTest(name):
                self.hub.repos[REPO].names = ["m-Q4_K_M.gguf", name]
                self.assert_fails(self.pull(), "names the file")
        self.assertEqual(self.hub.requests("cdn"), [])
        self.assert_nothing_named()

    def test_hostile_marks(self):
        for lie in ({"X-Linked-Etag": '"../../../x"'}, {"X-Linked-Etag": '"' + "A" * 64 + '"'}, {"X-Linked-Size": "many"}, {"X-Linked-Size": "-1"}, {"X-Repo-Commit": "0" * 40}):
            with self.subTest(lie):
                self.hub.repos[REPO].lie = lie
                self.assert_fails(self.pull(), "m-Q4_K_M.gguf", "expected")
        self.hub.repos[REPO].lie = {}
        self.hub.repos[REPO].commit = "../../x"
        self.assert_fails(self.pull(), "'sha'")
        self.assert_nothing_named()

    def test_listings_that_are_none(self):
        for body in (b"", b"<html>", b"[]", b'{"sha":"%s"}' % COMMIT.encode(), b'{"sha":"%s","siblings":[{}]}' % COMMIT.encode()):
            with self.subTest(body):
                self.hub.fault("json", role="endpoint", body=body)
                self.assert_fails(self.pull(), "the listing of acme/tiny-GGUF")
        self.assert_nothing_named()

    def test_no_room_is_said_before_a_byte_comes(self):
        self.hub.repos[REPO].lie = {"X-Linked-Size": 10**17}
        self.assert_fails(self.pull(), "has room for", "expected 100000000.00 GB")
        self.assertEqual(self.hub.requests("cdn"), [])
        self.assert_nothing_named()

    def test_a_write_that_fails(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        self.assert_fails(self.pull(preexec_fn=limit, restore_signals=False), "cannot be written")
        self.assert_nothing_named()
        self.assert_good(self.pull())  # with room again, from where it was
        self.assertEqual(self.hub.requests("cdn")[-1]["headers"]["range"], "bytes=1000000-")

    def test_a_full_disk(self):
        mount = ["unshare", "-rm", "sh", "-c"]
        if subprocess.run([*mount, "mount -t tmpfs -o size=1m none \"$1\"", "sh", self.home], capture_output=True, check=False).returncode != 0:
            self.skipTest("no small file system can be mounted here")
        # what the server announces fits; another program fills the disk meanwhile
        script = 'mount -t tmpfs -o size=3m none "$1"; (sleep 0.5; head -c 3000000 /dev/zero > "$1/filler" 2> /dev/null) & "$2" pull %s; code=$?; find "$1" -type f; exit $code' % REPO
        self.hub.fault("slow", piece=100_000, pause=0.1)
        p = subprocess.run([*mount, script, "sh", self.home, COMMAND], env=self.env, capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(p.returncode, 1, p.stderr)
        self.assertIn("No space left on device", p.stderr)
        self.assertFalse([f for f in p.stdout.split() if not f.endswith((".incomplete", ".lock", "filler"))], p.stdout)


class Patience(HubTest):
    def test_a_busy_server_is_asked_again(self):
        self.hub.fault("status", role="endpoint", method="GET", status=503)
        self.hub.fault("status", role="endpoint", method="HEAD", status=502)
        self.hub.fault("status", role="cdn", status=500)
        self.assert_good(self.pull())

    def test_retry_after(self):
        self.hub.fault("status", role="endpoint", status=429, headers={"Retry-After": "2"})
        begin = time.time()
        self.assert_good(self.pull())
        self.assertGreaterEqual(time.time() - begin, 2)

    def test_retry_after_as_a_date_leaves_our_own_measure(self):
        self.hub.fault("status", role="endpoint", status=503, headers={"Retry-After": "Fri, 31 Dec 2099 23:59:59 GMT"})
        self.assert_good(self.pull())

    def test_a_long_retry_after_is_not_waited_for(self):
        self.hub.fault("status", role="endpoint", status=429, headers={"Retry-After": "3600"}, times=9)
        begin = time.time()
        self.assert_fails(self.pull(), "429", "try again later")
        self.assertLess(time.time() - begin, 2)

    def test_a_server_that_stays_broken(self):
        self.hub.fault("status", role="endpoint", status=503, times=99, body=b"maintenance")
        self.assert_fails(self.pull(), "503", "maintenance")
        self.assertEqual(len(self.hub.log), 5)

    def test_nobody_there(self):
        self.env["HF_ENDPOINT"] = "http://127.0.0.1:1"
        self.assert_fails(self.pull(), "http://127.0.0.1 cannot be reached", "port 1")

    def test_ctrl_c_ends_a_wait(self):
        self.hub.fault("status", role="endpoint", status=429, headers={"Retry-After": "60"})
        p = self.start("pull", REPO)
        while not self.hub.log:
            time.sleep(0.02)
        time.sleep(0.2)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=5)
        self.assert_fails((p.returncode, out, err), "interrupted", code=130)


class Access(HubTest):
    def test_the_token_goes_to_the_endpoint_only(self):
        for how in ("HF_TOKEN", "--token", "file", "HF_TOKEN_PATH"):
            with self.subTest(how):
                shutil.rmtree(self.home + "/.cache", True)
                self.hub.log.clear()
                self.env.pop("HF_TOKEN_PATH", None)
                self.env["HF_TOKEN"] = "hf_secret" if how == "HF_TOKEN" else ""
                path = self.home + ("/.cache/huggingface/token" if how == "file" else "/elsewhere")
                if how in ("file", "HF_TOKEN_PATH"):
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, "w") as f:
                        f.write("hf_secret\n")
                if how == "HF_TOKEN_PATH":
                    self.env["HF_TOKEN_PATH"] = path
                self.assert_good(self.pull(REPO, *(["--token", "hf_secret"] if how == "--token" else [])))
                self.assertEqual({r["headers"].get("authorization") for r in self.hub.requests("endpoint")}, {"Bearer hf_secret"})
                self.assertEqual([r["headers"].get("authorization") for r in self.hub.requests("cdn")], [None])

    def test_a_token_that_would_be_a_header_of_its_own(self):
        self.env["HF_TOKEN"] = "hf_x\r\nHost: elsewhere"
        self.assert_fails(self.pull(), "token", code=2)
        self.assertEqual(self.hub.log, [])

    def test_gated(self):
        self.hub.repos[REPO].gated = "hf_good"
        self.assert_fails(self.pull(), "is gated", self.hub.url() + "/" + REPO, "--token", "HF_TOKEN", self.home + "/.cache/huggingface/token")
        self.assert_nothing_named()
        self.env["HF_TOKEN"] = "hf_good"
        self.assert_good(self.pull())

    def test_forbidden(self):
        self.hub.fault("status", role="endpoint", method="HEAD", status=403)
        self.assert_fails(self.pull(), "is gated", self.hub.url() + "/" + REPO)

    def test_not_there(self):
        self.assert_fails(self.pull("acme/nothing"), "acme/nothing is not at " + self.hub.url(), "token")
        self.hub.fault("status", role="endpoint", status=404)
        self.assert_fails(self.pull(), "404")
        self.hub.repos[REPO].names = ["gone-Q4_0.gguf"]
        self.assert_fails(self.pull(), "gone-Q4_0.gguf", "404")

    def test_a_refused_token(self):
        self.hub.fault("status", role="endpoint", status=401)
        self.assert_fails(self.pull(REPO, "--token", "hf_old"), "refuses the access token")

    def test_offline(self):
        for how in ("--offline", "HF_HUB_OFFLINE"):
            with self.subTest(how):
                self.env["HF_HUB_OFFLINE"] = "1" if how != "--offline" else ""
                args = [how] if how == "--offline" else []
                self.assert_fails(self.pull(REPO, *args), "offline", REPO)
                self.assert_fails(self.run_it("run", REPO, "x", *args), "offline", REPO)
        self.assertEqual(self.hub.log, [])
        self.env["HF_HUB_OFFLINE"] = ""
        self.pull()
        before = len(self.hub.log)
        self.assert_good(self.pull(REPO, "--offline"))
        self.assertEqual(len(self.hub.log), before)


class Proxy(HubTest):
    def test_the_environments_proxy_is_asked(self):
        self.hub.repos["acme/dir"] = Repo({"config.json": b"{}", "model.safetensors": b"w"}, large=())
        self.env |= {"HF_ENDPOINT": "http://hub.invalid", "http_proxy": self.hub.url()}
        code, out, err = self.pull("acme/dir")
        self.assertEqual(code, 0, err)
        self.assertEqual({r["headers"]["host"] for r in self.hub.log}, {"hub.invalid"})
        self.env["no_proxy"] = "hub.invalid"
        self.assert_fails(self.pull("acme/dir"), "http://hub.invalid cannot be reached")


class Tls(HubTest):
    def setUp(self):
        super().setUp()
        self.certificate, key = self.home + "/cert.pem", self.home + "/key.pem"
        if not shutil.which("openssl"):
            self.skipTest("the openssl program, which makes a certificate, is not installed")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=loopback",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate], check=True, capture_output=True)
        self.hub.speak_tls("endpoint", self.certificate, key)
        self.key = key
        self.env["HF_ENDPOINT"] = self.hub.url()

    def test_a_certificate_of_nobody_is_refused(self):
        self.hub.speak_tls("cdn", self.certificate, self.key)
        self.env["HF_TOKEN"] = "hf_secret"
        self.assert_fails(self.pull(), "certificate")
        self.assertEqual(self.hub.log, [])
        self.env["SSL_CERT_FILE"] = self.certificate
        self.assert_good(self.pull())

    def test_no_redirect_from_https_to_http(self):
        self.env["SSL_CERT_FILE"] = self.certificate
        self.assert_fails(self.pull(), "from https to http")
        self.assertEqual(self.hub.requests("cdn"), [])
        self.assert_nothing_named_but_pems()

    def assert_nothing_named_but_pems(self):
        os.unlink(self.certificate)
        os.unlink(self.key)
        self.assert_nothing_named()


class Together(HubTest):
    def test_two_pulls_of_one_file(self):
        self.hub.fault("slow", piece=200_000, pause=0.05, times=1)
        both = [self.start("pull", REPO) for _ in range(2)]
        for p in both:
            out, err = p.communicate(timeout=20)
            self.assert_good((p.returncode, out, err))
        self.assertEqual(len(self.hub.requests("cdn")), 1)  # the second shared what the first brought
        self.assertEqual(os.listdir(self.folder + "/blobs"), [ETAG])

    def test_another_tools_lock_is_waited_for(self):
        locks = os.path.dirname(self.folder) + "/.locks/models--acme--tiny-GGUF"
        os.makedirs(locks)
        with open(locks + "/" + ETAG + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            p = self.start("pull", REPO)
            time.sleep(0.7)
            self.assertIsNone(p.poll())
            self.assertEqual(self.hub.requests("cdn"), [])
            os.unlink(lock.name)  # as some release it: the name goes first
        out, err = p.communicate(timeout=10)
        self.assert_good((p.returncode, out, err))


class Housekeeping(HubTest):
    def setUp(self):
        super().setUp()
        # nano comes with a command in its tree, and would be listed: here it stands in none
        self.command = self.home + "/bin/gemma3n"
        os.makedirs(os.path.dirname(self.command))
        shutil.copy(COMMAND, self.command)

    def test_list(self):
        code, out, err = self.run_it("list")
        self.assertEqual((code, out), (0, ""))
        self.assertIn("holds no models", err)
        self.assertEqual(self.run_it("list", "--json")[:2], (0, "[]\n"))
        self.pull()
        os.makedirs(os.path.dirname(self.folder) + "/datasets--acme--x/blobs")
        os.makedirs(os.path.dirname(self.folder) + "/models--strange")
        with open(self.folder + "/blobs/" + "0" * 64 + ".incomplete", "wb") as f:
            f.write(b"x" * 1000)
        code, out, err = self.run_it("list", "--json")
        self.assertEqual(json.loads(out), [{"name": REPO, "bytes": len(DATA) + 1000 + 40, "partial_bytes": 1000, "files": ["m-Q4_K_M.gguf"], "path": os.path.dirname(self.pointer)}])
        code, out, err = self.run_it("list")
        head, line = out.splitlines()
        self.assertEqual(head.split(), ["NAME", "SIZE", "FILES", "PATH"])
        self.assertEqual(line.split()[:5], [REPO, "2.0", "MB", "1", os.path.dirname(self.pointer)])

    def test_rm_removes_that_repository_only(self):
        self.pull()
        self.hub.repos["acme/tiny"] = Repo({"x.gguf": b"x"})
        self.pull("acme/tiny")
        code, out, err = self.run_it("rm", "-y", REPO)
        self.assertEqual((code, out), (0, ""))
        self.assertIn("2.0 MB freed", err)
        self.assertFalse(os.path.exists(self.folder))
        self.assertTrue(os.path.exists(os.path.dirname(self.folder) + "/models--acme--tiny/refs/main"))
        self.assert_fails(self.run_it("rm", "-y", REPO), "not in the cache")

    def test_rm_refuses(self):
        self.pull()
        self.assert_fails(self.run_it("rm", REPO), "give -y", code=2)
        for name in ("..", "../..", "acme/../x", "acme/..", "/", ".", "models--acme--tiny-GGUF", REPO + ":Q4_K_M"):
            with self.subTest(name):
                self.assertEqual(self.run_it("rm", "-y", name)[0], 2)
        elsewhere = self.home + "/elsewhere"
        os.makedirs(elsewhere)
        os.symlink(elsewhere, os.path.dirname(self.folder) + "/models--acme--link")
        self.assert_fails(self.run_it("rm", "-y", "acme/link"), "not in the cache")
        self.assertTrue(os.path.isdir(elsewhere))
        self.assertTrue(os.path.exists(self.pointer))

    def test_rm_follows_no_link_out(self):
        self.pull()
        outside = self.home + "/outside"
        os.makedirs(outside)
        with open(outside + "/kept", "w") as f:
            f.write("kept")
        os.symlink(outside, self.folder + "/snapshots/" + COMMIT + "/dir")
        self.assertEqual(self.run_it("rm", "-y", REPO)[0], 0)
        self.assertTrue(os.path.exists(outside + "/kept"))

    def in_terminal(self, keys, *args):
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(COMMAND, [COMMAND, *args], self.env)
        os.write(fd, keys)
        screen, end = b"", time.time() + 15
        while time.time() < end:
            if not select.select([fd], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            screen += piece
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen.decode()

    def test_rm_asks_on_a_terminal(self):
        self.pull()
        code, screen = self.in_terminal(b"n\n", "rm", REPO)
        self.assertEqual(code, 0)
        self.assertIn("nothing is removed", screen)
        self.assertTrue(os.path.exists(self.pointer))
        code, screen = self.in_terminal(b"y\n", "rm", REPO)
        self.assertIn("freed", screen)
        self.assertFalse(os.path.exists(self.folder))

    def test_a_terminal_sees_the_download_move(self):
        self.hub.fault("slow", piece=100_000, pause=0.1)
        code, screen = self.in_terminal(b"", "pull", REPO)
        self.assertEqual(code, 0)
        self.assertRegex(screen, r"m-Q4_K_M.gguf  [0-9.]+ [kM]B of 2.0 MB  \d+ %  [0-9.]+ [kM]B/s  0:\d\d left")


class Names(HubTest):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="gemma3n-hub-model-")
        subprocess.run([COMMAND, "synth", "--size", "tiny", "--type", "q8_0", "-o", cls.work + "/tiny.gguf"], check=True)
        subprocess.run([COMMAND, "synth", "--size", "tiny", "--type", "bf16", "-o", cls.work + "/dir"], check=True)
        with open(cls.work + "/tiny.gguf", "rb") as f:
            cls.gguf = f.read()
        cls.dir = {}
        for name in os.listdir(cls.work + "/dir"):
            with open(cls.work + "/dir/" + name, "rb") as f:
                cls.dir[name] = f.read()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    ANSWER = ("--raw", "--temp", "0", "-n", "5", "the cat")

    def test_run_fetches_once_and_then_needs_no_network(self):
        self.hub.repos[REPO] = Repo({"m-Q8_0.gguf": self.gguf, "m-Q4_K_M.gguf": b"another"})
        expected = self.run_it("run", self.work + "/tiny.gguf", *self.ANSWER)
        code, out, err = self.run_it("run", REPO + ":q8_0", *self.ANSWER)
        self.assertEqual((code, out), expected[:2], err)
        self.assertIn("fetching " + REPO + ":q8_0 from " + self.hub.url(), err)
        self.env["HF_ENDPOINT"] = "http://127.0.0.1:1"
        for args in ((), ("--offline",)):
            code, out, err = self.run_it("run", REPO + ":Q8_0", *args, *self.ANSWER)
            self.assertEqual((code, out, err), expected)
        code, out, err = self.run_it("run", REPO, "--offline", *self.ANSWER)  # the one that is there
        self.assertEqual((code, out, err), expected)

    def test_every_command_takes_a_name(self):
        self.hub.repos[REPO] = Repo({"m-Q8_0.gguf": self.gguf})
        for command in (("show", REPO), ("tokenize", REPO, "x"), ("trace", REPO, "x", "-o", self.home + "/t")):
            self.assert_fails(self.run_it(*command), "gemma3n pull " + REPO)
        self.assertEqual(self.hub.log, [])
        self.pull()
        self.env["HF_ENDPOINT"] = "http://127.0.0.1:1"
        for command in (("show", REPO), ("tokenize", REPO, "the cat"), ("trace", REPO, "x", "-o", self.home + "/t")):
            code, out, err = self.run_it(*command)
            self.assertEqual((code, err), (0, ""))
            named = self.work + "/tiny.gguf"
            if command[0] == "tokenize":
                self.assertEqual(out, self.run_it(command[0], named, *command[2:])[1])

    def test_a_directory_starts_when_it_is_whole(self):
        self.hub.repos["acme/dir"] = Repo(self.dir)
        expected = self.run_it("run", self.work + "/dir", *self.ANSWER)
        code, out, err = self.run_it("run", "acme/dir", *self.ANSWER)
        self.assertEqual((code, out), expected[:2], err)
        self.assertEqual(self.run_it("run", "acme/dir", "--offline", *self.ANSWER), expected)
        snapshot = self.home + "/.cache/huggingface/hub/models--acme--dir/snapshots/" + COMMIT
        with open(snapshot + "/model.safetensors.index.json", "w") as f:
            json.dump({"weight_map": {"x": "model-00002-of-00002.safetensors"}}, f)
        self.assert_fails(self.run_it("run", "acme/dir", "--offline", *self.ANSWER), "does not hold acme/dir")

    def test_short_names(self):
        for name, repo, file in (("e2b", "unsloth/gemma-3n-E2B-it-GGUF", "gemma-3n-E2B-it-Q4_K_M.gguf"), ("e4b", "unsloth/gemma-3n-E4B-it-GGUF", "gemma-3n-E4B-it-Q4_K_M.gguf"),
                                 ("270m", "ggml-org/gemma-3-270m-it-GGUF", "gemma-3-270m-it-Q8_0.gguf")):
            self.hub.repos[repo] = Repo({file: self.gguf, "other-Q5_0.gguf": b"x"})
            code, out, err = self.run_it("run", name, *self.ANSWER)
            self.assertEqual(code, 0, err)
            self.assertIn("fetching " + repo, err)
            code, out, err = self.run_it("pull", name + ":Q5_0")
            self.assertTrue(out.endswith("/other-Q5_0.gguf\n"), err)

    def test_a_path_comes_before_a_name(self):
        os.makedirs(self.home + "/acme")
        shutil.copy(self.work + "/tiny.gguf", self.home + "/acme/tiny-GGUF")
        code, _, err = self.run_it("run", REPO, *self.ANSWER, cwd=self.home)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.hub.log, [])
        self.assert_fails(self.run_it("run", "models/none.gguf", *self.ANSWER), "models/none.gguf: no such file or directory")
        self.assertEqual(self.hub.log, [])


def all_side_by_side():
    """Each class in a process of its own: they wait more than they work."""
    def one(name):
        return subprocess.run([sys.executable, __file__, COMMAND, name], capture_output=True, text=True, timeout=120, check=False)
    names = [c.__name__ for c in HubTest.__subclasses__()]
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        done = list(pool.map(one, names))
    for name, result in zip(names, done):
        print("== " + name, result.stderr, sep="\n")
    return max(abs(r.returncode) for r in done)


if __name__ == "__main__":
    COMMAND = os.path.abspath(sys.argv.pop(1))
    sys.exit(all_side_by_side()) if len(sys.argv) == 1 else unittest.main()
