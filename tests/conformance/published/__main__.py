"""``bin/published``: run the published tables, and print how many cases of each give the same result.

bin/published                 # all of them
bin/published yaml            # those whose source has this in its name
bin/published --write         # and write docs/published-tests.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.conformance.published.page import PAGE, page
from tests.conformance.published.tables import TABLES


def main(arguments: Sequence[str]) -> int:
    """0 if no case differs."""
    parser = argparse.ArgumentParser(
        prog="published", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("name", nargs="*", help="only tables whose source has this in its name")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    options = parser.parse_args(arguments)
    if options.name and options.write:
        parser.error("--write: needs all tables")
    results = []
    for table in TABLES:
        if any(word in table.source for word in options.name or [""]):
            result = table.run()
            results.append((table, result))
            print(f"{table.source} {table.version}: {result.same} of {result.cases} the same", flush=True)
            for line in result.wrong:
                print(f"  DIFFERS: {line}")
            for reason, number in result.excluded.most_common():
                print(f"  {number} not compared: {reason}")
    if options.write:
        PAGE.write_text(page(results), encoding="utf-8")
    wrong = sum(len(result.wrong) for _, result in results)
    same, cases = (sum(number) for number in zip(*((result.same, result.cases) for _, result in results), strict=True))
    print(f"{len(results)} tables, {cases} cases: {same} the same, {cases - same - wrong} not compared, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
