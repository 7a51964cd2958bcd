"""The kubeconfig files that are read, in order, and what each defines: client-go's loading, and none of its choosing.

From k8s.io/client-go 0.34.3, tools/clientcmd, ``Load`` (loader.go): files that do not exist are passed over, and the
first current context wins. What is made of a name that several files define, its readers decide.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from postrender import manifest
from postrender.errors import ManifestError
from postrender.live import Json
from postrender.record import Record


class Unreadable(Exception):
    """A file is there and is no kubeconfig; ``cause`` is a phrase that goes after its path."""

    def __init__(self, path: str, cause: str, *, other: bool = False) -> None:
        """``other`` tells that the file could be read and holds something else."""
        super().__init__(f"{path} {cause}")
        self.path = path
        self.cause = cause
        self.other = other


class KubeFile(Record, hidden=("content",)):
    """One file that is there; the content holds credentials, and is left out of ``repr``."""

    path: str
    content: Mapping[str, Json]

    @property
    def folder(self) -> str:
        """What relative paths in the file start from."""
        return os.path.dirname(os.path.abspath(self.path))

    def definitions(self, kind: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Name and definition of each ``context``, ``cluster`` or ``user``, in the file's order."""
        entries = self.content.get(f"{kind}s")
        for entry in entries if isinstance(entries, list) else ():
            named = _mapping(entry)
            yield str(named.get("name")), _mapping(named.get(kind))


def at_home(environ: Mapping[str, str]) -> str:
    """Name the kubeconfig that is read where no other is named; ``""`` where there is no home."""
    home = environ.get("HOME", "")
    return os.path.join(home, ".kube", "config") if home else ""


def load(paths: str) -> list[KubeFile]:
    """Read the files joined by ``os.pathsep``, as in ``$KUBECONFIG``, each once; raises Unreadable."""
    found = (_read(path) for path in dict.fromkeys(filter(None, paths.split(os.pathsep))))
    return [file for file in found if file is not None]


def current_context(files: Sequence[KubeFile]) -> str:
    """The name of the context that is taken where none is named, ``""`` for none."""
    named = (file.content.get("current-context") for file in files)
    return next((str(name) for name in named if name), "")


def _read(path: str) -> KubeFile | None:
    try:
        with open(path, "rb") as handle:
            content = manifest.load(handle.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unreadable(path, f"cannot be read: {error.strerror}") from error
    except ManifestError as error:
        raise Unreadable(path, f"cannot be read: {error}") from error
    if content is not None and not isinstance(content, Mapping):
        raise Unreadable(path, "is no kubeconfig", other=True)
    return KubeFile(path, content or {})


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
