"""A hub look-alike on loopback, with faults that a test switches on: the interface of Hugging Face as far as a download uses it.

Two servers, as in life: the endpoint (listings, metadata, small files) and a CDN that large files are redirected to. Each request is
logged with its headers. Nothing runs for longer than the test that made it: every wait is bounded.
"""
import hashlib
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Repo:
    def __init__(self, files, large=(".gguf", ".safetensors")):
        self.files, self.large, self.commit = files, large, COMMIT
        self.gated = False
        self.names = None  # what the listing says instead of the truth
        self.lie = {}      # headers of metadata that differ from the truth

    def is_large(self, path):
        return path.endswith(tuple(self.large))

    def etag(self, path):
        data = self.files[path]
        return hashlib.sha256(data).hexdigest() if self.is_large(path) else git_sha1(data)


class Hub:
    def __init__(self):
        self.repos, self.log, self.faults = {}, [], []
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.servers, self.schemes = {}, {"endpoint": "http", "cdn": "http"}
        for role in ("endpoint", "cdn"):
            server = ThreadingHTTPServer(("127.0.0.1", 0), type(role, (Handler,), {"hub": self, "role": role}))
            server.daemon_threads = True
            server.handle_error = lambda *_: None  # a client that hangs up is part of the play
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self.servers[role] = server

    def url(self, role="endpoint"):
        return "%s://127.0.0.1:%d" % (self.schemes[role], self.servers[role].server_address[1])

    def speak_tls(self, role, certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.servers[role].socket = context.wrap_socket(self.servers[role].socket, server_side=True)
        self.schemes[role] = "https"

    def fault(self, kind, role="cdn", method="GET", path="", times=1, **how):
        """The next `times` requests of that kind go wrong: status, cut, stall, no_range, flip, longer, circle, wrong_range, downgrade."""
        self.faults.append(dict(kind=kind, role=role, method=method, path=path, left=times, **how))

    def take_fault(self, role, method, path):
        with self.lock:
            for f in self.faults:
                if f["left"] > 0 and f["role"] == role and f["method"] in (method, "any") and f["path"] in path:
                    f["left"] -= 1
                    return f
        return None

    def requests(self, role, method=None):
        with self.lock:
            return [r for r in self.log if r["role"] == role and method in (None, r["method"])]

    def close(self):
        self.released.set()
        for s in self.servers.values():
            s.shutdown()
            s.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.serve()

    def do_GET(self):
        self.serve()

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for k, v in (headers or {}).items():
            self.send_header(k, str(v))
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        path = unquote(self.path)
        if path.startswith("http://"):  # spoken to as a proxy
            path = "/" + path.split("/", 3)[3]
        with self.hub.lock:
            self.hub.log.append(dict(role=self.role, method=self.command, path=path, headers={k.lower(): v for k, v in self.headers.items()}))
        fault = self.hub.take_fault(self.role, self.command, path)
        try:
            if fault and fault["kind"] == "status":
                return self.answer(fault["status"], fault.get("body", b""), fault.get("headers"))
            if fault and fault["kind"] == "circle":
                return self.answer(302, headers={"Location": self.path})
            if fault and fault["kind"] == "json":
                return self.answer(200, fault["body"])
            if self.role == "cdn":
                repo, name = path[1:].split(":", 1)
                return self.send_file(self.hub.repos[repo].files[name], {}, fault)
            parts = path.strip("/").split("/")
            if parts[:2] == ["api", "resolve-cache"]:
                return self.resolve("/".join(parts[2:4]), parts[4], "/".join(parts[5:]), fault, cached=True)
            if parts[:2] == ["api", "models"]:
                return self.tree("/".join(parts[2:4])) if parts[4:5] == ["tree"] else self.listing("/".join(parts[2:4]))
            if len(parts) >= 5 and parts[2] == "resolve":
                return self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]), fault)
            self.answer(404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def refuse(self, name):
        repo = self.hub.repos.get(name)
        if repo is None:
            self.answer(401, b"Invalid username or password.", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        return repo is None

    def listing(self, name):
        if self.refuse(name):
            return
        repo = self.hub.repos[name]
        names = repo.names if repo.names is not None else sorted(repo.files)
        body = {"id": name, "sha": repo.commit, "gated": repo.gated, "siblings": [{"rfilename": n} for n in names]}
        self.answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def tree(self, name):
        """What huggingface_hub's snapshot_download asks for; pull does not."""
        if self.refuse(name):
            return
        repo, entries = self.hub.repos[name], []
        for path, data in sorted(repo.files.items()):
            entry = {"type": "file", "path": path, "size": len(data), "oid": git_sha1(data)}
            if repo.is_large(path):
                entry["lfs"] = {"oid": repo.etag(path), "size": len(data), "pointerSize": 100}
            entries.append(entry)
        self.answer(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})

    def resolve(self, name, revision, path, fault, cached=False):
        if self.refuse(name):
            return
        repo = self.hub.repos[name]
        if repo.gated and self.headers.get("Authorization") != "Bearer " + repo.gated:
            return self.answer(401, b"Access to this model is restricted.", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted"})
        if revision not in ("main", repo.commit) or path not in repo.files:
            return self.answer(404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})
        data, headers = repo.files[path], {"X-Repo-Commit": repo.commit, "Accept-Ranges": "bytes"}
        if repo.is_large(path):
            headers |= {"X-Linked-Etag": '"%s"' % repo.etag(path), "X-Linked-Size": len(data), "ETag": '"cdn"',
                        "Location": "%s/%s:%s" % (self.hub.url("cdn"), name, path)}
            return self.answer(302, b"Found", headers | repo.lie)
        if not cached:  # small files: a redirect that names no host
            return self.answer(307, b"", headers | {"Location": "/api/resolve-cache/%s/%s/%s" % (name, revision, path)})
        self.send_file(data, headers | {"ETag": '"%s"' % repo.etag(path)} | repo.lie, fault)

    def send_file(self, data, headers, fault):
        kind = fault["kind"] if fault else ""
        begin, status = 0, 200
        asked = self.headers.get("Range")
        if asked and kind != "no_range":
            begin, status = int(asked.split("=")[1].split("-")[0]), 206
            if begin >= len(data):
                return self.answer(416, headers={"Content-Range": "bytes */%d" % len(data)})
            shown = begin + 7 if kind == "wrong_range" else begin
            headers = headers | {"Content-Range": "bytes %d-%d/%d" % (shown, len(data) - 1, len(data))}
        body = data[begin:]
        if kind == "flip":
            body = bytes([body[0] ^ 1]) + body[1:]
        if kind == "longer":
            body += b"more"
        if kind == "shorter":
            body = body[:-5]
        if self.command == "HEAD" or kind not in ("cut", "stall", "slow"):
            return self.answer(status, body, {"Content-Length": len(body)} | headers)
        self.send_response(status)
        for k, v in ({"Content-Length": len(body)} | headers).items():
            self.send_header(k, str(v))
        self.end_headers()
        if kind == "slow":
            for at in range(0, len(body), fault["piece"]):
                self.wfile.write(body[at:at + fault["piece"]])
                if self.hub.released.wait(fault["pause"]):
                    break
        else:
            self.wfile.write(body[:fault["after"]])
            self.wfile.flush()
            if kind == "stall":
                self.hub.released.wait(20)
        self.close_connection = True
