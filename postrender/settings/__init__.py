"""Who called: with which Helm, flags, release, namespace and cluster."""

from postrender.settings.caller import Caller, Parent
from postrender.settings.resolve import find
from postrender.settings.table import SETTINGS, Flags, Setting

__all__ = ["SETTINGS", "Caller", "Flags", "Parent", "Setting", "find"]
