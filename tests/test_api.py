"""The library: what a program in Python calls, from however many threads."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import postrender
from postrender import HelmAction, HelmVersion, Invocation, LiveFile, Policy, ReleaseName, Stamp
from postrender.helm.versions import NEWEST_TESTED

EXAMPLE = Path(__file__).parents[1] / "examples" / "shirts"
RENDERED = (EXAMPLE / "rendered.yaml").read_bytes()
LIVE = LiveFile(str(EXAMPLE / "live.yaml"))
SHIRTS = ReleaseName("default", "shirts")
INSTALL = Invocation(HelmVersion(3, 12, 3), HelmAction.INSTALL, SHIRTS)
NEWEST = " and ".join(map(str, NEWEST_TESTED.values()))


def run(code: str) -> str:
    """What a new interpreter prints, in the folder of the clone."""
    here = Path(__file__).parents[1]
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=here).stdout


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = {*sys.modules}; import postrender; print(*sorted({*sys.modules} - before))"
    # A virtual environment may import __future__ before anything else does.
    assert {*run(code).split()} - {"__future__"} == {"postrender"}


def test_plan_is_the_function_whatever_was_imported_before() -> None:
    code = "import postrender.planner.decide, postrender; from postrender import plan; print(plan is postrender.plan)"
    assert run(f"{code}; print(callable(plan))") == "True\nTrue\n"
    assert callable(postrender.plan)


def test_all_that_is_public_is_there_and_nothing_else() -> None:
    assert all(getattr(postrender, name) for name in postrender.__all__)
    assert set(postrender.__all__) <= set(dir(postrender))
    with pytest.raises(AttributeError, match="module 'postrender' has no attribute 'no_such'"):
        _ = postrender.no_such  # type: ignore[attr-defined]


def test_a_plan_names_each_object_and_what_is_done_to_it() -> None:
    plan = postrender.plan(RENDERED, INSTALL, LIVE)
    assert [(verdict.name, [action.value for action in verdict.actions]) for verdict in plan.verdicts] == [
        ("shirts.beta.example.com/default/shirt", ["stamp", "label"]),
        ("shirts.stable.example.com/default/shirt", ["stamp", "label", "pin"]),
    ]
    assert plan.errors == ()


def test_rewriting_carries_the_plan_out() -> None:
    result = postrender.rewrite(RENDERED, INSTALL, LIVE)
    assert result.plan == postrender.plan(RENDERED, INSTALL, LIVE)
    assert f"```yaml\n{result.data.decode()}```" in (EXAMPLE / "README.md").read_text()


def test_without_a_source_nothing_is_looked_up() -> None:
    result = postrender.rewrite(RENDERED, INSTALL, policy=Policy(stamp=Stamp.ALL))
    assert result.data.count(b'meta.helm.sh/release-name: "shirts"') == 2
    assert b"resourceVersion" not in result.data
    assert all(verdict.ownership is None for verdict in result.plan.verdicts)


def test_a_plan_holds_the_refusal_that_rewriting_raises() -> None:
    other = Invocation(HelmVersion(3, 12, 3), HelmAction.INSTALL, ReleaseName("default", "other"))
    plan = postrender.plan(RENDERED, other, LIVE)
    assert [finding.code for _, finding in plan.errors] == ["PR102", "PR102"]
    with pytest.raises(postrender.Refused) as error:
        postrender.rewrite(RENDERED, other, LIVE)
    assert str(error.value).startswith(
        "shirts.beta.example.com/default/shirt: owned by uninstalled release default/shirts; Helm won't adopt "
        "it into default/other"
        " (PR102)\n"
    )


@pytest.mark.parametrize(
    ("invocation", "policy", "message"),
    [
        (
            Invocation(HelmVersion(5, 0, 0), HelmAction.INSTALL, SHIRTS),
            Policy(),
            f"Helm 5.0.0 is not supported (tested up to {NEWEST})\nnote: use a tested Helm, or a newer postrender",
        ),
        (
            Invocation(None, HelmAction.INSTALL, ReleaseName("default", "Shirts")),
            Policy(),
            "ReleaseName.name: 'Shirts' is no release name: it takes lower-case letters, digits, - and ., "
            "at most 53 of them",
        ),
        (
            Invocation(None, HelmAction.INSTALL, ReleaseName("a.b", "shirts")),
            Policy(),
            "ReleaseName.namespace: 'a.b' is no namespace: it takes lower-case letters, digits and -, "
            "at most 63 of them",
        ),
        (
            Invocation(None, HelmAction.INSTALL, None),
            Policy(stamp=Stamp.ALL),
            "Invocation.release: ownership metadata for every object needs a release",
        ),
        (INSTALL, Policy(label_key="a b"), "Policy.label_key: 'a b' is not a label key"),
    ],
)
def test_what_makes_no_sense_is_refused(invocation: Invocation, policy: Policy, message: str) -> None:
    for call in (postrender.plan, postrender.rewrite):
        with pytest.raises(postrender.PostrenderError) as error:
            call(RENDERED, invocation, LIVE, policy)
        assert str(error.value) == message


def stream(number: int) -> bytes:
    names = [f"config-{number}-{index}" for index in range(number % 7 + 1)]
    return b"".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata: {{a: b}}\n".encode() for name in names
    )


def calls(number: int) -> tuple[bytes, bytes]:
    """Two rewritings of one caller: one with a release and stamps of its own, one by a file and a Helm of its own."""
    own = Invocation(None, HelmAction.INSTALL, ReleaseName("shop", f"release-{number}"))
    helm = HelmVersion(3, 12, 3) if number % 2 else HelmVersion(4, 3, 1)
    stamped = postrender.rewrite(stream(number), own, policy=Policy(stamp=Stamp.ALL)).data
    return stamped, postrender.rewrite(RENDERED, Invocation(helm, HelmAction.INSTALL, SHIRTS), LIVE).data


def test_threads_do_not_get_in_each_others_way() -> None:
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(calls, range(64)))
    assert together == [calls(number) for number in range(64)]
    assert len({stamped for stamped, _ in together}) == 64


def test_the_first_calls_of_a_process_may_come_at_once() -> None:
    """Nothing has been imported, compiled or cached yet."""
    code = (
        "import sys, threading, postrender\n"
        "sys.setswitchinterval(1e-6)\n"
        "from postrender import HelmAction, Invocation, ReleaseName\n"
        "run = lambda: Invocation(None, HelmAction.INSTALL, ReleaseName('shop', 'a'))\n"
        "policy = lambda: postrender.Policy(stamp=postrender.Stamp.ALL)\n"
        "data = b'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: a\\n'\n"
        "start, found = threading.Barrier(8), []\n"
        "def work():\n"
        "    start.wait()\n"
        "    found.append(postrender.rewrite(data, run(), policy=policy()).data)\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print(len(found), len(set(found)))\n"
    )
    assert run(code) == "8 1\n"


def test_the_code_of_the_documentation_runs() -> None:
    text = (Path(__file__).parents[1] / "docs" / "library.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert run(code) == ""


def test_under_asyncio_a_thread_does_it() -> None:
    async def all_at_once() -> list[bytes]:
        results = await asyncio.gather(
            *(asyncio.to_thread(postrender.rewrite, RENDERED, INSTALL, LIVE) for _ in range(8))
        )
        return [result.data for result in results]

    assert set(asyncio.run(all_at_once())) == {postrender.rewrite(RENDERED, INSTALL, LIVE).data}
