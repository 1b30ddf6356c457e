"""The steps of ``do``: text in, text out, one family a file (LANGUAGE.md, "Fields and values")."""

from typing import Final

from mappings.steps import countries, dutch, encoding, numbers, parts, patterns, text
from mappings.steps.parts import PARTS, TextPart
from mappings.steps.step import Step, StepResult

STEPS: Final[dict[str, Step]] = {
    step.name: step for family in (text, patterns, numbers, dutch, countries, encoding, parts) for step in family.STEPS
}
"""Every step by its name, in the order of the documentation."""
STEPS_VERSION: Final = 1
"""Part of the meaning of every mapping: one more whenever a step, stage or function gives another value than before."""

__all__ = ["PARTS", "STEPS", "STEPS_VERSION", "Step", "StepResult", "TextPart"]
