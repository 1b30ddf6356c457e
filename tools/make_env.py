"""Make a virtual environment with omnicase installed editable in it; used by the Makefile.

Usage: python3 tools/make_env.py FOLDER EXTRAS, for example .venv all,dev

Runs on any Python 3, so that an old one gets a sentence and not a syntax error.  Where Debian's python3
comes without ensurepip, the pip outside fills the environment.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)


def main():
    """Make or renew the environment and return the exit status."""
    folder, extras = sys.argv[1:]
    if sys.version_info < OLDEST:
        sys.stderr.write(
            "omnicase needs Python %d.%d or later; this is Python %s (%s).\n"
            "Install a later one and name it, for example: make PYTHON=python3.12 test\n"
            % (OLDEST[0], OLDEST[1], sys.version.split()[0], sys.executable)
        )
        return 2
    python = os.path.join(folder, "bin", "python")
    print("== environment %s: installing omnicase[%s]" % (folder, extras), flush=True)
    if not _works(python) and not _create(folder):
        return 1
    pip = [python, "-m", "pip"]
    if not _works(*pip, "--version"):
        pip = [sys.executable, "-m", "pip", "--python", python]
    # Python compiles what it imports; compiling all that is installed takes a third of the time.
    command = [*pip, "install", "--quiet", "--no-compile", "--editable", ".[%s]" % extras]
    install = subprocess.run(command, check=False)
    return install.returncode


def _works(python, *arguments):
    try:
        return subprocess.run([python, *(arguments or ("-c", ""))], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _create(folder):
    if subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=False, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode == 0:
        return True
    without = [sys.executable, "-m", "venv", "--clear", "--without-pip", folder]
    if _works(sys.executable, "-m", "pip", "--version") and subprocess.run(without, check=False).returncode == 0:
        return True
    sys.stderr.write("A virtual environment cannot be made: install the venv module of Python (python3-venv) or pip.\n")
    return False


if __name__ == "__main__":
    sys.exit(main())
