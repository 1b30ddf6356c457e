"""The steps of ``do``: text in, text out, one family a file (LANGUAGE.md, "Fields and values")."""

from typing import Final

from mappings.steps import countries, dutch, encoding, numbers, parts, patterns, text
from mappings.steps.parts import PARTS, TextPart
from mappings.steps.step import Step, StepResult

STEPS: Final[dict[str, Step]] = {
    step.name: step for family in (text, patterns, numbers, dutch, countries, encoding, parts) for step in family.STEPS
}
"""Every step by its name, in the order of the documentation."""

__all__ = ["PARTS", "STEPS", "Step", "StepResult", "TextPart"]
