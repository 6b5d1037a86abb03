# `make serve` and `make test` need python3 (3.11 or newer) with venv and pip; everything else they install into .venv.
# Settings pass through: make serve MUSIC_ROOT=/srv/music PORT=8000
PYTHON ?= python3
BIN := .venv/bin
# Only wheels whose hashes are in a lock file, so pip builds nothing but this checkout. A lock file is complete, and the pip
# of Debian 12 would reject it where one package asks for an extra of another: hence --no-deps.
LOCKED := -m pip --disable-pip-version-check --quiet install --no-deps --only-binary :all: --require-hashes --requirement
CHECKOUT := -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .

.PHONY: serve test chaos fuzz clients conformance lowest lock coverage fast lint types docs words screenshots bench stress browser looks clean
.DELETE_ON_ERROR:

serve: .venv/.serve            ## the host app on http://127.0.0.1:5000, with a demo library unless MUSIC_ROOT is given
	$(BIN)/mixtape serve

# Four tests at a time on two cores: half of their time they wait for servers, encoders and pages.
JOBS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 2 )))

# They start many programs, each of which would compile every module anew where Python may not keep what it compiled.
test lowest coverage fast stress chaos clients fuzz browser: export PYTHONDONTWRITEBYTECODE =

# In the order of conftest.py: the longest files first.
SPREAD := --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
# Before pytest; CI has what failed run again by itself.
PATIENTLY ?=

test: .venv/.dev               ## everything but stress
	$(PATIENTLY) $(BIN)/pytest $(SPREAD)

# But live plays and the store, which use hardly a package but ours, and take the longest; the objects of the store are with
# obstore. And but players that others wrote, which have their own.
LEFT_OUT = tests/audio_cache/live tests/clients $(filter-out %/test_store_contract.py,$(wildcard tests/audio_cache/store/test_*.py))

# What failed is remembered apart from the other tests, which may run at the same time.
lowest: .venv-lowest/.test     ## the quick ones, with the lowest versions that pyproject.toml allows
	HYPOTHESIS_PROFILE=few $(PATIENTLY) .venv-lowest/bin/pytest $(SPREAD) -o cache_dir=.venv-lowest/.pytest_cache \
		-m "not slow and not browser and not stress and not chaos" $(addprefix --ignore ,$(LEFT_OUT))

# One file for what runs, one with the tools besides, one with the lowest versions. Versions stay unless they have to
# change: make lock UPGRADE="--upgrade-package flask", or --upgrade for all.
COMPILE = .venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-annotate --custom-compile-command "make lock" --group build $(UPGRADE) pyproject.toml

lock: .venv/uv                 ## writes the lock files anew after a change of pyproject.toml
	$(COMPILE) --extra dev --output-file requirements-dev.lock
	$(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock
	$(COMPILE) --constraint requirements-dev.lock --extra celery --extra redis --extra s3 --extra postgres --output-file requirements-site.lock
	$(COMPILE) --extra test --upgrade --resolution lowest-direct --output-file requirements-lowest.lock

coverage: .venv/.dev           ## the same as test, and which lines nothing ran
	$(BIN)/pytest $(SPREAD) --cov

fast: .venv/.dev               ## what takes no browser and no long seconds, up to the first failure
	$(BIN)/pytest -x -m "not slow and not browser and not stress and not chaos"

lint: .venv/.dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: .venv/.dev
	$(BIN)/mypy

docs: .venv/.dev               ## rewrites the generated parts of docs/
	$(BIN)/python -m docs.generate

words: .venv/.dev              ## finds all that pages and scripts say, for the translations, and compiles those
	$(BIN)/pybabel -q extract --project mixtape --mapping pyproject.toml --keyword translate --keyword lazy_gettext --keyword Message --keyword plural:1,2 --no-wrap --sort-output \
		--add-location file --output-file .venv/messages.pot src/mixtape
	$(BIN)/pybabel -q update --input-file .venv/messages.pot --output-dir src/mixtape/translations --no-wrap \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile --directory src/mixtape/translations
	$(BIN)/python -m docs.script_words

screenshots: .venv/.dev        ## takes the README's pictures anew, in Chromium
	$(BIN)/python -m docs.screenshots

bench: .venv/.dev              ## the quick benchmarks, or those of NAMES
	$(BIN)/python -m benchmarks $(NAMES)

# Seconds for each of four, two of which run at a time.
FUZZ_S ?= 50

fuzz: .venv/.dev               ## two minutes of inputs that nobody would think of, for whatever reads files and requests
	$(BIN)/python -m fuzz --seconds $(FUZZ_S)

chaos: .venv/.dev              ## fails every system call of a store once, and kills it there; takes a quarter of an hour
	$(BIN)/pytest -s -m chaos --timeout 3600

clients: .venv/.dev .venv-clients/.made  ## players that others wrote: Mopidy, Strawberry, and what is made for others
	CLIENTS=.venv-clients $(PATIENTLY) $(BIN)/pytest -m clients tests/clients

# Apart from the rest: one has no wheel, and the other is of Debian's Mopidy.
.venv-clients/.made: Makefile
	$(PYTHON) -m venv --clear .venv-clients/tools
	.venv-clients/tools/bin/pip --quiet install --no-deps --target .venv-clients py-sonic==1.2.0 mopidy-subidy==1.1.0
	touch $@

# In an environment of its own: it comes with a package of the name of our tests.
# varnishtest is in Debian's package varnish, which a laptop need not have.
conformance: .venv/.dev .venv-conformance/bin/httplint  ## what others check of our answers
	HTTPLINT=.venv-conformance/bin/httplint VARNISHTEST=$$(command -v varnishtest) \
		SCHEMA_EXAMPLES=300 \
		$(BIN)/pytest --timeout 1800 tests/mixtape/web/test_conformance.py tests/mixtape/web/subsonic/test_schema.py tests/audio_cache/live/test_varnishtest.py

.venv-conformance/bin/httplint:
	$(PYTHON) -m venv .venv-conformance
	.venv-conformance/bin/pip --quiet install httplint==2026.10.4

stress: .venv/.dev
	$(BIN)/pytest -m stress --timeout 1800

# As in: make browser BROWSER=firefox SIZE=360x740 COLORS=dark
BROWSER ?= chromium
SIZE ?= 1280x720
COLORS ?= light
browser: .venv/.dev            ## the pages, in BROWSER at a SIZE and in COLORS
	TESTED_BROWSER=$(BROWSER) TESTED_SIZE=$(SIZE) TESTED_COLORS=$(COLORS) $(PATIENTLY) $(BIN)/pytest $(SPREAD) -m browser tests/browser

looks:                         ## the pages in two browsers, at two sizes and in two colours; takes an hour and a half
	set -e; for browser in chromium firefox; do for size in 360x740 1440x900; do for colors in light dark; do \
		$(MAKE) browser BROWSER=$$browser SIZE=$$size COLORS=$$colors; done; done; done

clean:
	rm -rf .venv .venv-clients .venv-lowest build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/.serve: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python $(LOCKED) requirements.lock
	$(BIN)/python $(CHECKOUT)
	touch $@

.venv/.dev: .venv/.serve requirements-dev.lock
	$(BIN)/python $(LOCKED) requirements-dev.lock
	touch $@

.venv-lowest/.test: pyproject.toml requirements-lowest.lock
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/python $(LOCKED) requirements-lowest.lock
	.venv-lowest/bin/python $(CHECKOUT)
	touch $@

.venv/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --target $@ uv==0.13.9
