"""Bytes to documents with offsets, and to the objects in them: the only package that imports a YAML reader."""

from __future__ import annotations

from postrender.manifest.documents import Document, Manifest, in_crds_folder, load, read
from postrender.manifest.object_refs import ObjectRef
from postrender.manifest.reader import LIBYAML

__all__ = ["LIBYAML", "Document", "Manifest", "ObjectRef", "in_crds_folder", "load", "read"]
