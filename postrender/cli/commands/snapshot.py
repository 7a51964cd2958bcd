"""``postrender snapshot``: what is live and stored, as far as one plan asks for it, in a file for ``--live``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from postrender import manifest as manifests
from postrender import redact
from postrender.cli.console import NOTHING, add_verbosity
from postrender.cli.output import write
from postrender.cli.parsers import command_parser, parted
from postrender.cli.plan_inputs import add_planning, add_settings, parse, planning
from postrender.cluster.interface import CONTEXTS, ClusterReader
from postrender.cluster.recorder import RecordingReader, documents
from postrender.errors import UsageError
from postrender.manifest.dump import printed
from postrender.models import Json
from postrender.text import one_line, to_stderr

DESCRIPTION = """\
Print the live objects and stored revisions that one plan needs: a file for
--live, to plan without the cluster, in a bug report, or in CI. Values of
Secrets become digests. Only the manifest of a release is included, not its
chart, values, notes or hooks.

  postrender snapshot shop ./chart -n prod > live.yaml
  postrender plan shop ./chart -n prod --live live.yaml

Set the same POSTRENDER_DIGEST_KEY for both to see whether a Secret will change.
"""

EPILOG = """\
exit codes: 0 done, even if the plan would be refused, 2 bad usage,
            3 invalid manifests, 5 cannot reach the API server
"""

USAGE = """postrender snapshot RELEASE CHART [FLAG ...] [FLAG OF HELM UPGRADE ...]
       postrender snapshot --manifests FILE --release NAME [FLAG ...]
       postrender snapshot - --release NAME [FLAG ...] < MANIFESTS"""


def main(arguments: list[str]) -> int:
    """Print one snapshot; raises PostrenderError."""
    ours, rest = parted(arguments)
    options = parse(parser(), ours, rest)
    hide = None if options.with_secrets else redact.digests(os.environ)
    recordings: list[RecordingReader] = []

    def through(source: ClusterReader | None) -> ClusterReader:
        if source is None:
            raise UsageError("a snapshot needs a cluster", next=CONTEXTS)
        recordings.append(RecordingReader(source))
        return recordings[0]

    made = planning(options, through)
    (recording,) = recordings
    write("".join(_texts(recording, hide)))
    if not options.quiet:
        objects, revisions = len(recording.live), len(recording.revisions)
        to_stderr(
            f"postrender: {made.caller.invocation.release}, {one_line(recording.description)}\n"
            f"  {objects} live object{'s' * (objects != 1)}, {revisions} stored revision{'s' * (revisions != 1)}, "
            f"values of Secrets {'as they are' if hide is None else 'as digests'}\n"
        )
    if options.verbose and not options.quiet:
        to_stderr("".join(f"  {one_line(str(key))}\n" for key, _ in recording.live))
    return 0


def parser() -> argparse.ArgumentParser:
    """What is planned, and how Secrets are written."""
    made = command_parser("snapshot", DESCRIPTION, usage=USAGE, epilog=EPILOG)
    add_planning(made)
    made.add_argument("--with-secrets", action="store_true", help="include the values of Secrets")
    add_verbosity(made, "name every object and stored revision on stderr", NOTHING)
    add_settings(made)
    made.set_defaults(command="snapshot")
    return made


def _texts(recording: RecordingReader, hide: redact.Digests | None) -> Iterator[str]:
    yield "# what postrender snapshot found, for --live\n"
    for body in documents(recording, hide):
        yield f"---\n{_proved(body)}"


def _proved(body: Json) -> str:
    """The document as YAML; as JSON where our reader, which reads as Helm's does, would take the YAML for another."""
    import json

    text = printed(body)
    manifest = manifests.read(text.encode("utf-8", "surrogatepass"))
    if [manifest.value(ref) for ref in manifest.objects] == [body]:
        return text
    return json.dumps(body) + "\n"
