# Two commands matter: `make run` and `make test`. Both bring a bare machine all the way and may be
# run again at any time. `make` alone lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
UV := .tools/venv/bin/uv
JOBS ?= 2

# The commands that the tests start are this tree's, whatever else is installed.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup run test check lint bench simulate simulate-forever planted prove docs pictures fmt lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: system packages, then Python packages as locked
	@.ci/setup

run: setup ## Run the demo plant: hub, four stations, S03 in this terminal (ARGS="--script outage")
	@$(BIN)/tally demo $(ARGS)

test: setup-for-tests ## Everything: lint, types, import rules, all tests
	@status=0; $(MAKE) --no-print-directory lint || status=1; \
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile || status=1; exit $$status

check: setup ## Under a minute, before every push: lint, types, import rules, quick tests
	@status=0; $(MAKE) --no-print-directory lint || status=1; \
	$(BIN)/python -m pytest -q -n $(JOBS) --hypothesis-profile=quick \
		$(wildcard tests/unit tests/property tests/tidy) || status=1; exit $$status

# Not targets of their own in the list. The tests also need a browser and a terminal to drive.
setup-for-tests:
	@.ci/setup test

lint:
	@status=0; \
	for step in "ruff format --check ." "ruff check ." mypy "lint-imports --no-logo"; do \
		echo "== $$step"; $(BIN)/$$step || status=1; \
	done; exit $$status

bench: setup ## Measure against the limit of this machine and a peer (ARGS="NAME")
	@$(BIN)/tally bench $(ARGS)

simulate: setup ## Play one seed of the simulated plant again (SEED=7 STEPS=1500 ARGS="--shrink")
	@$(BIN)/python -m tests.simulation --seed $(or $(SEED),0) --steps $(or $(STEPS),1500) $(ARGS)

simulate-forever: setup ## Simulate new seeds until one fails
	@$(BIN)/python -m tests.simulation --forever --jobs $(JOBS)

planted: setup ## Plant known bugs one by one and count the seeds until one is caught (ARGS="--bug NAME")
	@$(BIN)/python -m tests.planted --jobs $(JOBS) --write $(ARGS)

# About an hour and a half; the figures go into docs/guarantees.md. SEEDS=0..1999 STEPS=500 for others.
prove: setup ## The long simulation with figures, a power cut after every call, the larger models
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),0..1999) --steps $(or $(STEPS),500) \
		--jobs $(JOBS) --sometimes --write
	@PROVE=1 $(BIN)/python -m pytest -q -n $(JOBS) tests/crash tests/model

docs: setup ## Make the pages that come from the code
	@$(BIN)/python -m tally.commands.events_page docs/events.md

pictures: setup-for-tests ## Make the pictures of README and docs from the running demo
	@$(BIN)/python -m tests.pictures

fmt: setup ## Format, and fix what can be fixed safely
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

# Each lock is constrained by the one before it, so that all of them fit into one environment.
LOCK := $(UV) pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11
lock: setup ## Lock the newest versions that pyproject.toml and requirements/*.in allow (UPGRADE=1)
	@$(LOCK) $(if $(UPGRADE),--upgrade) --group dev pyproject.toml -o requirements/dev.txt
	@$(LOCK) -c requirements/dev.txt pyproject.toml -o requirements/run.txt
	@$(LOCK) -c requirements/dev.txt requirements/build.in -o requirements/build.txt
	@$(LOCK) $(if $(UPGRADE),--upgrade) requirements/tools.in -o requirements/tools.txt

clean: ## Remove everything that setup and the tests made; nothing that is yours
	@rm -rf .venv .tools hub/web/node_modules hub/web/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .grimp_cache \
		.import_linter_cache .coverage dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
