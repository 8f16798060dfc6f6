# Everything happens in ./.venv; needs Python 3.11 or 3.12, make and git, no root. `make` lists the targets.
#
# Pass a variable as `make test EXTRAS=light`. What uv reads from the environment counts too: UV_CACHE_DIR,
# UV_TORCH_BACKEND=cpu (a smaller torch, from the PyTorch project's own index), ...

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup demo test lint format run bench bench-verdict docs clean

# Which Python makes .venv: the first of these that is 3.11 or 3.12. make setup PYTHON=/path/to/python3.12 names another.
PYTHON ?= python3 python3.12 python3.11 python
# light: only what needs no torch. Empty: everything.
EXTRAS ?=
# Added to pytest's command line: make test PYTEST_ARGS="-k store -x"
PYTEST_ARGS ?=
# One of bench/, and what to add to its command line: make bench BENCH=study BENCH_ARGS="--frames 60"
BENCH ?=
BENCH_ARGS ?=
RECIPE ?=
VIDEO ?=
PROJECT ?=

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
DEMO := results/demo
TEST_MODELS := selfie-landscape selfie-square

ifneq ($(filter-out light full,$(EXTRAS)),)
$(error EXTRAS is "$(EXTRAS)": it may be light, full or empty)
endif

# One stamp for each set that is installed. A larger set stands in for a smaller one.
LIGHT := $(VENV)/.installed-light
LIGHT_DEV := $(VENV)/.installed-light-dev
FULL := $(VENV)/.installed-full
ANY := $(firstword $(wildcard $(FULL) $(LIGHT_DEV)) $(LIGHT))
ifeq ($(EXTRAS),light)
CHECKED := $(firstword $(wildcard $(FULL)) $(LIGHT_DEV))
SELECT := -m "not torch"
else
CHECKED := $(FULL)
SELECT :=
endif

IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))
SAY_VERSION := import platform; print(platform.python_version())

help: ## List the targets
	@echo "usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

setup: $(FULL) ## Install everything, torch and the development tools included, into ./.venv
	@echo "vbtools is installed: $(BIN)/vbtools --help"

demo: $(ANY) ## Simulate a blurred call, recover the room behind it, say what was found
	@mkdir -p $(DEMO)
	$(BIN)/vbtools models pull $(TEST_MODELS)
	$(BIN)/vbtools simulate -o $(DEMO)/clip --profile jitsi --seed 3 --seconds 8
	$(BIN)/vbtools run recipes/leak.yaml --video $(DEMO)/clip/blurred.mp4 -p $(DEMO)/demo.h5
	$(BIN)/vbtools export -p $(DEMO)/demo.h5 -o $(DEMO)/pictures
	$(BIN)/vbtools report -p $(DEMO)/demo.h5 -o $(DEMO)/report.html --quick

test: $(CHECKED) ## Run the tests; EXTRAS=light leaves out what needs torch
	@$(BIN)/vbtools models pull $(TEST_MODELS) \
	  || echo "The segmentation models could not be pulled: the tests that need them are skipped, and say so."
ifeq ($(EXTRAS),light)
	@echo "EXTRAS=light: the tests that need torch (marked torch) are left out. 'make test' runs them too."
endif
	$(BIN)/pytest $(SELECT) $(PYTEST_ARGS)

lint: $(CHECKED) ## Check style (ruff), layers (import-linter), types (mypy), Dockerfiles (hadolint)
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile.cpu Dockerfile.gpu

format: $(CHECKED) ## Lay out the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

run: $(ANY) ## Run a recipe: make run RECIPE=recipes/quick.yaml VIDEO=call.mp4 [PROJECT=results/call.h5]
	@test -n "$(RECIPE)" || { echo "make run needs a recipe: make run RECIPE=recipes/quick.yaml VIDEO=call.mp4" >&2; exit 2; }
	$(BIN)/vbtools run "$(RECIPE)" $(if $(VIDEO),--video "$(VIDEO)") $(if $(PROJECT),-p "$(PROJECT)")

bench: $(CHECKED) ## Measure speed and memory: every bench/*.py whose name does not begin with _; BENCH=study for one
	@set -e; found=; \
	for script in bench/$(if $(BENCH),$(BENCH),[!_]*).py; do \
	  test -f "$$script" || continue; \
	  found=yes; echo "== $$script"; $(PY) "$$script" $(BENCH_ARGS); \
	done; \
	test -n "$$found" || { echo "There is no benchmark bench/$(or $(BENCH),*).py; there are: $(notdir $(basename $(wildcard bench/[!_]*.py)))" >&2; exit 1; }

bench-verdict: $(CHECKED) ## Ask 100 calls that give nothing away and 30 that do for their verdict; goes on where it stopped
	$(PY) bench/verdict.py $(BENCH_ARGS)

docs: $(CHECKED) ## Write the pages of docs/ that are made from the code: docs/generate.py
	@test -f docs/generate.py || { echo "There is no docs/generate.py yet: no page is made from the code." >&2; exit 1; }
	$(PY) docs/generate.py

clean: ## Remove caches, builds and results/demo; .venv and other results stay
	rm -rf build dist htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis $(DEMO)
	find vbtools tests bench examples docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# ---------------------------------------------------------------------------------------------------------- installing

$(LIGHT): pyproject.toml constraints.txt | $(BIN)/uv
	@echo "Installing vbtools, light set (no torch), into $(VENV)"
	@$(BIN)/uv pip install --compile-bytecode --python $(PY) -c constraints.txt -e '.[light]'
	@touch $@

$(LIGHT_DEV): pyproject.toml constraints.txt | $(BIN)/uv
	@echo "Installing vbtools, light set (no torch) and development tools, into $(VENV)"
	@$(BIN)/uv pip install --python $(PY) -c constraints.txt -e '.[light,dev]'
	@touch $@ $(LIGHT)

$(FULL): pyproject.toml constraints.txt | $(BIN)/uv
	@echo "Installing vbtools, full set and development tools, into $(VENV) (several GB the first time)"
	@$(BIN)/uv pip install --python $(PY) -c constraints.txt -e '.[full,dev]'
	@touch $@ $(LIGHT_DEV) $(LIGHT)

# pip brings only uv: where pip.conf names folders or further indexes, pip may prefer what it finds there.
$(BIN)/uv: constraints.txt | $(PY)
	@$(PY) -c '$(IN_RANGE)' || { \
	  echo "$(VENV) holds Python $$($(PY) -c '$(SAY_VERSION)'), vbtools needs 3.11 or 3.12: remove $(VENV) and call make again." >&2; \
	  exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null || { \
	  echo "$(VENV) has neither uv nor pip: remove $(VENV) and call make again." >&2; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@touch $@

$(PY):
	@for python in $(PYTHON); do \
	  if "$$python" -c '$(IN_RANGE)' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$python ($$("$$python" -c '$(SAY_VERSION)'))"; \
	    "$$python" -m venv --clear $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	    echo "$$python could not make a virtual environment (the message above says why; on Debian or Ubuntu: apt install python3-venv)." >&2; \
	    exit 1; \
	  fi; \
	done; \
	first=$(firstword $(PYTHON)); \
	echo "vbtools needs Python 3.11 or 3.12, and $$first is $$("$$first" -c '$(SAY_VERSION)' 2>/dev/null || echo missing): install one of them, or name it: make setup PYTHON=/path/to/python3.12" >&2; \
	exit 1
