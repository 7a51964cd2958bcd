"""What counts as a command on a page of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import typed

PAGE = """\
# A page

Mind `helm install`, `bin/test` and `postrender plan`, which are names; `--adopt orphans` is a flag. Type
`helm history old
-n shop`, or know what `postrender plan --save FILE` and `postrender lint -o json` are called.

- In a list:

  ```sh
  helm upgrade shop ./chart \\
      --install   # why
  ```

```console title="with a cluster"
$ helm list
NAME
$ helm status shop
```

```text
Help tells:

  postrender argocd init       what it does
  postrender plan ./chart
  helm           is a word of a list
Error: postrender failed
```

```yaml
command: helm install
```
"""


def test_the_commands_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert [(each.info, each.command, each.shown) for each in typed.on(page)] == [
        ("sh", "helm upgrade shop ./chart --install", None),
        ('console title="with a cluster"', "helm list", "NAME"),
        ('console title="with a cluster"', "helm status shop", ""),
        ("text", "postrender argocd init", None),
        ("text", "postrender plan ./chart", None),
        ("", "helm history old -n shop", None),
    ]


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("postrender verify --fix", True),
        ("postrender --stamp all", True),
        ("postrender verify --mend", False),
        ("postrender plan -o pdf", False),
        ("postrender verify shop", False),
        ("helm list --all", False),
    ],
)
def test_a_synopsis_is_what_the_parser_says(line: str, is_one: bool) -> None:
    assert typed.synopsis(line) is is_one
