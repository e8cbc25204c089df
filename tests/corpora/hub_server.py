"""A small Hub on 127.0.0.1: a local folder OWNER/NAME/... served as dataset repositories, with faults on request.

Answers what huggingface_hub and datasets ask of the real one. HF_ENDPOINT is read at import, so whatever reads from
here runs in a process of its own: `run_python`.
"""
import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import PROJECT

REVISION = "0123456789abcdef0123456789abcdef01234567"
"""The only commit of every repository here."""


class HubServer(http.server.ThreadingHTTPServer):
    """Serves `folder`; the next `drops` bodies of files that end in `ending` break off halfway (-1: all of them)."""
    daemon_threads = True

    def __init__(self, folder: Path, drops: int, ending: str, stalls: bool):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.drops, self.ending, self.stalls = folder, drops, ending, stalls
        self.lock, self.stop, self.requests = threading.Lock(), threading.Event(), []

    def handle_error(self, request, client_address):
        """Stay quiet: a client that gives up is what the tests are about."""

    def take_drop(self, name: str) -> bool:
        with self.lock:
            if not self.drops or not name.endswith(self.ending):
                return False
            self.drops -= self.drops > 0
            return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HubServer

    def do_GET(self):
        self.server.requests.append(f"{self.command} {self.path}")
        length = int(self.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        parts = urllib.parse.unquote(self.path.partition("?")[0]).strip("/").split("/")
        if parts[:2] == ["api", "datasets"]:
            owner, name = parts[2:4]
            kind, revision, *path = parts[4:] or ("revision", REVISION)
            path = "/".join(path)
        elif parts[0] == "datasets" and parts[3:4] == ["resolve"]:
            owner, name, kind, revision, path = *parts[1:5], "/".join(parts[5:])
        else:
            return self.refuse(404, "EntryNotFound")
        repository = self.server.folder / owner / name
        if not repository.is_dir():
            return self.refuse(401, "RepoNotFound")  # the real one doesn't tell strangers what doesn't exist
        if revision != REVISION:
            return self.refuse(404, "RevisionNotFound")
        if kind == "resolve":
            return self.send_file(repository / path)
        if kind == "revision":
            files = [{"rfilename": entry["path"]} for entry in entries(repository, repository) if "size" in entry]
            return self.send_json({"id": f"{owner}/{name}", "sha": revision, "private": False, "gated": False,
                                   "disabled": False, "tags": [], "downloads": 0, "likes": 0, "siblings": files})
        if kind == "tree":
            recursive = "recursive=true" in self.path.lower()
            if not (repository / path).is_dir():
                return self.refuse(404, "EntryNotFound")
            return self.send_json(entries(repository, repository / path, recursive))
        wanted = form.get("paths", [])
        return self.send_json([entry for entry in entries(repository, repository) if entry["path"] in wanted])

    do_HEAD = do_POST = do_GET

    def refuse(self, status: int, code: str) -> None:
        self.send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

    def send_json(self, answer: object) -> None:
        self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def send_file(self, path: Path) -> None:
        if not path.is_file():
            return self.refuse(404, "EntryNotFound")
        body, status = path.read_bytes(), 200
        headers = {"ETag": f'"{path.name}"', "X-Linked-Etag": f'"{path.name}"', "X-Linked-Size": str(len(body)),
                   "Accept-Ranges": "bytes"}
        if wanted := self.headers.get("Range"):
            first, last = wanted.removeprefix("bytes=").split("-")
            first, last = int(first), min(int(last or len(body) - 1), len(body) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            body, status = body[first:last + 1], 206
        fault = self.command == "GET" and self.server.take_drop(path.name)
        self.send(status, body, headers, fault)

    def send(self, status: int, body: bytes, headers: dict[str, str], fault: bool = False) -> None:
        self.send_response(status)
        for key, value in {"X-Repo-Commit": REVISION, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:len(body) // 2] if fault else body)
        if fault:
            self.wfile.flush()
            if self.server.stalls:
                self.server.stop.wait()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def log_message(self, *_):
        pass


def entries(repository: Path, folder: Path, recursive: bool = True) -> list[dict]:
    """Files and folders as the Hub's tree listing has them."""
    return [{"path": path.relative_to(repository).as_posix(), "oid": "0" * 40,
             **({"type": "directory"} if path.is_dir() else {"type": "file", "size": path.stat().st_size})}
            for path in sorted(folder.rglob("*") if recursive else folder.iterdir())]


@contextlib.contextmanager
def serve(folder: Path, drops: int = 0, ending: str = ".parquet", stalls: bool = False) -> Iterator[HubServer]:
    """A running Hub; `stalls` makes a body hang halfway instead of breaking off."""
    with HubServer(folder, drops, ending, stalls) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.stop.set()
            server.shutdown()


@contextlib.contextmanager
def silent_port(accept: bool) -> Iterator[int]:
    """A port that takes connections and never answers, or one on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if not accept:
            listener.close()
        yield port


def run_python(port: int, home: Path, *arguments: str, timeout: float, **variables: str) -> subprocess.CompletedProcess:
    """Python with `arguments`, for at most `timeout` seconds; its Hub is at `port`, its cache and folder are `home`."""
    environment = {name: value for name, value in os.environ.items() if name not in ("HF_HUB_OFFLINE", "HF_TOKEN")}
    environment |= {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(home), "NO_PROXY": "127.0.0.1",
                    "no_proxy": "127.0.0.1", "PYTHONUTF8": "1", "PYTHONPATH": str(PROJECT), **variables}
    return subprocess.run([sys.executable, *arguments], text=True, capture_output=True, env=environment, cwd=home,
                          timeout=timeout)
