"""docs/runbooks.md says all that a runbook can say: keys of steps, facts, kinds of entries, and its example is sound."""

from __future__ import annotations

import re
from pathlib import Path

from command_line import ROOT, in_process

from runbooks import FACTS, WAVE_FACTS
from runbooks.opening import KEYS

PAGE = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")


def test_every_fact_and_key_is_told():
    facts = set(re.findall(r"`([a-z]+\.[a-z_]+)`", PAGE))
    assert set(FACTS) <= facts
    assert {name for name in WAVE_FACTS if f"`.{name}`" not in PAGE and f"`wave.NAME.{name}`" not in PAGE} == set()
    told = set(re.findall(r"`([a-z]+)`", PAGE))
    assert {key for keys in KEYS.values() for key in keys} <= told


def test_the_example_is_sound(tmp_path: Path):
    example = re.search(r"````markdown\n(.*?)````", PAGE, re.DOTALL)[1]
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks/example.md").write_text(example)
    (tmp_path / "workspace.yml").write_text(
        'workspace: docs\nnamespace: {public: test}\ntarget: {url: "sqlite:///target.db"}\nsystems: {}\n'
        'environments: {production: {production: "true"}}\nwaves: {parking: {where: {old.party: "KIND = 1"}}}\n'
    )
    answer = in_process("-C", tmp_path, "runbook", "lint", "--lang", "en")
    assert (answer.status, answer.out) == (0, "Runbooks: 1. Nothing wrong.\n")
