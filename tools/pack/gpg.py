"""A gpg keyring with one key, made for one run: signatures can be made and verified without anybody's own key."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Keyring:
    """The keyring in a folder of its own, whose path has to be short: gpg's agent has its socket there."""

    KEY = "test@postrender.invalid"

    def __init__(self, home: Path) -> None:
        """Make the key; raises CalledProcessError."""
        home.mkdir(mode=0o700)
        self.home = home
        self.public = home / "public.gpg"
        self("--passphrase", "", "--quick-gen-key", f"postrender test key <{self.KEY}>", "rsa2048", "sign", "0")
        self.public.write_bytes(self("--export"))

    def __call__(self, *arguments: str) -> bytes:
        """What gpg prints; raises CalledProcessError."""
        command = ["gpg", "--batch", "--quiet", "--homedir", str(self.home), *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def close(self) -> None:
        """End gpg's agent."""
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=True)
