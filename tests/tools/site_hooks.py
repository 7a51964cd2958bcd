"""What mkdocs is to warn of beside its own: Markdown that came out as text."""

from __future__ import annotations

import logging
from typing import Any

_LOG = logging.getLogger("mkdocs.plugins.site")


def on_page_content(html: str, page: Any, **_: Any) -> None:
    """Look at a page when it has been made; with ``--strict`` a warning ends the build."""
    if "```" in html:
        _LOG.warning("%s: a block of code is shown as text", page.file.src_uri)
