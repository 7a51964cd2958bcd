"""Where the copy of what is replaced goes."""

from __future__ import annotations

from pathlib import Path

from postrender.models import ReleaseName
from postrender.operations.stored_revisions import backup_path


def test_a_file_that_is_there_is_never_named_again(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    made = []
    for _ in range(3):
        path = Path(backup_path(ReleaseName("shop", "r"), environ))
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        made.append(path)
    assert len(set(made)) == 3
