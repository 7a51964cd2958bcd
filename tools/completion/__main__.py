"""Write the completion scripts of the package from the parsers of all commands.

    python -m tools.completion

A test holds the files against what this makes, so that nobody forgets them with a new flag.
"""

from __future__ import annotations

from tools.completion.scripts import FOLDER, scripts

if __name__ == "__main__":
    for name, text in scripts().items():
        (FOLDER / name).write_text(text)
