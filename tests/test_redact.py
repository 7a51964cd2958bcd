"""Secret values in what is shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from postrender.errors import UsageError
from postrender.models import SECRET, GroupKind
from postrender.redact import Digests, digests, digests_in, is_digest, redacted, scrubbed, values

MADE = Digests(b"a key of these tests")
OTHER = Digests(b"another key")
CONFIG_MAP = GroupKind("", "ConfigMap")


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}, **fields}


def test_data_becomes_digests_and_its_keys_stay() -> None:
    body = secret(type="Opaque", data={"password": packed("hunter2"), "user": packed("admin")})
    shown = redacted(body, SECRET, "shop/db", MADE)
    assert shown["type"] == "Opaque"
    assert list(shown["data"]) == ["password", "user"]
    assert all(is_digest(value) for value in shown["data"].values())
    assert shown["data"]["password"] != shown["data"]["user"]
    assert body["data"]["password"] == packed("hunter2")


def test_string_data_has_the_digest_of_the_same_data() -> None:
    one = redacted(secret(data={"password": packed("hunter2")}), SECRET, "shop/db", MADE)
    other = redacted(secret(stringData={"password": "hunter2"}), SECRET, "shop/db", MADE)
    assert one["data"]["password"] == other["stringData"]["password"]


def test_one_password_in_two_places_does_not_show() -> None:
    body = secret(stringData={"a": "hunter2", "b": "hunter2"})
    here, there = redacted(body, SECRET, "shop/db", MADE), redacted(body, SECRET, "shop/other", MADE)
    assert len({*here["stringData"].values(), *there["stringData"].values()}) == 4


def test_two_keys_cannot_be_compared_and_it_shows() -> None:
    body = secret(stringData={"a": "hunter2"})
    one, other = (redacted(body, SECRET, "shop/db", made)["stringData"]["a"] for made in (MADE, OTHER))
    assert one.split(":")[1] == MADE.name != other.split(":")[1]


def test_a_digest_stays_as_it_is() -> None:
    once = redacted(secret(data={"a": packed("x")}), SECRET, "shop/db", MADE)
    assert redacted(once, SECRET, "shop/db", OTHER) == once


@pytest.mark.parametrize(
    "fields",
    [
        {"data": "hunter2"},
        {"data": ["hunter2"]},
        {"data": {"a": ["hunter2"]}},
        {"stringdata": {"a": "hunter2"}},
        {"hunter": "hunter2"},
        {"data": {"a": 1234567}, "x": "hunter2"},
    ],
)
def test_a_secret_that_is_misspelled_shows_nothing_either(fields: dict[str, Any]) -> None:
    shown = json.dumps(redacted(secret(**fields), SECRET, "shop/db", MADE))
    assert "hunter2" not in shown
    assert "1234567" not in shown


def test_annotations_of_a_secret_that_repeat_a_value() -> None:
    body = secret(
        data={"password": packed("hunter2")},
        metadata={
            "name": "db",
            "namespace": "shop",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": json.dumps(secret(stringData={"password": "old!"})),
                "note": "the password is hunter2",
                "packed": packed("hunter2"),
                "other": "nothing",
            },
            "labels": {"p": "hunter2"},
        },
    )
    shown = redacted(body, SECRET, "shop/db", MADE)
    text = json.dumps(shown)
    assert "hunter2" not in text
    assert "old!" not in text
    assert packed("hunter2") not in text
    annotations = shown["metadata"]["annotations"]
    assert annotations["other"] == "nothing"
    applied = json.loads(annotations["kubectl.kubernetes.io/last-applied-configuration"])
    assert applied["metadata"]["name"] == "db"
    assert is_digest(applied["stringData"]["password"])


def test_a_secret_inside_of_something_else() -> None:
    body = {"kind": "Template", "objects": [secret(stringData={"a": "hunter2"})], "text": json.dumps(secret(data={}))}
    shown = redacted(body, GroupKind("template.openshift.io", "Template"), "shop/t", MADE)
    assert "hunter2" not in json.dumps(shown)


def test_another_group_has_secrets_that_are_none() -> None:
    body = {"apiVersion": "x.example.com/v1", "kind": "Secret", "data": {"a": "shown"}}
    assert redacted(body, GroupKind("x.example.com", "Secret"), "shop/db", MADE) == body


def test_what_holds_no_secret_stays_as_it_is() -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b", "c": '{"kind": "ConfigMap"}'}}
    assert redacted(body, CONFIG_MAP, "shop/a", MADE) == body


def test_what_begins_like_a_secret_and_cannot_be_read_is_not_shown() -> None:
    body = {"data": {"a": '{"kind": "Secret", "stringData": {"a": "hunter2"'}}
    assert is_digest(redacted(body, CONFIG_MAP, "shop/a", MADE)["data"]["a"])


def test_a_patch_of_a_secret() -> None:
    patch = {"data": {"password": packed("new"), "gone": None}, "metadata": {"labels": {"a": "b"}}}
    shown = redacted(patch, SECRET, "shop/db", MADE)
    assert is_digest(shown["data"]["password"])
    assert shown["data"]["gone"] is None
    assert shown["metadata"] == patch["metadata"]


def test_texts_of_others_are_scrubbed() -> None:
    known = values(secret(data={"password": packed("hunter2"), "pin": packed("17")}), SECRET)
    assert scrubbed('Invalid value: "hunter2": must be', known) == 'Invalid value: "(secret)": must be'
    assert scrubbed(f"byte 4 of {packed('hunter2')}", known) == "byte 4 of (secret)"
    assert scrubbed("pin 17 of 1750", known) == "pin (secret) of 1750"


def test_only_secrets_have_values_to_scrub() -> None:
    assert values({"data": {"a": "b"}}, CONFIG_MAP) == frozenset()


def test_digests_in() -> None:
    assert digests_in({"a": [{"b": f"x {MADE.of('', b'')}"}]})
    assert not digests_in({"a": [{"b": "digest:"}], "c": 1})


def test_every_run_has_a_key_of_its_own_unless_told() -> None:
    assert digests({}).key != digests({}).key
    told = {"POSTRENDER_DIGEST_KEY": "0123456789abcdef"}
    assert digests(told) == digests(told)
    assert "0123456789abcdef" not in repr(digests(told))


def test_a_key_that_could_be_guessed() -> None:
    with pytest.raises(UsageError) as error:
        digests({"POSTRENDER_DIGEST_KEY": "short"})
    assert str(error.value) == (
        "POSTRENDER_DIGEST_KEY: is shorter than 16 characters, and could be guessed\n"
        "hint: export POSTRENDER_DIGEST_KEY=$(openssl rand -hex 32)"
    )
