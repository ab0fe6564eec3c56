# `make help` lists the targets. Everything lives in .venv and ./room; `make clean` removes both.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := install -qq --require-hashes
N ?= 200
SECONDS ?= 10
RUNS ?= 0
JOBS ?= 1
ROWS ?= 500000
MINUTES ?= 5
# Under build/, which make bench leaves alone but for its own folder.
PEERS ?= build/peers

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench soak kill fuzz lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.dev  ## install all that the project needs, by hash, into .venv

demo: $(VENV)/.run  ## a room with 20,000 synthetic residents, in ./room
	@$(BIN)/strongroom demo --room ./room

test: $(VENV)/.dev  ## the whole test suite, with a PostgreSQL server and an OpenID provider of its own
	@tests/get-postgresql
	@tests/get-oidc-provider
	@$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## style, types, layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev  ## rewrite the code in the project's format
	@$(BIN)/ruff check --fix --exit-zero --quiet
	@$(BIN)/ruff format

bench: $(VENV)/.dev $(PEERS)/.made  ## measure this machine and its disk, peers beside; writes docs/benchmarks.md. ROWS=500000 to import
	@$(BIN)/python -m bench --rows $(ROWS) --peers $(PEERS)

soak: $(VENV)/.dev  ## both houses as servers for MINUTES=5, with faults; nothing may be lost, nothing may grow
	@STRONGROOM_SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest tests/soak --timeout=0 -s

drills: $(VENV)/.run  ## replay every attack, and write docs/promises.md
	@$(BIN)/strongroom drill --all --table docs/promises.md

kill: $(VENV)/.dev  ## kill -9 either house in the middle of every job, N=200 times in all
	@STRONGROOM_KILLS=$(N) $(BIN)/python -m pytest -m kill --timeout=0

fuzz: $(VENV)/.fuzz  ## search every parser for SECONDS=10 each; TARGET='ledger.*' for some, RUNS=300 for so many inputs
	@$(BIN)/python -m fuzz --seconds $(SECONDS) --runs $(RUNS) --jobs $(JOBS) $(if $(TARGET),'$(TARGET)')

lock:  ## write requirements/*.lock anew; wants pip-tools on Python 3.11
	@requirements/lock

clean:  ## remove what was made here
	rm -rf $(VENV) room build dist .fuzz .oidc-provider .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests fuzz -name __pycache__ -type d -prune -exec rm -rf {} +

# PYTHON=... chooses one; otherwise the first of these that is new enough.
$(VENV)/.made:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; done; \
	if [ -z "$$python" ]; then \
	  echo "Strongroom needs Python 3.11 or later, and $(or $(PYTHON),python3) is not: name one with make PYTHON=/path/to/python3.12" >&2; exit 1; fi; \
	rm -rf $(VENV); \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "No venv module: on Debian and Ubuntu, apt-get install python3-venv, then make again" >&2; exit 1; }
	@touch $@

# The package itself is installed in place and without its dependencies: the lock has them all.
$(VENV)/.run: $(VENV)/.made requirements/run.lock requirements/build.lock pyproject.toml
	@echo "Installing Strongroom into $(VENV) ..."
	@$(PIP) $(LOCKED) -r requirements/run.lock -r requirements/build.lock
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock requirements/data.lock
	@echo "Installing what tests and checks need ..."
	@$(PIP) $(LOCKED) -r requirements/dev.lock
	@$(PIP) $(LOCKED) --no-deps -r requirements/data.lock
	@touch $@

# Beside us only: away from what we run on ourselves. What there is no wheel for is left out, and the run says so.
$(PEERS)/.made: $(VENV)/.made requirements/peers.lock
	@$(BIN)/python -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check $(LOCKED) --only-binary :all: -r requirements/peers.lock || \
	  echo "The peers are not all to be had here; make bench goes on without" >&2
	@touch $@

# One wheel, and only where there is one; elsewhere nothing is installed, and the command says what it does without.
$(VENV)/.fuzz: $(VENV)/.dev requirements/fuzz.lock
	@$(PIP) $(LOCKED) --only-binary :all: -r requirements/fuzz.lock
	@touch $@
