"""The Helm that is run: with postrender as its post-renderer, on our own stdin, stdout and stderr."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from postrender._record import Record
from postrender.helm import plugin
from postrender.helm.binary import HelmBinary, plugin_folders
from postrender.helm.plugin import Plugin
from postrender.settings.table import RUN_PLAN

PLUGIN = "postrender-run"
"""The plugin that a Helm 4 is given for the run; a plugin of the user's own is called postrender."""


class Renderer(Record):
    """Helm's flags that make it run postrender, and the environment that they need."""

    flags: tuple[str, ...]
    environ: Mapping[str, str]


@contextmanager
def renderer(helm: HelmBinary, program: str, version: str, environ: Mapping[str, str]) -> Iterator[Renderer]:
    """What makes that Helm run this installation (``program``) as its post-renderer.

    Helm 3 runs a program by its path. Helm 4 runs plugins, so it gets one in a folder of its own, which goes behind the
    user's: ``HELM_PLUGINS`` may name several (``postrenderer.NewPostRendererPlugin``, pkg/postrenderer of 4.0.0 to
    4.3.1). Nothing is written into the user's folders. Raises UsageError where Helm does not say which those are.
    """
    if helm.version.major < 4:
        yield Renderer(("--post-renderer", program), environ)
        return
    folders = plugin_folders(helm, environ)
    with tempfile.TemporaryDirectory(prefix="postrender-") as folder:
        plugin.write(Plugin(os.path.join(folder, PLUGIN), version, program), name=PLUGIN)
        yield Renderer(("--post-renderer", PLUGIN), {**environ, "HELM_PLUGINS": os.pathsep.join([*folders, folder])})


def environ(renderer: Renderer, plan: str, *, first: bool, resumed: bool) -> dict[str, str]:
    """What Helm, and through it the filter, gets for one step; ``plan`` is the file in which the run reads the plan.

    A plan to be held to is one of the first step, from where it began. The user's report of a second step stands
    beside the one of the first.
    """
    made = {**renderer.environ, RUN_PLAN: plan}
    if resumed or not first:
        made.pop("POSTRENDER_PLAN", None)
    report = made.get("POSTRENDER_REPORT")
    if report and not first and (os.path.isfile(report) or not os.path.exists(report)):
        stem, ending = os.path.splitext(report)
        made["POSTRENDER_REPORT"] = f"{stem}.upgrade{ending}"
    return made


def run(
    helm: HelmBinary, arguments: Sequence[str], environ: Mapping[str, str], lock: int = -1, *, quiet: bool = False
) -> int:
    """Run that Helm and wait for it; its exit code, 128 and more for a signal.

    An interrupt is Helm's to deal with: it marks the release and ends, and so do we then. ``lock`` is inherited.
    ``quiet`` sends its stdout to nobody, since whoever reads ours has had one answer already.
    """
    child = subprocess.Popen(
        [helm.path, *arguments],
        env=dict(environ),
        pass_fds=() if lock < 0 else (lock,),
        stdout=subprocess.DEVNULL if quiet else None,
    )

    def forward(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT:  # A terminal sends that to both of us.
            child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
