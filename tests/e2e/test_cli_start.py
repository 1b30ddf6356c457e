"""The command line answers at once, lists only what works, and ends every error the same way."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from importlib import import_module

import click
import pytest

from migrate.cli import main, root
from migrate.cli.verbs import VERBS, Verb

HEAVY = {"polars", "sqlalchemy", "pandera", "pyarrow", "alembic", "pydantic", "sqlglot", "jinja2", "casemodel"}


@pytest.fixture
def verb(monkeypatch):
    """Plant a verb in the table whose function is the test's own."""

    def plant(function, **options):
        command = click.command("probe", **options)(function)
        module = type(sys)("planted_verb")
        module.probe = command
        monkeypatch.setitem(sys.modules, "planted_verb", module)
        monkeypatch.setitem(VERBS, "probe", Verb("planted_verb:probe", "A probe."))

    return plant


def test_help_imports_nothing_heavy(omnicase):
    code = (
        "import sys; from migrate.cli import main; status = main(['--help'])\n"
        "print('#', *sys.modules, file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=omnicase.environment(), capture_output=True, text=True)
    assert done.returncode == 0
    loaded = {name.partition(".")[0] for name in done.stderr.partition("#")[2].split()}
    assert not loaded & HEAVY
    assert all(name in done.stdout for name in VERBS)


def test_pandas_is_left_out_where_it_is_installed(omnicase):
    code = (
        "import sys; from migrate.cli import main; main(['--version'])\n"
        "import pandera.polars, pyarrow.dataset\n"
        "sys.exit('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=omnicase.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_help_answers_within_three_tenths_of_a_second(omnicase):
    """Measured as processor time, since other tests run beside this one."""
    measured = ("COV_", "COVERAGE_")
    plain = {name: value for name, value in omnicase.environment().items() if not name.startswith(measured)}

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-P", "-m", "migrate", "--help"], env=plain, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(once() for _ in range(5)) < 0.3


@pytest.mark.parametrize("name", list(VERBS))
def test_each_listed_verb_exists_and_says_the_same_in_its_own_help(name):
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.name == name
    first = (command.help or "").strip().split("\n\n")[0].split(". ")[0].replace("\n", " ").rstrip(".")
    assert VERBS[name].help.rstrip(".") == first


def test_every_verb_and_its_sub_verbs_answer_help(omnicase, capsys):
    def paths(command: click.Command, words: list[str]):
        yield words
        if isinstance(command, click.Group):
            ctx = click.Context(command)
            for name in command.list_commands(ctx):
                yield from paths(command.get_command(ctx, name), [*words, name])

    for words in paths(root, []):
        assert main([*words, "--help"]) == 0
        assert "Usage: omnicase" in capsys.readouterr().out


def test_an_unknown_verb_names_the_nearest(omnicase):
    answer = omnicase("docter")
    assert (answer.status, answer.out) == (2, "")
    assert "CLI-001" in answer.err
    assert "'doctor'" in answer.err
    assert "hint:" in answer.err


def test_usage_errors_are_one_object_in_json(omnicase):
    for words in ("--format json nope", "nope --format=json", "--format json --nope", "--format json"):
        answer = omnicase(*words.split())
        assert answer.status == 2
        assert set(answer.document) == {"code", "class", "where", "message", "hint"}
        assert answer.document["class"] == "usage"


def test_global_options_may_stand_on_either_side_of_the_verb(verb, capsys, tmp_path):
    from migrate.cli import pass_invocation

    @pass_invocation
    def show(invocation):
        invocation.emit({"dir": str(invocation.workspace_dir), "env": invocation.env}, ["text"])

    verb(show)
    for arguments in (
        ["-C", str(tmp_path), "--env", "x", "--format", "json", "probe"],
        ["probe", "--format=json", "-C", str(tmp_path), "--env=x"],
        ["--env", "x", "probe", "--workspace", str(tmp_path), "--format", "json"],
    ):
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert str(tmp_path) in out
        assert '"env": "x"' in out


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [("BugError", 1, "bug"), ("UsageError", 2, "usage"), ("RefusedError", 4, "refused"), ("SystemFailure", 5, "system"),
     ("GuardError", 6, "guard"), ("LockedError", 7, "locked"), ("BrokenError", 8, "broken")],
)
def test_our_errors_end_with_the_status_of_their_class(verb, capsys, name, status, kind):
    casemodel = import_module("casemodel")

    def fail():
        place = casemodel.Place("a.yml", 3, 5)
        raise getattr(casemodel, name)("TST-007", "It is wrong.", hint="Make it right.", place=place)

    verb(fail)
    assert main(["probe"]) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "TST-007  a.yml:3:5: It is wrong.\n  hint: Make it right.\n"
    assert main(["probe", "--format", "json"]) == status
    assert import_module("json").loads(capsys.readouterr().out) == {
        "code": "TST-007", "class": kind, "where": "a.yml:3:5", "message": "It is wrong.", "hint": "Make it right."}


def test_several_refusals_are_shown_together(verb, capsys):
    casemodel = import_module("casemodel")

    def fail():
        raise casemodel.RefusedMany([casemodel.RefusedError(f"TST-00{n}", "Wrong.", hint="Right.") for n in (1, 2)])

    verb(fail)
    assert main(["probe"]) == 4
    err = capsys.readouterr().err
    assert "TST-001" in err
    assert "TST-002" in err


def test_an_unknown_failure_shows_neither_traceback_nor_values_unless_asked(verb, capsys):
    def fail():
        raise ValueError("bsn 999993653")

    verb(fail)
    assert main(["probe"]) == 1
    err = capsys.readouterr().err
    assert "BUG-000" in err
    assert "ValueError" in err
    assert "999993653" not in err
    assert "Traceback" not in err
    assert main(["probe", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_what_the_machine_refuses_is_a_system_failure(verb, capsys, tmp_path):
    def fail():
        (tmp_path / "none" / "file").read_text()

    verb(fail)
    assert main(["probe"]) == 5
    err = capsys.readouterr().err
    assert "SYS-001" in err
    assert str(tmp_path / "none" / "file") in err


def test_a_verb_returns_its_status(verb):
    verb(lambda: 3)
    assert main(["probe"]) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130(omnicase, number):
    code = (
        "import sys, time, types, click\n"
        "from migrate.cli import main\n"
        "from migrate.cli.verbs import VERBS, Verb\n"
        "module = types.ModuleType('planted'); sys.modules['planted'] = module\n"
        "def wait():\n    print('waiting', flush=True); time.sleep(60)\n"
        "module.wait = click.command('wait')(wait); VERBS['wait'] = Verb('planted:wait', '')\n"
        "sys.exit(main(['wait']))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=omnicase.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waiting\n"
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_reader_that_goes_away_gives_no_traceback(omnicase):
    command = f"set -o pipefail; {sys.executable} -P -m migrate --help | true"
    done = subprocess.run(["bash", "-c", command], env=omnicase.environment(), capture_output=True, text=True)
    assert done.returncode in (0, 5)    # 0 when the pipe took all before its reader left
    assert done.stderr == ""


def test_output_cannot_steer_a_terminal(verb, capsys):
    from migrate.cli import pass_invocation

    @pass_invocation
    def show(invocation):
        invocation.emit({}, ["a\x1b[31mb"])

    verb(show)
    main(["probe"])
    assert capsys.readouterr().out == "a\\x1b[31mb\n"


@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8", "nl_NL.ISO-8859-1"])
def test_output_is_utf8_in_every_locale(omnicase, locale):
    plain = subprocess.run([sys.executable, "-m", "migrate", "--help"], env=omnicase.environment(), capture_output=True)
    other = subprocess.run([sys.executable, "-m", "migrate", "--help"],
                           env=omnicase.environment({"LC_ALL": locale, "PYTHONUTF8": "0"}), capture_output=True)
    assert plain.stdout == other.stdout
