"""Every rule over the public charts: each finding was read and is true, and there are no others."""

from __future__ import annotations

import tarfile

from postrender.lint import engine
from postrender.lint.model import Facts, rendering
from postrender.lint.rules import RULES
from tests.corpus.conftest import CHARTS, with_charts

MONITORING = [
    "alertmanagerconfigs",
    "alertmanagers",
    "podmonitors",
    "probes",
    "prometheusagents",
    "prometheuses",
    "prometheusrules",
    "scrapeconfigs",
    "servicemonitors",
    "thanosrulers",
]
FOUND = {
    "prometheus-community/prometheus.yaml": [("PL104", "persistentvolumeclaims/ns/rel-prometheus-server")],
    # Its definitions are templates of a subchart that is called crds: an uninstall deletes them.
    "prometheus-community/prometheus-operator-crds.yaml": [
        ("PL104", f"customresourcedefinitions.apiextensions.k8s.io/{name}.monitoring.coreos.com") for name in MONITORING
    ],
    # It asks .Capabilities.APIVersions, of which helm template without --validate knows nothing of this group.
    "prometheus-community/prometheus-adapter.yaml": [
        ("PL107", "apiservices.apiregistration.k8s.io/v1beta1.custom.metrics.k8s.io")
    ],
}


@with_charts
def test_findings_are_those_that_were_read() -> None:
    found = {}
    with tarfile.open(CHARTS) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content:
                findings = engine.check(Facts(rendering(content.read(), "ns")), RULES.values(), member.name)
                found[member.name.removeprefix("./")] = [(finding.code, finding.object) for finding in findings]
    assert len(found) == 48
    assert {name: findings for name, findings in found.items() if findings} == FOUND
