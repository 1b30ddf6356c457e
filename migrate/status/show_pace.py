"""How far a run is, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.status.pace import Pace
from migrate.status.runs import Status

_LIVES = {True: "it lives", False: "it is dead: the next run takes over", None: "see `omnicase unlock` if it is dead"}


def pace_lines(status: Status) -> Iterator[str]:
    """Return who holds the target, and while the run goes on what is left of it."""
    if status.holder is not None:
        who = status.holder
        yield f"held by run {who.run}, process {who.pid} on {who.host} since {who.since[:19]} UTC; {_LIVES[who.alive]}"
    if status.books is None or status.books.state != "running":
        return
    course = status.course
    for each in course.paces:
        if each.state == "reading":
            yield f"reading {each.mapping}: {_so_far(each)}"
    if course.to_come:
        yield f"{len(course.to_come)} mappings to come, first {course.to_come[0]}"
    if course.remaining is not None:
        least = f", without {course.unknown} mappings that could not be counted" if course.unknown else ""
        yield f"about {duration(course.remaining)} left at this pace{least}"


def rate_lines(status: Status) -> Iterator[str]:
    """Return batches, rows per second and time by mapping, the longest first."""
    slow = sorted((each for each in status.course.paces if each.batches), key=lambda each: -each.seconds)
    if not slow:
        return
    yield ""
    yield "where the time went"
    for each in slow[:_MOST]:
        rate = "" if each.rate is None else f"{_figure(round(each.rate))} rows/s"
        yield f"  {duration(each.seconds):>9}  {_figure(each.batches):>6} batches  {rate:>16}  {each.mapping}"


_MOST = 8


def _so_far(pace: Pace) -> str:
    of_all = f" of {_figure(pace.expected)}" if pace.expected else ""
    parts = [f"{_figure(pace.rows)}{of_all} rows", f"{pace.batches} batches"]
    if pace.rate is not None:
        parts.append(f"{_figure(round(pace.rate))} rows/s")
    if pace.remaining is not None:
        parts.append(f"about {duration(pace.remaining)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a time as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def _figure(number: int) -> str:
    return f"{number:,}".replace(",", ".")
