"""Signals: the first one of a load waits for the end of the batch, the second one does not (R10)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from command_line import CommandLine

PROGRAM = """
import time
from migrate.running.interrupt import heard, patient, stop_here

with heard():
    with patient():
        try:
            print("working", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            print("at once", flush=True)
        try:
            stop_here()
        except KeyboardInterrupt:
            print("between batches", flush=True)
"""


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_stops_at_once(second: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=CommandLine.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "working\n"
    os.kill(process.pid, signal.SIGINT)
    assert "once more stops at once" in process.stderr.readline()
    assert process.poll() is None
    os.kill(process.pid, second)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "at once\nbetween batches\n", "")


MANY = """
import os, signal, threading
from migrate.running.interrupt import heard, only_while_heard

only_while_heard()
ended = threading.Event()

def strike():
    while not ended.wait(0.0002):
        os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=strike).start()
struck = 0
while struck < 30:
    try:
        with heard():
            sum(range(20_000))
    except KeyboardInterrupt:
        struck += 1
    sum(range(20_000))
ended.set()
print(struck)
"""


def test_of_many_signals_none_strikes_outside_what_hears_them() -> None:
    """Who is impatient gets exit 130 like everybody: nothing is interrupted while the process tells of it and ends (R10)."""
    done = subprocess.run([sys.executable, "-c", MANY], env=CommandLine.environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "30\n", "")
