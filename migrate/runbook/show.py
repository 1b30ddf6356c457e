"""Runbooks for the terminal, in Dutch or English: the functional administrator reads them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import click

from casemodel import printable
from migrate.dutch import in_dutch
from migrate.runbook.files import Linted
from migrate.runbook.status import RunStatus, deviations, persons_text, seconds_text
from runbooks import CONSOLE, GATE, GateView, Runbook, RunState, Step, words_of

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "lint error": ("fout", "error"),
    "lint warning": ("waarschuwing", "warning"),
    "lint note": ("opmerking", "note"),
    "waiting": ("nog niet", "waiting"),
    "running": ("bezig", "under way"),
    "done": ("gedaan", "done"),
    "failed": ("mislukt", "failed"),
    "interrupted": ("afgebroken", "interrupted"),
    "skipped": ("overgeslagen", "left out"),
    "open": ("loopt", "under way"),
    "stopped": ("stilgezet: een stap is mislukt", "stopped: a step failed"),
    "rolling back": ("wordt teruggedraaid", "rolling back"),
    "completed": ("afgerond", "completed"),
    "rolled back": ("teruggedraaid", "rolled back"),
    "given up": ("opgegeven", "given up"),
    "step": ("stap", "step"),
    "kind": ("soort", "kind"),
    "owner": ("wie", "who"),
    "state": ("stand", "state"),
    "limit": ("grens", "limit"),
    "last": ("vorige", "last"),
    "took": ("duur", "took"),
    "by": ("door", "by"),
    "title": ("titel", "title"),
    "version": ("versie", "version"),
    "runbook": ("draaiboek", "runbook"),
    "last run": ("laatste run", "last run"),
    "gate": ("poort", "gate"),
    "console": ("opdracht", "command"),
    "manual": ("handwerk", "by hand"),
    "began": (
        "{run}: {title} (versie {version}), begonnen door {by}.",
        "{run}: {title} (version {version}), begun by {by}.",
    ),
    "goes on": (
        "{run}: {title} (versie {version}), voortgezet door {by}.",
        "{run}: {title} (version {version}), gone on with by {by}.",
    ),
    "ended": ("{run} is {result}.", "{run} is {result}."),
    "step done": ("   {step}: gedaan.", "   {step}: done."),
    "step failed": ("   {step}: mislukt: {why}.", "   {step}: failed: {why}."),
    "was interrupted": (
        "De stap {step} was bezig toen de vorige run afbrak; hij begint opnieuw.",
        "The step {step} was under way when the last process died; it begins again.",
    ),
    "gate closed": (
        "De poort {step} was open, en is het niet meer.",
        "The gate {step} was open, and is no longer.",
    ),
    "left out": ("De stap {step} is overgeslagen, zoals goedgekeurd.", "The step {step} is left out, as was approved."),
    "lasting": (
        "Dit blijft zoals het is, want er is geen weg terug: {steps}.",
        "This stays as it is, since there is no way back from it: {steps}.",
    ),
    "back": ("terug", "back"),
    "expects": ("   verwacht: status {statuses}, binnen {span}", "   expected: status {statuses}, within {span}"),
    "nothing": ("   (er is niets terug te draaien)", "   (there is nothing to take back)"),
    "condition": ("   voorwaarde: {text}", "   condition: {text}"),
    "holds": ("klopt", "holds"),
    "does not hold": ("klopt niet", "does not hold"),
    "not known": ("niet bekend", "not known"),
    "approved": ("   {n} van {of} goedkeuringen: {who}", "   {n} of {of} approvals: {who}"),
    "nobody": ("nog niemand", "nobody yet"),
    "does not count": (
        "   de goedkeuring van {who} telt niet: {why}",
        "   the approval of {who} does not count: {why}",
    ),
    "same account": (
        "   let op: {who} keurde goed vanaf het account waaronder het draaiboek loopt",
        "   mind: {who} approved from the account under which the runbook runs",
    ),
    "gate open": ("   de poort is open", "   the gate is open"),
    "ask do": ("Uitvoeren? (y = ja, s = stoppen)", "Run it? (y = yes, s = stop)"),
    "ask again": ("Opnieuw uitvoeren? (y = ja, s = stoppen)", "Run it again? (y = yes, s = stop)"),
    "ask manual": (
        "Gedaan door {by}? (y = ja, n = mislukt, s = stoppen)",
        "Done by {by}? (y = yes, n = it failed, s = stop)",
    ),
    "ask gate": (
        "De poort is dicht. (l = opnieuw kijken, s = stoppen)",
        "The gate is closed. (l = look again, s = stop)",
    ),
    "ask failed": (
        "{step} is mislukt. (a = opnieuw, r = terugdraaien: {steps}, s = stoppen)",
        "{step} failed. (a = again, r = roll back: {steps}, s = stop)",
    ),
    "ask back failed": (
        "Het terugdraaien bij {step} is mislukt. (a = opnieuw, s = stoppen)",
        "Taking back failed at {step}. (a = again, s = stop)",
    ),
    "now": ("Nu: {step} ({kind}), {who}.", "Now: {step} ({kind}), {who}."),
    "over": ("Er hoeft niets meer te gebeuren.", "Nothing is left to be done."),
    "approve skip": (
        "   omnicase runbook approve {run} {step} --by PERSOON",
        "   omnicase runbook approve {run} {step} --by PERSON",
    ),
    "type": ("   {command}", "   {command}"),
    "deviations": ("Afwijkingen van het draaiboek:", "Deviations from the runbook:"),
    "skip-asked": ("gevraagd over te slaan", "asked to leave out"),
    "approved by": ("goedgekeurd door {who}", "approved by {who}"),
    "none": (
        "Er is nog geen run. Begin met: omnicase runbook run NAAM",
        "There is no run yet. Begin with: omnicase runbook run NAME",
    ),
    "no runbooks": ("Er zijn geen draaiboeken in runbooks/.", "There are no runbooks in runbooks/."),
    "overdue": ("te lang", "overdue"),
    "runners": ("uitgevoerd door {who}", "run by {who}"),
    "unknown facts": ("   de feiten zijn niet te lezen: {why}", "   the facts cannot be read: {why}"),
    "clean": ("Draaiboeken: {n}. Niets op aan te merken.", "Runbooks: {n}. Nothing wrong."),
    "counted": (
        "Draaiboeken: {n}. Fouten: {error}, waarschuwingen: {warning}, opmerkingen: {note}.",
        "Runbooks: {n}. Errors: {error}, warnings: {warning}, notes: {note}.",
    ),
    "approved gate": (
        "{person} heeft de poort {gate} van {run} goedgekeurd (goedkeuring {approval}).",
        "{person} approved the gate {gate} of {run} (approval {approval}).",
    ),
    "withdrew": (
        "{person} heeft goedkeuring {approval} van {gate} ingetrokken.",
        "{person} withdrew approval {approval} of {gate}.",
    ),
    "confirmed": ("{person} heeft {step} van {run} bevestigd.", "{person} confirmed {step} of {run}."),
    "said failed": (
        "{person} meldt dat {step} van {run} is mislukt.",
        "{person} says that {step} of {run} failed.",
    ),
    "asked to skip": (
        "Gevraagd {step} van {run} over te slaan. Een ander keurt dat goed.",
        "Asked to leave out {step} of {run}. Somebody else approves it.",
    ),
    "gave up": ("{run} is opgegeven; wat gedaan is, blijft gedaan.", "{run} is given up; what was done stays done."),
    "go on": ("Verder: omnicase runbook run {name}", "Next: omnicase runbook run {name}"),
    "signs": ("{person} ondertekent nu precies dit:", "{person} now signs exactly this:"),
}


def word(lang: str, key: str, **facts: Any) -> str:
    """Return a sentence in Dutch or English."""
    found = _WORDS.get(key)
    text = key if found is None else found[0 if lang == "nl" else 1]
    return text.format(**{name: printable(str(value)) for name, value in facts.items()})


class TerminalTalk:
    """The person at the terminal.

    Args:
        say: writes a line.
        lang: ``nl`` or ``en``.
    """

    def __init__(self, say: Callable[[str], None], lang: str) -> None:
        self._say, self._lang = say, lang

    @property
    def interactive(self) -> bool:
        """Whether somebody can answer."""
        return sys.stdin is not None and sys.stdin.isatty()

    def step(self, step: Step, runbook: Runbook, state: RunState, commands: Sequence[Sequence[str]]) -> None:
        """Show a step before it is done."""
        for line in step_lines(step, commands, self._lang):
            self._say(line)

    def gate(self, view: GateView) -> None:
        """Show how a gate stands."""
        for line in gate_lines(view, self._lang):
            self._say(line)

    def output(self, line: str) -> None:
        """Show a line that a command printed."""
        self._say(f"   | {line}")

    def tell(self, event: str, **facts: Any) -> None:
        """Tell what happened."""
        if "result" in facts:
            facts["result"] = word(self._lang, facts["result"])
        self._say(word(self._lang, event, **facts))

    def ask(self, question: str, choices: str, **facts: Any) -> str:
        """Ask for one of the letters."""
        text = word(self._lang, f"ask {question}", **facts)
        kind = click.Choice(list(choices), case_sensitive=False)
        return str(click.prompt(text, type=kind, show_choices=False, err=True)).lower()


def step_lines(step: Step, commands: Sequence[Sequence[str]], lang: str) -> Iterator[str]:
    """Yield a step as it is shown before it is done."""
    yield ""
    yield f"== {step.id} ({word(lang, step.kind)}, {step.owner}){_titled(step)}"
    for line in step.about.splitlines():
        yield f"   {line}" if line else ""
    if step.kind == CONSOLE:
        for command in commands:
            yield f"   $ omnicase {shlex.join(command)}"
        if not commands:
            yield word(lang, "nothing")
        statuses = ", ".join(map(str, step.expect))
        yield word(lang, "expects", statuses=statuses, span=seconds_text(step.timeout))
    elif step.kind != GATE:
        for line in step.text.splitlines():
            yield f"   > {line}"


def _titled(step: Step) -> str:
    return f": {step.title}" if step.title else ""


def gate_lines(view: GateView, lang: str) -> Iterator[str]:
    """Yield how a gate stands: each part of its condition, and who approved."""
    yield ""
    yield f"== {view.step.id} ({word(lang, GATE)}, {', '.join(view.step.roles)}){_titled(view.step)}"
    for line in view.step.about.splitlines():
        yield f"   {line}" if line else ""
    yield word(lang, "condition", text=view.condition.text)
    for text, values, holds in view.shown:
        stands = word(lang, "holds" if holds else "not known" if holds is None else "does not hold")
        yield f"   - {text}: {stands}{f' ({values})' if values else ''}"
    who = ", ".join(view.persons) or word(lang, "nobody")
    yield word(lang, "approved", n=len(view.persons), of=view.step.approvals, who=who)
    for each in view.approvals:
        if each.why_not is not None:
            yield word(lang, "does not count", who=each.person, why=each.why_not)
        elif each.same_account:
            yield word(lang, "same account", who=each.person)
    if view.is_open:
        yield word(lang, "gate open")


def status_lines(found: RunStatus, lang: str) -> Iterator[str]:
    """Yield how a run stands: deviations first, then what is to be done now, then every step."""
    state, runbook = found.state, found.run.runbook
    environment = f", {state.environment}" if state.environment else ""
    version = f"{word(lang, 'version')} {runbook.version}{environment}"
    yield f"{state.run}: {runbook.title} ({version}): {word(lang, state.state)}"
    yield word(lang, "runners", who=", ".join(state.runners))
    kept = deviations(state)
    if kept:
        yield word(lang, "deviations")
        for each in kept:
            agreed = f"; {word(lang, 'approved by', who=', '.join(each['approved_by']))}" if each["approved_by"] else ""
            what = f"{each['step']} {word(lang, each['kind'])}".strip()
            yield f"   {each['at'][:16]} {what}: {each['reason']} ({each['by']}{agreed})"
    yield ""
    if found.next is None:
        yield word(lang, "over")
    else:
        step = found.next.step
        yield word(
            lang, "now", step=step.id, kind=word(lang, step.kind), who=persons_text(found.next.persons, step.owner)
        )
        if found.next.gate is not None:
            yield from list(gate_lines(found.next.gate, lang))[2:]
        elif step.kind != CONSOLE:
            yield from (f"   > {line}" for line in step.text.splitlines())
        if found.next.unknown is not None:
            yield word(lang, "unknown facts", why=found.next.unknown)
        yield from (word(lang, "type", command=command) for command in found.next.commands)
    yield ""
    yield from _step_table(found, lang)


def _step_table(found: RunStatus, lang: str) -> Iterator[str]:
    head = [word(lang, each) for each in ("step", "owner", "state", "limit", "last", "took", "by")]
    rows = []
    for each in found.steps:
        state = each.state
        late = f" ({word(lang, 'overdue')})" if each.late else ""
        again = f" x{state.attempts}" if state.attempts > 1 else ""
        rows.append(
            [
                f"{'<- ' if each.back else ''}{each.step.id}", each.step.owner, f"{word(lang, state.status)}{again}",
                seconds_text(each.step.timeout), seconds_text(each.last_seconds),
                f"{seconds_text(each.seconds)}{late}", state.by,
            ]
        )  # fmt: skip
    yield from table_lines(head, rows)


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table with columns as wide as what stands in them."""
    shown = [list(head), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(head))]
    for row in shown:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def list_lines(found: Sequence[dict[str, Any]], lang: str) -> Iterator[str]:
    """Yield the runbooks with their last runs."""
    if not found:
        yield word(lang, "no runbooks")
        return
    head = [word(lang, each) for each in ("runbook", "version", "title", "last run")]
    rows = []
    for each in found:
        last = f"{each['last_run']}: {word(lang, each['last_state'])}" if each["last_run"] else ""
        rows.append([each["runbook"], str(each["version"]), each["title"], last])
    yield from table_lines(head, rows)


def lint_lines(found: Linted, lang: str) -> Iterator[str]:
    """Yield the findings of the lint, one with its hint after the other, and how many there are."""
    for each in found.findings:
        severity = word(lang, f"lint {each.severity}")
        yield f"{each.file}:{each.line}: {severity} {each.code}: {printable(_said(each.message, lang))}"
        yield f"  {'advies' if lang == 'nl' else 'hint'}: {printable(_said(each.hint, lang))}"
    counts = {kind: sum(each.severity == kind for each in found.findings) for kind in ("error", "warning", "note")}
    if found.findings:
        yield word(lang, "counted", n=len(found.runbooks), **counts)
    else:
        yield word(lang, "clean", n=len(found.runbooks))


def _said(text: str, lang: str) -> str:
    return (in_dutch(text) if lang == "nl" else None) or text


def dry_lines(runbook: Runbook, views: dict[str, GateView | str], lang: str) -> Iterator[str]:
    """Yield what a run would do: every step of the way forward, and how its gates stand now."""
    for step in runbook.forward:
        if step.kind != GATE:
            yield from step_lines(step, [words_of(text) for _, text in step.commands], lang)
            continue
        view = views[step.id]
        if isinstance(view, str):
            yield ""
            yield f"== {step.id} ({word(lang, GATE)}, {', '.join(step.roles)}){_titled(step)}"
            yield word(lang, "condition", text=" ".join(step.text.split()))
            yield word(lang, "unknown facts", why=view)
        else:
            yield from gate_lines(view, lang)
