# Every target makes the virtual environment it needs; `make help` lists them.
# The first of these that runs and is new enough.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PYTEST ?= $(BIN)/pytest
# Test files run side by side in this many processes. One of them mostly waits for a real service.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help install demo test unit test-long serve lint format bench chaos load lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(READY)  ## make .venv with argbest and everything it needs

# Compiled as pip does, but on all cores; a few files of some packages are templates and no Python.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "argbest needs Python 3.11 or newer; set PYTHON to one" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: install  ## start the service, run two searches on real data, show the results, stop it
	$(BIN)/python tools/demo.py

test: lint unit  ## run every check: lint, types and tests

unit: install
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-long: lint  ## run every check with many more generated cases and repeats
	ARGBEST_TEST_LONG=1 $(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder --timeout=3600

serve: install  ## run the service on this machine until Ctrl-C
	$(BIN)/argbest serve

lint: install  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install  ## rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## measure engines, states, service and searches; ARGS=--quick is the short form
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks.search $(filter --quick,$(ARGS))

chaos: install  ## kill the service's processes at random points and count what was lost
	$(BIN)/python -m tests.chaos

load: install  ## measure submits, reads and a job of 10,000 trials, on SQLite and PostgreSQL
	$(BIN)/python -m tools.load

# The CPU build of torch has a local version (+cpu) that other machines need not have.
lock: install  ## resolve the dependencies anew into requirements.lock
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-annotate --no-header --no-emit-options \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --extra dev --extra postgresql --output-file requirements.lock pyproject.toml
	sed -i -E '/^#|^$$/d; s/^(torch==[^+]*)\+.*/\1/' requirements.lock

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
