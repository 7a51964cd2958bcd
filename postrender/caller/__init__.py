"""Who called: with which Helm, flags, release, namespace and cluster."""

from postrender.caller.model import Caller, Parent
from postrender.caller.options import SETTINGS, Flags, Setting
from postrender.caller.settings import find

__all__ = ["SETTINGS", "Caller", "Flags", "Parent", "Setting", "find"]
