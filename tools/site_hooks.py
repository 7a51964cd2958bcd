"""Additions to the site: navigation of generated pages, search weights, the version, a check of code blocks."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from postrender import __version__
from postrender.cli.commands import COMMANDS
from postrender.lint.rules import RULES
from postrender.planner.codes import CODES
from tools.pages import FAMILIES, MADE, ROOT

BOOST = {"errors.md": 8, "zh/errors.md": 4}
"""Factors for the search: an error that a user pastes leads to its fix, not to all pages with the same words."""
NOT_SEARCHED = ("callers-evidence.md", "changelog.md", "nightly.md", "performance.md", "published-tests.md")
"""Pages that the search leaves out: they are for contributors, and full of numbers and names."""
LISTED: dict[str, list[Any]] = {
    "commands/index.md": [f"commands/{name}.md" for name in ("filter", *COMMANDS)],
    "codes/index.md": [
        {title: [{code: f"codes/{code}.md"} for code in (*CODES, *RULES) if code.startswith(family)]}
        for family, title in FAMILIES.items()
    ],
}
"""The pages below an index page in the navigation."""
_LOG = logging.getLogger("mkdocs.plugins.site")


def on_config(config: Any, **_: Any) -> Any:
    """Add every command and code to the navigation, and the version with its changes to the footer."""
    config.nav = _with_pages(config.nav)
    if not config.repo_url:
        config.edit_uri = None
    config.copyright = f'postrender {__version__} · <a href="changelog.html">Changelog</a>'
    return config


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add the changelog as a page."""
    file_type = import_module("mkdocs.structure.files").File
    files.append(file_type.generated(config, "changelog.md", content=(ROOT / "CHANGELOG.md").read_text()))
    return files


def on_page_context(context: Any, page: Any, config: Any, **_: Any) -> Any:
    """Make the footer's link right for the page's folder."""
    up = "../" * page.file.src_uri.count("/")
    config.copyright = f'postrender {__version__} · <a href="{up}changelog.html">Changelog</a>'
    return context


def _with_pages(nav: Any) -> Any:
    if isinstance(nav, list):
        return [_with_pages(entry) for entry in nav]
    if isinstance(nav, dict):
        return {title: _with_pages(entry) for title, entry in nav.items()}
    return [nav, *LISTED[nav]] if nav in LISTED else nav


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Set the page's weight in the search, and no edit link on generated pages."""
    if page.file.src_uri in BOOST:
        page.meta["search"] = {"boost": BOOST[page.file.src_uri]}
    if page.file.src_uri in NOT_SEARCHED:
        page.meta["search"] = {"exclude": True}
    if MADE.strip() in markdown:
        page.edit_url = None
    return markdown


def on_page_content(html: str, page: Any, **_: Any) -> None:
    """Warn of Markdown that came out as text; with ``--strict`` a warning ends the build."""
    if "```" in html:
        _LOG.warning("%s: a block of code is shown as text", page.file.src_uri)
