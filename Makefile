SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= auto
# Debian keeps what `python3 -m venv` needs in a package of its own.
INSTALL_VENV = { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv; } \
  || { echo "Python cannot make virtual environments here: sudo apt-get install python3-venv"; exit 1; }
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help setup lock demo test check up bench clean browser

help: ## list what make can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## (.*)/  make \1	\2/' | expand -t 16

setup: .make/installed ## make .venv from requirements.lock (every file checked by its hash)

# uv itself comes out of the lock too, so that nothing is installed without its hash being checked.
.make/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Rejoinder needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@mkdir -p .make
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(INSTALL_VENV)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@awk '/^[a-z0-9]/ {keep = /^uv==/} keep' requirements.lock > .make/uv.lock
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r .make/uv.lock
	$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

lock: ## write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml -o requirements.lock --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-strip-extras --all-extras -p 3.11

demo: setup ## set up, then walk the whole loop once on sample data and the sandbox
	$(BIN)/rejoinder demo --auto-review

browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || ./tests/install_browser.sh

test: setup browser ## set up, then run every test, in a process per core (WORKERS=1 for one)
	$(BIN)/pytest -n $(WORKERS)

check: setup ## formatter, linters, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: setup ## start everything on loopback and print the addresses
	$(BIN)/rejoinder up

bench: setup ## posts per second, triage to draft
	$(BIN)/rejoinder bench pipeline

clean: ## remove the environment and caches (the data in .rejoinder/ stays)
	rm -rf .venv .make .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
