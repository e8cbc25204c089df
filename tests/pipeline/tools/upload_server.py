"""A small Hub on 127.0.0.1 that takes uploads: repositories are made, files arrive in commits,
large ones by git-LFS's protocol.

It knows one token, which may write to the repositories of one owner."""

import base64
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator

TOKEN = "hf_" + "secret" * 5
OWNER = "someone"
LARGE = (".safetensors", ".gguf", ".onnx", ".model")
COMMIT = "fedcba9876543210" * 2 + "fedcba98"


class UploadServer(http.server.ThreadingHTTPServer):
    """Keeps what arrives in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.visibility: dict[str, str] = {}
        self.large: dict[str, bytes] = {}  # by SHA-256
        self.files: dict[str, dict[str, bytes]] = {}  # repository -> path -> content
        self.asked: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers for the routes that an upload asks for."""

    protocol_version = "HTTP/1.1"
    server: UploadServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self.path)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.send(401, {"error": "Invalid username or password."})
        if self.path == "/api/validate-yaml":
            return self.send(200, {"errors": [], "warnings": []})
        if self.path == "/api/repos/create":
            return self.create(json.loads(body))
        parts = self.path.strip("/").split("/")
        if parts[-3:] == ["lfs", "objects", "batch"]:
            return self.offer(json.loads(body))
        repository = "/".join(parts[2:4])
        if parts[4] == "preupload":
            return self.choose(json.loads(body))
        return self.commit(repository, body)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.large[self.path.strip("/")] = body
        self.send(200, {})

    def create(self, wanted: dict) -> None:
        repository = f"{wanted['organization']}/{wanted['name']}"
        if wanted["organization"] != OWNER:
            return self.send(403, {"error": "You don't have the rights to create a model."})
        answer = {"url": f"http://{self.headers['Host']}/{repository}"}
        if repository in self.server.visibility:
            return self.send(409, answer | {"error": "You already created this model repo"})
        self.server.visibility[repository] = wanted["visibility"]
        self.server.files[repository] = {}
        return self.send(200, answer)

    def choose(self, wanted: dict) -> None:
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
            }
            for file in wanted["files"]
        ]
        self.send(200, {"files": modes})

    def offer(self, wanted: dict) -> None:
        host = self.headers["Host"]
        objects = [
            each | {"actions": {"upload": {"href": f"http://{host}/{each['oid']}"}}}
            for each in wanted["objects"]
        ]
        self.send(200, {"transfer": "basic", "objects": objects})

    def commit(self, repository: str, body: bytes) -> None:
        files = self.server.files[repository]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            if line["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
        url = f"http://{self.headers['Host']}/{repository}/commit/{COMMIT}"
        self.send(200, {"success": True, "commitOid": COMMIT, "commitUrl": url})

    def send(self, status: int, answer: dict) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serve_uploads() -> Iterator[UploadServer]:
    """A running Hub."""
    with UploadServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
