# `make serve` and `make test` need python3 (3.11 or newer) with venv and pip; everything else they install into .venv.
# Settings pass through: make serve MUSIC_ROOT=/srv/music PORT=8000
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint requirements.lock

.PHONY: serve test coverage fast lint types docs screenshots bench stress browser clean
.DELETE_ON_ERROR:

serve: .venv/.serve            ## the host app on http://127.0.0.1:5000, with a demo library unless MUSIC_ROOT is given
	$(BIN)/mixtape serve

# Three tests at a time on two cores: half of their time they wait for servers, encoders and pages.
JOBS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))

test: .venv/.dev               ## everything but stress
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile

coverage: .venv/.dev           ## the same, and which lines nothing ran
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile --cov

fast: .venv/.dev               ## what takes no browser and no long seconds, up to the first failure
	$(BIN)/pytest -x -m "not slow and not browser and not stress"

lint: .venv/.dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: .venv/.dev
	$(BIN)/mypy

docs: .venv/.dev               ## rewrites the generated parts of docs/
	$(BIN)/python -m docs.generate

screenshots: .venv/.dev        ## takes the README's pictures anew, in Chromium
	$(BIN)/python -m docs.screenshots

bench: .venv/.dev              ## the quick benchmarks, or those of NAMES
	$(BIN)/python -m benchmarks $(NAMES)

stress: .venv/.dev
	$(BIN)/pytest -m stress --timeout 1800

browser: .venv/.dev
	$(BIN)/pytest -m browser

clean:
	rm -rf .venv build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/.serve: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	touch $@

.venv/.dev: .venv/.serve
	$(PIP) --editable '.[dev]'
	touch $@
