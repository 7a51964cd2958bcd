"""The rules of JUnit XML, as its schemas write them down."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SUITE = ("name", "timestamp", "hostname", "tests", "failures", "errors", "time", "id", "package")
"""Attributes that JUnit.xsd of Ant (windyroad/JUnit-Schema) requires of a suite inside ``testsuites``."""
CHILDREN = ["properties", "testcase", "system-out", "system-err"]
"""The children of a suite, in their order: of ``testcase`` there may be any number, of the others exactly one."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def faults(text: str) -> list[str]:
    """What in a document breaks a rule; raises ElementTree.ParseError if it is no XML."""
    root = ElementTree.fromstring(text)
    if root.tag != "testsuites":
        return [f"the root is {root.tag}"]
    return [fault for suite in root for fault in _of_suite(suite)]


def _of_suite(suite: Element) -> list[str]:
    found = [f"a suite lacks {name}" for name in SUITE if name not in suite.attrib]
    if suite.tag != "testsuite":
        found.append(f"a suite is {suite.tag}")
    order = [CHILDREN.index(child.tag) if child.tag in CHILDREN else -1 for child in suite]
    if order != sorted(order) or -1 in order:
        found.append("children of a suite are unknown or out of order")
    found += [
        f"{name} stands {order.count(place)} times"
        for place, name in enumerate(CHILDREN)
        if name != "testcase" and order.count(place) != 1
    ]
    cases = suite.findall("testcase")
    counts = {"tests": len(cases), "failures": len(suite.findall("testcase/failure")), "errors": 0}
    found += [
        f"{name} is {suite.get(name)}, not {count}" for name, count in counts.items() if suite.get(name) != str(count)
    ]
    if not TIME.fullmatch(suite.get("timestamp", "")):
        found.append("the timestamp is no xs:dateTime without a zone")
    for case in cases:
        found += [f"a case lacks {name}" for name in ("name", "classname", "time") if not case.get(name)]
        if len(case) > 1 or any(child.tag != "failure" or not child.get("type") for child in case):
            found.append("a case has more than one failure, or one without a type")
    return found
