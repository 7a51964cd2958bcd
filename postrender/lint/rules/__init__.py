"""The rules: a module each, whose docstring is its documentation, first line first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

from postrender._record import Record
from postrender.lint.model import Facts, Trouble
from postrender.lint.rules import (
    api_moved,
    crd_beside_kept,
    crd_moved,
    crd_not_updated,
    data_leaves,
    duplicate,
    generated_data,
    hook_for_a_job,
    hook_of_kept_name,
    hook_swapped,
    immutable_field,
    keep_dropped,
    keep_missing,
    keep_misspelt,
    keep_on_hook,
    kinds_share_a_name,
    not_served,
    renamed,
    selector_changed,
    server_set,
    shared_storage,
    unspecific_name,
    unstable_name,
)


class Rule(Record):
    """A rule: its code, what it is called in one line, the paragraphs that explain it, and the check."""

    code: str
    title: str
    text: str
    check: Callable[[Facts], Iterator[Trouble]]


def _rule(module: ModuleType) -> Rule:
    title, _, text = (module.__doc__ or "").partition("\n")
    return Rule(module.CODE, title.rstrip("."), text.strip(), module.check)


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in map(
        _rule,
        (
            kinds_share_a_name,
            keep_misspelt,
            keep_on_hook,
            keep_missing,
            unstable_name,
            unspecific_name,
            not_served,
            shared_storage,
            server_set,
            hook_of_kept_name,
            hook_for_a_job,
            generated_data,
            duplicate,
            crd_beside_kept,
            data_leaves,
            keep_dropped,
            crd_moved,
            api_moved,
            renamed,
            immutable_field,
            selector_changed,
            crd_not_updated,
            hook_swapped,
        ),
    )
}
"""All rules by their codes. A code is never given a second meaning."""
