# Everything a developer does here, one word each. `make help` lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first interpreter on the path that runs, is 3.11 or newer and can make virtual environments.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; \
	done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
GROUPS := test lint types docs
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest
STANDARDS := .standards
LINTER := $(STANDARDS)/cli/bin/datacontract
checkout = [ -d $(STANDARDS)/$(3) ] || \
	git clone --quiet --depth 1 --branch $(2) https://github.com/$(1) $(STANDARDS)/$(3)

export TZ := UTC
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: help install demo test lint types format docs docs-serve picture notebooks reproduce matrix study bench schemas check-gpu standards clean

help: ## List the targets
	@echo "tslam: what acted on your system that nobody logged?"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Create .venv with the project and its tools (done once, again when their versions change)

$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "Found no Python that is 3.11 or newer and has the modules venv and ensurepip (tried python3.11, python3.12, python3.13, python3)."; \
		echo "Install one (on Debian or Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python $(MAKECMDGOALS)"; \
		exit 1; \
	fi
	@echo "Installing into $(VENV): about 2.5 GB and a few minutes, once."
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . $(addprefix --group ,$(GROUPS))
	@touch $@

demo: $(STAMP) ## Simulate a plant, drop the log of one actuator, find it again: ./tslam-demo/report.html
	$(BIN)/tslam demo

test: $(STAMP) ## Run the tests with coverage (ARGS="-k name" narrows the choice)
	rm -f .coverage .coverage.*
	$(PYTEST) -n $(WORKERS) --dist loadfile --cov --cov-report=term:skip-covered $(if $(ARGS),$(ARGS),--cov-fail-under=90)

lint: $(STAMP) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## Check the types
	$(BIN)/mypy

format: $(STAMP) ## Put the code into the house format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs: $(STAMP) ## Build the documentation into ./site; a broken link fails
	$(BIN)/zensical build --clean --strict

docs-serve: $(STAMP) ## Show the documentation while it is written
	$(BIN)/zensical serve

picture: demo ## Draw docs/assets/report.png from the demo's report (needs Chromium)
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,1760 \
		--screenshot=docs/assets/report.png "file://$(CURDIR)/tslam-demo/report.html"

notebooks: $(STAMP) ## Run the notebooks and keep what they show
	at="$$(mktemp -d)" && trap 'rm -rf "$$at"' EXIT && cp examples/*.ipynb "$$at" && \
		$(BIN)/jupyter-execute --inplace "$$at"/*.ipynb && cp "$$at"/*.ipynb examples

reproduce: $(STAMP) ## Try what is published of latent action models: docs/reproduce.md, docs/presets.md (minutes)
	$(BIN)/python tests/reproduce

matrix: $(STAMP) ## Every method on every plant, outside tools too: docs/matrix.md (most of an hour, resumable)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group reproduce
	$(BIN)/python tests/reproduce/matrix.py

study: $(STAMP) ## How often the audit is wrong: docs/calibration.md (an hour, resumable)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group study
	OMP_NUM_THREADS=1 $(BIN)/python tests/study

bench: $(STAMP) ## Measure: import time, speed, peers (minutes; prints tables)
	for script in tests/benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

schemas: $(STAMP) ## Write the JSON Schemas of contract and report into contracts/schema
	$(BIN)/python -m tslam.contract.schema
	$(BIN)/python -m tslam.report.schema

check-gpu: $(STAMP) ## Run the tests that need a CUDA device (all skipped where there is none)
	$(PYTEST) -m gpu

# The linter of data contracts wants other versions than we do, so it has an environment of its own.
$(LINTER):
	"$(PYTHON)" -m venv $(STANDARDS)/cli
	$(STANDARDS)/cli/bin/python -m pip install --quiet datacontract-cli==1.2.8

standards: $(STAMP) $(LINTER) ## Hold contracts and events against the published standards (fetched with git)
	$(call checkout,bitol-io/open-data-contract-standard,v3.1.0,odcs)
	$(call checkout,cdevents/spec,v0.5.0,cdevents)
	TSLAM_DATACONTRACT=$(LINTER) TSLAM_ODCS=$(STANDARDS)/odcs TSLAM_CDEVENTS=$(STANDARDS)/cdevents \
		$(PYTEST) -m standards tests/contract

clean: ## Remove what was built, the environment included
	rm -rf $(VENV) $(STANDARDS) site htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache tslam-demo pipeline-demo
