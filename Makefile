# Two commands: `make demo` sets up and trains; `make test` sets up and passes the tests.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
RUN ?= runs/demo

.PHONY: help demo demo-tools test packages lint types unit clean

help:  ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.demo  ## Set up, train a small reasoner by GRPO on this CPU, write runs/demo/report.html
	$(BIN)/assay train configs/arithmetic.yaml --run-dir $(RUN) --overwrite
	$(BIN)/assay report $(RUN)

demo-tools: $(VENV)/.demo  ## The same with a calculator: the agent learns to use a tool to the end
	$(BIN)/assay train configs/calculator.yaml --run-dir runs/demo-tools --overwrite
	$(BIN)/assay report runs/demo-tools

test: packages $(VENV)/.test lint types unit  ## Set up, then lint, type-check, check the import layers and run the tests

packages:  ## Install the Debian packages that are missing (as root; elsewhere name them)
	@missing=$$(sed 's/#.*//' packages.txt | xargs -n1 | while read -r name; do \
	  dpkg -s $$name >/dev/null 2>&1 || echo $$name; done | xargs); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "not installed, so their tests will skip: $$missing"; fi

lint: $(VENV)/.test  ## Style and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.test  ## Static types
	$(BIN)/mypy

unit: $(VENV)/.test  ## Tests only
	$(BIN)/python -m pytest -n 2 --dist loadfile

clean:  ## Remove the environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.demo
