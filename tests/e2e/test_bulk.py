"""`run --bulk`: indexes and links are dropped for the load and made again after it, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from command_line import Answer, CommandLine
from small_demo import fresh_demo
from targets import copy_workspace

pytestmark = pytest.mark.no_cover
SOME = ("seed.channel", "zaak.case_type", "zaak.unit", "zaak.actor", "zaak.case")


@pytest.fixture
def omnicase(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, postgres_database: str
) -> Callable[..., Answer]:
    """The command line in a workspace whose target is an empty PostgreSQL database."""
    folder, run = copy_workspace(fresh_demo(tmp_path_factory), tmp_path / "demo"), CommandLine()

    def asked(*arguments: str, **env: str) -> Answer:
        call = run.spawn if env else run
        return call("-C", folder, "--format", "json", *arguments, env={"OMNICASE_TARGET_URL": postgres_database, **env})

    assert asked("db", "upgrade").status == 0
    return asked


def test_killed_before_the_rebuild_the_next_run_completes_it(omnicase: Callable[..., Answer]) -> None:
    """`db check` says what is missing; then nothing is, and every case is there once."""
    assert omnicase("run", *SOME, "--bulk", OMNICASE_FAILPOINT="before-rebuild:2").status == -9
    assert omnicase("db", "check").status == 5
    books = {each["mapping"]: each for each in omnicase("run", *SOME).document["mappings"]}
    assert books["zaak.case"]["inserted"] > 50
    assert omnicase("db", "check").status == 0
    again = omnicase("run", *SOME, "--full").document["mappings"]
    assert sum(each["inserted"] + each["updated"] for each in again) == 0
    refused = omnicase("run", *SOME, "--bulk")
    assert (refused.status, refused.document["code"]) == (6, "RUN-041")


def test_a_link_that_was_broken_meanwhile_is_found(omnicase: Callable[..., Answer], postgres_database: str) -> None:
    """Somebody deletes a parent while the links are dropped: the rebuild says so, and goes on when it is mended."""
    assert omnicase("run", *SOME, "--bulk", OMNICASE_FAILPOINT="before-rebuild:1").status == -9
    engine = sa.create_engine(postgres_database, poolclass=sa.NullPool)
    with engine.begin() as connection:
        row = connection.execute(sa.text("SELECT * FROM case_type WHERE id IN (SELECT case_type_id FROM case_file) LIMIT 1")).mappings().one()
        connection.execute(sa.text("DELETE FROM case_type WHERE id = :id"), {"id": row["id"]})
    broken = omnicase("run", *SOME)
    assert (broken.status, broken.document["code"]) == (5, "RUN-042")
    with engine.begin() as connection:
        names = ", ".join(row)
        connection.execute(sa.text(f"INSERT INTO case_type ({names}) VALUES ({', '.join(':' + name for name in row)})"), dict(row))
    assert omnicase("run", *SOME).status in (0, 3)
    assert omnicase("db", "check").status == 0


def test_sqlite_cannot(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = copy_workspace(fresh_demo(tmp_path_factory), tmp_path / "demo")
    answer = CommandLine()("-C", folder, "--format", "json", "run", "--bulk")
    assert (answer.status, answer.document["code"]) == (2, "RUN-040")
