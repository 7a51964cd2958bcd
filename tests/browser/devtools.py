"""A headless Chromium, driven over the DevTools protocol, that notes every request and every complaint."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket

STARTS_WITHIN = 60.0
ANSWERS_WITHIN = 60.0
"""Seconds."""


class Page:
    """One page in one browser; a context manager.

    ``requests`` are the addresses of all that was asked for, ``complaints`` what console and engine objected to.
    """

    def __init__(self, browser: str, folder: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [
                browser,
                "--headless=new",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--remote-debugging-port=0",
                f"--user-data-dir={folder / 'profile'}",
                *root,
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._number = 0
        try:
            self._socket = websocket.create_connection(self._target(), timeout=ANSWERS_WITHIN, suppress_origin=True)
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self._process.kill()
            raise

    def __enter__(self) -> Page:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def open(self, path: Path) -> None:
        """Load a file and return when all of it is there."""
        self.go(path.as_uri())

    def go(self, address: str) -> None:
        """Load what is at an address and return when all of it is there."""
        self.call("Page.navigate", url=address)
        self.wait(f"document.readyState + location.href === 'complete' + {json.dumps(address)}")

    def wait(self, condition: str) -> None:
        """Return when an expression is true in the page; AssertionError where it does not become so."""
        deadline = time.monotonic() + ANSWERS_WITHIN
        while not self.run(condition):
            assert time.monotonic() < deadline, f"in the page this does not come true: {condition}"
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; AssertionError where it throws."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """One key, as a keyboard gives it."""
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, ord(key.upper()[0]))
        about: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text: str) -> None:
        """Each letter as a key."""
        for letter in text:
            self.press(letter)

    def call(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol, and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, method: str | None, about: Any) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(about["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(str(about["entry"]["text"]))

    def _target(self) -> str:
        """The address of the page's own socket."""
        assert self._process.stderr is not None
        deadline = time.monotonic() + STARTS_WITHIN
        for line in self._process.stderr:
            found = re.search(r"DevTools listening on ws://([^/]+)/", line)
            if found:
                with urllib.request.urlopen(f"http://{found[1]}/json/list", timeout=ANSWERS_WITHIN) as answer:
                    pages = [each for each in json.load(answer) if each["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"])
            assert time.monotonic() < deadline, "the browser does not start"
        raise AssertionError("the browser ended before it began")
