# Every target sets up what it needs; `make env` is done once and again when pyproject.toml changes.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/made
PACKAGES := schemas lake ingest compute queries
BENCH ?=
PYTEST ?= -n 2 --dist worksteal

.PHONY: env demo test lint format docs bench engines clean

env: $(STAMP)

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "atomlake needs Python 3.11 or newer; none was found."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
# torch first: what asks for a plain torch afterwards is content with it and leaves CUDA alone.
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev,plots,ood,dask,wandb]'
	@touch $@

demo: env $(VENV)-mace/made
	$(BIN)/python -m examples.demo --mace-python $(VENV)-mace/bin/python

test: env engines
	$(BIN)/python -m pytest $(PYTEST)

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES) docs/generate.py
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: env
	$(BIN)/python docs/generate.py

bench: env
	$(BIN)/python -m benchmarks.run $(BENCH)

# MACE and NequIP pin different e3nn, so each has an environment of its own: with what a worker needs,
# and no more of what atomlake depends on. torch comes first there too, for the same reason.
engines: $(VENV)-mace/made $(VENV)-nequip/made

$(VENV)-mace/made $(VENV)-nequip/made: $(VENV)-%/made: pyproject.toml | $(STAMP)
	@test -n "$(PYTHON)" || { echo "atomlake needs Python 3.11 or newer; none was found."; exit 1; }
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@echo '*' > $(@D)/.gitignore
	$(@D)/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/atomlake env requirements $* > $(@D)/requirements.txt
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $(@D)/requirements.txt
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-mace $(VENV)-nequip build dist *.egg-info lakes out
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find $(wildcard $(PACKAGES) tests docs benchmarks examples) -name __pycache__ -type d -prune -exec rm -rf {} +
