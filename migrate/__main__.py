"""``python -m migrate``: the same program as ``omnicase``.

``python -m`` puts the current folder first on the module path.  A workspace has folders called
``mappings`` and ``runbooks``, and may hold a ``csv.py``; none of them may stand in for ours or for the
standard library's.  So the current folder is taken off the path before anything else is imported,
unless it is the place where the program itself lives.
"""

import os
import sys


def _leave_current_folder() -> None:
    home = os.path.realpath(os.path.join(os.path.dirname(__file__), os.pardir))
    here = os.path.realpath(os.getcwd())
    if here != home:
        sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or os.curdir) != here]


if __name__ == "__main__":
    _leave_current_folder()
    import signal

    # Who interrupts while modules are loaded is heard when they are.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    from migrate.cli import main

    sys.exit(main())
