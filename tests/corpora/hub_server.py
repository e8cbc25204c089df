"""A small Hub on 127.0.0.1: a local folder OWNER/NAME/... served as repositories of data sets, with
faults on request.

It answers what huggingface_hub and datasets ask of the real one. Reading from it is
hub_client.py's job."""

import contextlib
import hashlib
import http.server
import json
import socket
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"
"""The only commit of every repository here."""


class HubServer(http.server.ThreadingHTTPServer):
    """Serves `folder`; of every file whose name ends in `ending` the first `drops` answers break
    off halfway."""

    daemon_threads = True

    def __init__(self, folder: Path, drops: float, ending: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.drops = drops
        self.ending = ending
        self.dropped: Counter[Path] = Counter()
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: a client that gives up is what the tests are about."""

    def take_drop(self, path: Path) -> bool:
        """Say whether this answer breaks off."""
        with self.lock:
            if not path.name.endswith(self.ending) or self.dropped[path] >= self.drops:
                return False
            self.dropped[path] += 1
            return True


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers for the routes of the Hub that are used."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        parts = urllib.parse.unquote(self.path.partition("?")[0]).strip("/").split("/")
        if parts[:2] == ["api", "datasets"]:
            owner, name = parts[2:4]
            kind, revision, *path = parts[4:] or ("revision", REVISION)
        elif parts[0] == "datasets" and parts[3:4] == ["resolve"]:
            owner, name, kind, revision, *path = parts[1:]
        else:
            return self.refuse(404, "EntryNotFound")
        repository = self.server.folder / owner / name
        if not repository.is_dir():
            # The real one doesn't tell strangers what doesn't exist.
            return self.refuse(401, "RepoNotFound")
        if revision != REVISION:
            return self.refuse(404, "RevisionNotFound")
        if kind == "resolve":
            return self.send_file(repository.joinpath(*path))
        if kind == "revision":
            return self.send_json(describe(repository))
        if kind == "tree":
            folder = repository.joinpath(*path)
            if not folder.is_dir():
                return self.refuse(404, "EntryNotFound")
            recursive = "recursive=true" in self.path.lower()
            return self.send_json(list_entries(repository, folder, recursive))
        wanted = form.get("paths", [])
        entries = list_entries(repository, repository)
        return self.send_json([entry for entry in entries if entry["path"] in wanted])

    do_HEAD = do_GET  # noqa: N815 - http.server's name
    do_POST = do_GET  # noqa: N815

    def refuse(self, status: int, code: str) -> None:
        self.send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

    def send_json(self, answer: object) -> None:
        self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def send_file(self, path: Path) -> None:
        if not path.is_file():
            self.refuse(404, "EntryNotFound")
            return
        body = path.read_bytes()
        status = 200
        tag = hashlib.sha256(body).hexdigest()  # by which huggingface_hub's cache knows a file
        headers = {
            "ETag": f'"{tag}"',
            "X-Linked-Etag": f'"{tag}"',
            "X-Linked-Size": str(len(body)),
            "Accept-Ranges": "bytes",
        }
        if wanted := self.headers.get("Range"):
            start, end = wanted.removeprefix("bytes=").split("-")
            first = int(start)
            last = min(int(end or len(body) - 1), len(body) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            body = body[first : last + 1]
            status = 206
        breaks_off = self.command == "GET" and self.server.take_drop(path)
        self.send(status, body, headers, breaks_off)

    def send(
        self, status: int, body: bytes, headers: dict[str, str], breaks_off: bool = False
    ) -> None:
        self.send_response(status)
        all_headers = {"X-Repo-Commit": REVISION, "Content-Length": str(len(body)), **headers}
        for key, value in all_headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if not breaks_off:
            self.wfile.write(body)
            return
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def describe(repository: Path) -> dict:
    """What the Hub says of a repository at a revision."""
    files = [entry for entry in list_entries(repository, repository) if "size" in entry]
    return {
        "id": f"{repository.parent.name}/{repository.name}",
        "sha": REVISION,
        "private": False,
        "gated": False,
        "disabled": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        "siblings": [{"rfilename": entry["path"]} for entry in files],
    }


def list_entries(repository: Path, folder: Path, recursive: bool = True) -> list[dict]:
    """Files and folders as the Hub's tree listing has them."""
    return [
        describe_entry(repository, path)
        for path in sorted(folder.rglob("*") if recursive else folder.iterdir())
    ]


def describe_entry(repository: Path, path: Path) -> dict:
    entry = {"path": path.relative_to(repository).as_posix(), "oid": "0" * 40}
    if path.is_dir():
        return entry | {"type": "directory"}
    return entry | {"type": "file", "size": path.stat().st_size}


@contextlib.contextmanager
def serve(folder: Path, drops: float = 0, ending: str = ".parquet") -> Iterator[HubServer]:
    """A running Hub."""
    with HubServer(folder, drops, ending) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class MuteServer:
    """Takes connections, counts them, and never answers."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.server_port = self.listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                self.connections.append(self.listener.accept()[0])

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()


@contextlib.contextmanager
def serve_nothing() -> Iterator[MuteServer]:
    """A Hub that never answers."""
    server = MuteServer()
    try:
        yield server
    finally:
        server.close()


def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
