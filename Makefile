# make run    set up and dehaze a video: INPUT=foggy.mp4 OUTPUT=clear.mp4 ARGS="--mode manual"; a generated drive if none
# make test   set up, then lint, types and all tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INPUT ?=
OUTPUT ?=
ARGS ?=
TORCH ?= torch==2.13.0

# Tests that play in real time, and those that count this process's threads, files and memory: one at a time.
ALONE := tests/live tests/stages/capture/live tests/stages/encode/live tests/pipeline/live tests/apps/watch tests/cli

.PHONY: run test lint types setup setup-dev clean

run: $(VENV)/.installed
ifneq ($(INPUT),)
	$(BIN)/rtdehaze run "$(INPUT)" $(if $(OUTPUT),-o "$(OUTPUT)") $(ARGS)
else
	$(BIN)/rtdehaze demo $(if $(OUTPUT),-o "$(OUTPUT)",--overwrite) $(ARGS)
endif

# PyTorch takes every core in each process unless told otherwise.
test: lint types
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ALONE:%=--ignore=%); \
	together=$$?; $(BIN)/python -m pytest $(ALONE) && exit $$together

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rtdehaze needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev,train]"
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
