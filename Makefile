# make test         all cheap tests and a drawn part of the expensive ones: 10 to 11 minutes on 2 cores (asked: 10)
# make demo         the demo workspace, migrated and reconciled, in demo/
# make bench        speed and memory, printed as ratios
# make coverage     the same tests, and which lines they run
# make test-faults  the whole of the expensive tests of which `make test` runs a seeded sample
# make test-browser the reports in a real browser: axe, keyboard, print, speed (pictures in .screenshots/)
# make docs         write the generated pages of docs/ again
# make clean        remove environments, caches, builds (not demo/)
#
# Needs python3 (3.11 or later) and pip. PYTHON=… names another interpreter, SEED=… another sample.

PYTHON ?= python3
SEED ?= 1
WORKERS ?= 2
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: test lint coverage demo bench test-faults test-browser docs clean

BIN := .venv/bin

# A setting for another interpreter must not reach ours.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Tests start the program many times: compiling it every time takes a second each.
unexport PYTHONDONTWRITEBYTECODE
export OMNICASE_SEED := $(SEED)

.venv/.stamp: setup.cfg pyproject.toml tools/make_env.py
	@$(PYTHON) tools/make_env.py .venv all,dev,browser
	@touch $@

.venv-demo/.stamp: setup.cfg pyproject.toml tools/make_env.py
	@$(PYTHON) tools/make_env.py .venv-demo all
	@touch $@

lint: .venv/.stamp
	@echo "== ruff"; $(BIN)/ruff check .
	@echo "== mypy --strict"; $(BIN)/mypy
	@echo "== import-linter"; $(BIN)/lint-imports

# mypy uses one processor: what it has to say comes when the tests are done, and `make lint` says it at once.
test: .venv/.stamp
	@$(MAKE) --no-print-directory lint >.lint.log 2>&1 & linting=$$!; \
	echo "== pytest, sample $(SEED), and ruff, mypy and import-linter beside it"; \
	tested=0; linted=0; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations=10 || tested=$$?; \
	wait $$linting || linted=$$?; cat .lint.log; exit $$((tested + linted))

# Tracing every line costs the tests a quarter of their time.
coverage: .venv/.stamp
	@$(BIN)/coverage erase
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term

demo: .venv-demo/.stamp
	@.venv-demo/bin/python tools/make_demo.py demo

bench: .venv/.stamp
	@$(BIN)/python -m benchmarks

test-faults: .venv/.stamp
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "(sample or costly) and not browser" --whole --durations=20

# Without a browser they fail, and say what to install.
test-browser: .venv/.stamp
	@OMNICASE_BROWSER_MUST=1 $(BIN)/python -m pytest -n 0 -m browser --whole --durations=5 tests/browser

docs: .venv/.stamp
	@$(BIN)/python tools/write_docs.py

clean:
	rm -rf .venv .venv-demo build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf .screenshots .lint.log .hypothesis .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
