"""A real browser for the reports: Chromium without a window, driven by Playwright; what it asks and says is watched.

Without a browser these tests are left out of `make test`, which says so; `make test-browser` fails instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT

SAMPLE = 1
"""Of these tests, run by `make test`."""
SHOTS = ROOT / ".screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
REMEDY = (
    "no browser: install Chromium (Debian: apt-get install chromium) or name one with OMNICASE_BROWSER=/path, "
    "and pip install 'omnicase[browser]'"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.sample(SAMPLE, family="tests/browser"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser of its own for the tests of one worker."""
    path = os.environ.get("OMNICASE_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        path = None
    if path is None:
        leave = pytest.fail if os.environ.get("OMNICASE_BROWSER_MUST") else pytest.skip
        leave(REMEDY)
    with sync_playwright() as playwright:
        # As root, as in containers, Chromium starts only without its sandbox; it sees our own pages alone.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A function that opens a page of ours; that it asked the network or complained fails the test."""
    opened, told = [], []

    def opens(html: str, width: int = 1280, **context: Any) -> Any:
        file = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8")
        surroundings = browser.new_context(viewport={"width": width, "height": 900}, locale="nl-NL", **context)
        page = surroundings.new_page()
        page.on("request", lambda request: None if request.url == file.as_uri() else told.append(f"asks {request.url}"))
        page.on("console", lambda message: told.append(f"says {message.text}") if message.type == "error" else None)
        page.on("pageerror", lambda error: told.append(f"fails: {error}"))
        page.on("dialog", lambda dialog: (told.append(f"alerts {dialog.message}"), dialog.dismiss()))
        page.goto(file.as_uri())
        opened.append(surroundings)
        return page

    yield opens
    for surroundings in opened:
        surroundings.close()
    assert told == []


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that keeps a picture of a page in .screenshots/ of the clone, which git ignores."""

    def keeps(page: Any, name: str, **how: Any) -> None:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", **{"full_page": True, **how})

    return keeps
