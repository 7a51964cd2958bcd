"""A git server on loopback: ``git http-backend`` behind Python's own HTTP server."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from functools import partial
from pathlib import Path


class GitServer:
    """Serves every repository below a folder, over http."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, folder))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        """The address of a repository."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}/.git"

    def commit(self, name: str) -> str:
        """Commit all that is in a repository's work tree, making the repository if need be; the commit's id."""
        place = self.folder / name
        if not (place / ".git").exists():
            _git(place, "init", "--quiet", "--initial-branch=main")
        _git(place, "add", "--all")
        _git(place, "commit", "--quiet", "--allow-empty", "--message=change")
        return _git(place, "rev-parse", "HEAD")

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def _git(place: Path, *arguments: str) -> str:
    about = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *about, *arguments], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class _Handler(http.server.BaseHTTPRequestHandler):
    """One request, handed to git by the rules of CGI."""

    def __init__(self, root: Path, *arguments: object) -> None:
        self._root = root
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Which references there are."""
        self._answer(b"")

    def do_POST(self) -> None:
        """What is fetched."""
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def log_message(self, *_: object) -> None:
        """Nothing: the caller's own log says what was fetched."""

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._root),
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environ, input=body, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
