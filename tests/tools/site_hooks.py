"""What the documentation's site has beside what mkdocs makes of the pages."""

from __future__ import annotations

import logging
from typing import Any

BOOST = {"errors.md": 8, "zh/errors.md": 4}
"""How much more a page counts in the search: who pastes an error wants its cure, not all that has the same words."""
_LOG = logging.getLogger("mkdocs.plugins.site")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page as it is, and what it counts in the search."""
    if page.file.src_uri in BOOST:
        page.meta["search"] = {"boost": BOOST[page.file.src_uri]}
    return markdown


def on_page_content(html: str, page: Any, **_: Any) -> None:
    """Warn of Markdown that came out as text; with ``--strict`` a warning ends the build."""
    if "```" in html:
        _LOG.warning("%s: a block of code is shown as text", page.file.src_uri)
