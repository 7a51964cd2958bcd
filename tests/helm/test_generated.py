"""Which templates of a stored chart generate values."""

from __future__ import annotations

import base64

from postrender.helm.storage.generated import generating_templates, given_values

TEMPLATES = {
    "templates/plain.yaml": 'password: {{ .Values.password | required "a password" }}',
    "templates/direct.yaml": "password: {{ randAlphaNum 20 | b64enc }}",
    "templates/certificate.yaml": '{{- $cert := genSelfSignedCert "a" nil nil 365 -}}\ncert: {{ $cert.Cert }}',
    "templates/named.yaml": 'password: {{ include "shop.password" . }}',
    "templates/through.yaml": '{{- template "shop.outer" . -}}',
    "templates/other.yaml": 'name: {{ include "shop.name" . }}',
    "templates/a-word.yaml": "note: a brandAlphaNumeric name",
    "templates/_helpers.tpl": (
        '{{- define "shop.name" -}}shop{{- end -}}\n'
        '{{ define "shop.password" }}{{ randAscii 8 }}{{ end }}\n'
        '{{- define "shop.outer" -}}{{ include "shop.password" . }}{{- end -}}'
    ),
}


def test_templates_that_generate_by_themselves_or_by_named_ones() -> None:
    stored = [{"name": name, "data": base64.b64encode(text.encode()).decode()} for name, text in TEMPLATES.items()]
    assert sorted(generating_templates({"templates": stored})) == [
        "templates/_helpers.tpl",
        "templates/certificate.yaml",
        "templates/direct.yaml",
        "templates/named.yaml",
        "templates/through.yaml",
    ]


def test_what_is_no_chart_generates_nothing() -> None:
    for chart in (None, "a", {}, {"templates": None}, {"templates": [1, {"name": "a"}, {"name": "a", "data": "%"}]}):
        assert generating_templates(chart) == {}


def test_values_are_those_of_the_chart_and_the_users() -> None:
    assert given_values({"values": [{"a": {"b": ["c", 1]}}, {"d": None, "e": True}]}).split("\n") == ["c", "1", "True"]
    assert given_values(None) == ""
