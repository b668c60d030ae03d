# The one entry point; `make` lists what there is. Needs Python 3.11 or later, git and make.
PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# Says that the environment is whole, and of which folder: scripts in it hold the folder's path.
READY := $(VENV)/.ready
LOCKS := requirements.txt requirements-bootstrap.txt

# uv does not read pip's settings: this hands it the index and the certificates that pip would use.
PIP_SAYS = $$($(BIN)/python -m pip config list | sort -r | sed -nE \
	-e "s/^(:env:|global)\.index-url='(.*)'/UV_DEFAULT_INDEX=\2/p" \
	-e "s/^(:env:|global)\.extra-index-url='(.*)'/UV_EXTRA_INDEX_URL=\2/p" \
	-e "s/^(:env:|global)\.cert='(.*)'/SSL_CERT_FILE=\2/p")
UV = env UV_SYSTEM_CERTS=true $(PIP_SAYS) UV_PYTHON=$(BIN)/python $(BIN)/uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# A folder that was moved or copied needs an environment of its own.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif

.PHONY: help setup demo dev test lint format types lock bench torture clean
.DEFAULT_GOAL := help

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

##@ Start
setup: $(READY) ## make .venv with the locked dependencies and the salespipe command
	@echo "Ready: $(BIN)/salespipe"

demo: $(READY) ## make a shop, run its months, draw the charts
	@$(BIN)/salespipe demo $(ARGS)

dev: $(READY) ## open the Dagster UI
	@$(BIN)/salespipe dev $(ARGS)

##@ Check
test: $(READY) ## run the tests; ARGS="-k word" picks some
	@$(BIN)/python -m pytest $(ARGS)

lint: $(READY) ## find faults and formatting that differs
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@! command -v node >/dev/null || { echo "'use strict';"; cat salespipe_dagster/report/*.js; } | node --check -

format: $(READY) ## mend both where a tool can
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

types: $(READY) ## check the types
	@$(BIN)/pyright

##@ Measure
bench: $(READY) ## time and memory beside their floors
	@$(BIN)/python -m salespipe_dagster_tests.bench $(ARGS)

torture: $(READY) ## kill a run at 30 random moments, and at 50 with everything in S3
	@SALESPIPE_TORTURE_KILLS=30 SALESPIPE_TORTURE_KILLS_IN_S3=50 SALESPIPE_TESTS_MUST_NOT_SKIP=1 \
		$(BIN)/python -m pytest salespipe_dagster_tests/integration/test_kill.py \
		salespipe_dagster_tests/integration/test_s3_kill.py $(ARGS)

##@ Keep
lock: $(READY) ## lock what pyproject.toml asks for; ARGS=--upgrade takes the newest
	@echo uv | $(COMPILE) --no-annotate $(ARGS) -o requirements-bootstrap.txt - >/dev/null
	@$(COMPILE) --extra dev $(ARGS) -o requirements.txt pyproject.toml >/dev/null

clean: ## remove the environment, caches and the demo; your own lake stays
	@rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis .dg .salespipe/demo
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Whole or not there: without the mark, which is written last, the next call starts from nothing.
$(READY): pyproject.toml setup.cfg $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "salespipe needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there)." >&2; \
		echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: its venv module is missing." >&2; \
		echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@if [ "$$(cat $@ 2>/dev/null)" = "$(CURDIR)" ] && $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "Bringing .venv up to date"; rm $@; \
	else \
		echo "Making .venv (once; a minute, or seconds when packages are cached)"; \
		$(PYTHON) -m venv --clear $(VENV); fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@echo "Installing $$(grep -c '==' requirements.txt) locked packages"
	@$(UV) pip sync --quiet --require-hashes requirements.txt || { \
		echo "uv could not; trying pip, which knows more ways to an index (two minutes)"; \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.txt; }
	@UV_PYTHON=$(BIN)/python $(BIN)/uv pip install --quiet --offline --no-deps --no-build-isolation -e .
	@echo "$(CURDIR)" > $@
