"""What `workspace.yml` says of a log of tickets: its lines are CSV, and the events that they tell are declared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.config import SystemConfig, flag_option, known_options, list_option, refuse, text_option
from connectors.sources.files.settings import relation_settings

_OPTIONS = ("ticket", "per_day", "restart", "event", "moment", "events", "skip", "transitions", "keep", "order")
STARTS: dict[str, tuple[tuple[str, ...], str]] = {
    "printed": (("new",), "waiting"),
    "called": (("waiting",), "called"),
    "recalled": (("called",), "called"),
    "started": (("called",), "serving"),
    "transferred": (("called", "serving"), "waiting"),
    "ended": (("serving",), "ended"),
    "cancelled": (("waiting", "called"), "cancelled"),
    "no_show": (("called",), "no_show"),
}
"""What a ticket goes through: per event the states in which it may come, and the state that it leads to."""
NEW, DAY, SERIES = "new", "day", "series"
_TOKENS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "fff": "%3f"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


@dataclass(frozen=True, slots=True)
class TicketLog:
    """How the events of one relation become tickets.

    Args:
        name: of the relation.
        ticket: columns that name a ticket; ``per_day``: within a day.
        restart: the event with which a number is given out again, or None.
        event, moment: columns; ``form`` is the moment's form for strptime and ``digits`` the same as a pattern.
        events: what the log calls an event, and what it is.
        skipped: events that say nothing of tickets.
        transitions: as `STARTS`.
        kept: columns whose last (True) or first filled value the ticket gets.
        by_moment: whether events are ordered by their moment; else as the lines lie.
    """

    name: str
    ticket: tuple[str, ...]
    per_day: bool
    restart: str | None
    event: str
    moment: tuple[str, ...]
    form: str
    digits: str
    events: tuple[tuple[str, str], ...]
    skipped: tuple[str, ...]
    transitions: tuple[tuple[str, tuple[str, ...], str], ...]
    kept: tuple[tuple[str, bool], ...]
    by_moment: bool
    place: str

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that name a ticket, without the series."""
        return (*self.ticket, *([DAY] if self.per_day else []))

    @property
    def told(self) -> tuple[str, ...]:
        """The events that the log may tell, in the order of the state machine."""
        used = {event for _, event in self.events}
        return tuple(event for event, _, _ in self.transitions if event in used)

    @property
    def moments(self) -> tuple[str, ...]:
        """The columns that hold a moment."""
        return tuple(name for event in self.told for name in (f"{event}_at", f"{event}_last_at"))

    @property
    def counts(self) -> tuple[str, ...]:
        """The columns that count events, those with the state and with what was out of order."""
        return (*(f"{event}_count" for event in self.told), "events", "state", "order_issues")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a ticket."""
        series = [SERIES] if self.restart else []
        return (*self.identity, *series, *(name for name, _ in self.kept), *self.moments, *self.counts)


def read_logs(config: SystemConfig) -> tuple[dict[str, TicketLog], SystemConfig]:
    """Return the logs by relation, and the settings of the CSV files that hold them.

    Raises:
        RefusedError: CON-003 a wrong setting (exit 4).
    """
    logs, plain = {}, {}
    for name, options in relation_settings(config, '{files: "NAME_*.csv", log: …}').items():
        if not isinstance(options.get("log"), Mapping):
            raise refuse(
                config,
                f"relations.{name} does not say how its lines become tickets",
                "Add log: {ticket: [NUMBER], event: COLUMN, moment: {column: COLUMN, format: …}, events: …}.",
            )
        logs[name] = _log(config, name, options["log"])
        plain[name] = {key: value for key, value in options.items() if key not in ("log", "key")}
    return logs, replace(config, kind="csv", options={**config.options, "relations": plain})


def _log(config: SystemConfig, name: str, options: Mapping[str, Any]) -> TicketLog:
    where = f"relations.{name}.log."
    known_options(config, options, _OPTIONS, where)
    ticket = list_option(config, options, "ticket")
    if not ticket:
        raise refuse(config, f"{where}ticket is missing", "Write ticket: [the columns that name a ticket].")
    transitions = _transitions(config, options.get("transitions"), where)
    events = _names(config, options.get("events"), f"{where}events", "{PRINT: printed, CALL: called}")
    if not events:
        raise refuse(config, f"{where}events is missing", "Write events: {PRINT: printed, CALL: called, …}.")
    unknown = next((event for event in events.values() if event not in transitions), None)
    if unknown is not None:
        raise refuse(
            config,
            f"{where}events names {unknown}, which no transition knows",
            f"Known are {', '.join(transitions)}; for others add transitions: {{NAME: {{from: [state], to: state}}}}.",
        )
    restart = str(options["restart"]) if "restart" in options else None
    if restart is not None and restart not in events.values():
        raise refuse(config, f"{where}restart is no event of this log", "Write restart: printed.")
    order = str(options.get("order", "moment"))
    if order not in ("moment", "lines"):
        raise refuse(config, f"{where}order is neither moment nor lines", "Write order: moment.")
    columns, form, digits = _moment(config, options.get("moment"), where)
    log = TicketLog(
        name=name,
        ticket=ticket,
        per_day=flag_option(config, options, "per_day", False),
        restart=restart,
        event=text_option(config, options, "event"),
        moment=columns,
        form=form,
        digits=digits,
        events=tuple(events.items()),
        skipped=tuple(_names(config, options.get("skip"), f"{where}skip", "{LOGIN: says nothing of tickets}")),
        transitions=tuple((event, *found) for event, found in transitions.items()),
        kept=_kept(config, options, where),
        by_moment=order == "moment",
        place=f"{config.name}.{name}",
    )
    names = [column.casefold() for column in log.columns]
    twice = next((column for column in log.columns if names.count(column.casefold()) > 1), None)
    if twice is not None:
        raise refuse(config, f"{where.rstrip('.')}: the ticket has the column {twice} twice", "Keep a column once.")
    return log


def _names(config: SystemConfig, value: Any, where: str, example: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(each, str) and each for each in value.values()):
        raise refuse(config, f"{where} is not a map of names", f"Write {where.rsplit('.', 1)[-1]}: {example}.")
    return {str(key): str(each) for key, each in value.items()}


def _transitions(config: SystemConfig, value: Any, where: str) -> dict[str, tuple[tuple[str, ...], str]]:
    found = dict(STARTS)
    for event, said in (value or {}).items() if isinstance(value or {}, Mapping) else [("", None)]:
        if not isinstance(said, Mapping) or set(said) != {"from", "to"} or not _NAME.fullmatch(str(event)):
            raise refuse(
                config,
                f"{where}transitions does not say from which states an event leads where",
                "Write transitions: {started: {from: [waiting, called], to: serving}}; names are small letters and _.",
            )
        found[str(event)] = (list_option(config, said, "from"), text_option(config, said, "to"))
    return found


def _moment(config: SystemConfig, value: Any, where: str) -> tuple[tuple[str, ...], str, str]:
    hint = "Write moment: {column: TIJDSTIP, format: YYYYMMDDHHmmss}, or column: [DATUM, TIJD] with a space between."
    if not isinstance(value, Mapping) or set(value) != {"column", "format"}:
        raise refuse(config, f"{where}moment does not say its column and format", hint)
    text = text_option(config, value, "format")
    form, digits, at = "", "", 0
    while at < len(text):
        token = next((known for known in sorted(_TOKENS, key=len, reverse=True) if text.startswith(known, at)), None)
        form += _TOKENS[token] if token else text[at].replace("%", "%%")
        digits += rf"\d{{{len(token)}}}" if token else re.escape(text[at])
        at += len(token) if token else 1
    if not all(token in text for token in ("DD", "MM", "HH", "mm")) or "YY" not in text:
        raise refuse(config, f"{where}moment.format has no day or no time", hint)
    return list_option(config, value, "column"), form, f"^{digits}$"


def _kept(config: SystemConfig, options: Mapping[str, Any], where: str) -> tuple[tuple[str, bool], ...]:
    value = options.get("keep")
    if isinstance(value, Mapping):
        if not all(each in ("first", "last") for each in value.values()):
            raise refuse(config, f"{where}keep says neither first nor last", "Write keep: {BALIE: last}.")
        return tuple((str(name), each == "last") for name, each in value.items())
    return tuple((name, True) for name in list_option(config, options, "keep"))
