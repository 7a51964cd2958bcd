"""Flags, ``POSTRENDER_*`` variables and the calling Helm's command line, resolved into one ``Caller``."""

from postrender.settings.resolve import Caller, Parent, find
from postrender.settings.table import SETTINGS, Flags, Setting

__all__ = ["SETTINGS", "Caller", "Flags", "Parent", "Setting", "find"]
