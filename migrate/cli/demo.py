"""``omnicase demo``: a complete workspace with generated old systems."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.cli.context import Invocation, pass_invocation

_MOST_CASES = 5_000_000


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--cases", type=click.IntRange(10, _MOST_CASES), default=5_000, show_default=True, help="How many cases to make."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Another seed makes another town, the same seed the same.",
)
@click.option(
    "--answer-key/--no-answer-key", default=True, help="Write what each source row must become (default: yes)."
)
@click.option(
    "--clean-up", "cleaning", is_flag=True, help="Of a demo that is there: let its old counter system delete customers."
)
@click.option(
    "--machine-key/--no-machine-key",
    "with_key",
    default=True,
    help="Make the key with which this machine signs the evidence (default: yes).",
)
@pass_invocation
def demo(
    invocation: Invocation, folder: Path, cases: int, seed: int, answer_key: bool, cleaning: bool, with_key: bool
) -> int:
    """Make a complete workspace with generated old systems.

    DIR must not exist yet or be empty. It gets the counter system, the case system and the contact centre's files with
    the dirt of a real town hall, the mappings that move them, and the key that says what each row must become.
    """
    from migrate.demo import World, clean_up, write_demo
    from migrate.keys import give_demo_key, machine_key_lines
    from migrate.new_workspace import write_runbooks
    from migrate.progress import progress
    from migrate.schemas import FOLDER, KINDS, write_schemas

    if cleaning:
        gone = clean_up(folder)
        line = f"{folder}: the night job deleted {gone} customers from the old counter system."
        invocation.emit({"folder": str(folder), "deleted": gone}, [line, f"Next: omnicase -C {folder} run"])
        return 0
    with progress("demo", 3 * cases) as bar:
        dirt = write_demo(folder, World(cases, seed), answer_key=answer_key, advance=bar.advance)
    # Here, since the generator knows nothing of the mappings' language.
    write_schemas(folder / FOLDER, KINDS)
    write_runbooks(folder)
    key = give_demo_key(folder) if with_key else None
    kinds = dirt.filter(dirt["planted"] > 0).height
    document = {"folder": str(folder), "cases": cases, "seed": seed, "answer_key": answer_key, "kinds_of_dirt": kinds}
    invocation.emit(
        document,
        [
            f"{folder}: {cases} cases in six old systems, {kinds} kinds of dirt.",
            *machine_key_lines(key),
            f"Next: omnicase -C {folder} db upgrade; omnicase -C {folder} run; omnicase -C {folder} reconcile",
        ],
    )
    return 0
