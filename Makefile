# loyalty: `make run` looks at it, `make test` and `make check` keep it right. Needs Python 3.11 or newer and make.

PYTHON ?= python3
PORT   := $(or $(LOYALTY_PORT),8000)
BIN    := .venv/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test check bench chaos lock clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## /  make \1: /p' Makefile

run: .venv/runtime.stamp ## the demo program, from its 22nd week, at http://127.0.0.1:8000
	@rm -f demo.db demo.db-wal demo.db-shm  # each visit begins the story anew
	@echo "loyalty starts at http://127.0.0.1:$(PORT) (Ctrl-C ends it; docs at /docs)"
	@LOYALTY_PROGRAM=programs/demo.toml LOYALTY_DATABASE=demo.db LOYALTY_REFRESH_SECONDS=1 LOYALTY_PORT=$(PORT) exec $(BIN)/loyalty run

test: .venv/dev.stamp ## all tests, in parallel; TESTS="tests/state -k backup" for some
	@$(BIN)/python -c "from tools.evm.packages import installed; installed()"
	$(BIN)/python -m pytest -n 2 -m "not chaos" $(TESTS)

check: .venv/dev.stamp ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev.stamp ## measure
	@$(BIN)/python -m benchmarks

chaos: .venv/dev.stamp ## break things at random, for long; SEED=7 repeats a run
	@$(BIN)/python -c "from tools.evm.packages import installed; installed()"
	$(if $(SEED),CHAOS_SEED=$(SEED)) $(BIN)/python -m pytest -n 2 -m chaos $(TESTS)

lock: .venv/lock/bin/uv ## resolve the locks again; UPGRADE=--upgrade takes newer releases
	$< pip compile --quiet $(LOCK_FLAGS) --output-file requirements.lock pyproject.toml
	$< pip compile --quiet $(LOCK_FLAGS) --all-extras --constraints requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove what was made: .venv, caches, the demo's database (never another database or a backup)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist tools/evm/node_modules
	rm -f demo.db demo.db-wal demo.db-shm demo.db.worker.lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE)

# What is installed: once, and again when a lock changes. Hashes are checked; the project itself comes last.

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "loyalty needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1 | tail -n 1)."; \
		echo "Install one and name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@echo "making .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make a virtual environment: install its venv package (Debian: python3-venv)" >&2; exit 1; }

.venv/runtime.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing what loyalty needs"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "installing what tests and checks need"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@$(PIP) install --no-deps --editable .
	@touch .venv/runtime.stamp $@

.venv/lock/bin/uv: | .venv/bin/python
	@$(BIN)/python -m venv .venv/lock
	@.venv/lock/bin/python -m pip --quiet --disable-pip-version-check install uv
