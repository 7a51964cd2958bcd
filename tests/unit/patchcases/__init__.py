"""What becomes of which documents, written out: the model must answer so, and so must Go.

``tests/unit/test_helm_patch.py`` asks the model, ``tests/properties/test_patch.py`` asks Go.
"""

from __future__ import annotations

from tests.unit.patchcases.applied import APPLY_STRATEGIC
from tests.unit.patchcases.case import Case
from tests.unit.patchcases.merge import APPLY_MERGE, MERGE, THREE_WAY_MERGE
from tests.unit.patchcases.strategic import STRATEGIC

__all__ = ["CASES", "Case"]

CASES: tuple[Case, ...] = (*MERGE, *APPLY_MERGE, *THREE_WAY_MERGE, *STRATEGIC, *APPLY_STRATEGIC)
