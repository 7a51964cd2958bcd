"""What becomes of which documents, written out: the model must answer so, and so must Go.

``tests/helm/test_patch.py`` asks the model, ``tests/properties/test_patch.py`` asks Go.
"""

from __future__ import annotations

from tests.helm.patchcases.applied import APPLY_STRATEGIC
from tests.helm.patchcases.case import Case
from tests.helm.patchcases.merge import APPLY_MERGE, MERGE, THREE_WAY_MERGE
from tests.helm.patchcases.strategic import STRATEGIC

__all__ = ["CASES", "Case"]

CASES: tuple[Case, ...] = (*MERGE, *APPLY_MERGE, *THREE_WAY_MERGE, *STRATEGIC, *APPLY_STRATEGIC)
