"""What goes wrong in Helm, or in the API server, while it makes or applies a patch."""

from __future__ import annotations


class PatchError(Exception):
    """Go's own error; ``str()`` of it is the message as Helm prints it, after its own ``failed to create patch: ``.

    ``crashes`` says that Go panics instead of returning the error: Helm ends with a stack trace in the middle of its
    run, and a new release is left ``pending-install``. An API server survives the same panic with a 500.
    """

    def __init__(self, message: str, *, crashes: bool = False) -> None:
        self.crashes = crashes
        super().__init__(message)


def crash(message: str) -> PatchError:
    """The panic that Go's runtime raises with this message."""
    return PatchError(f"runtime error: {message}", crashes=True)
