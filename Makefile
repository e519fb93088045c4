# Everything that is done with this repository is a target here: people, CI.yml and pre-commit call the same.
# Written for GNU make 3.81 (macOS has it) and up; one plain command per line, logic is in scripts/.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

# maturin refuses to choose between a conda environment and .venv.
unexport CONDA_PREFIX
# An environment that happens to be active is not the one that these targets use.
unexport VIRTUAL_ENV
unexport PYTHONPATH

ifeq ($(OS),Windows_NT)
override HOST_PYTHON := python
override BIN := .venv/Scripts
else
override HOST_PYTHON := python3
override BIN := .venv/bin
endif
override PY := $(BIN)/python

# ---- what may be given on the command line ----------------------------------------------------------------------

override VARS_setup := PYTHON
override VARS_develop := PYTHON
override VARS_test := PYTHON
override VARS_test-tooling := PYTHON ARGS
override VARS_build := TARGET
override VARS_verify := PYTHON VERSION INDEX SUMS KEEP
override VARS_changelog := VERSION
override VARS_check-news := BASE
override VARS_release := VERSION DRY_RUN YES REMOTE BRANCH VIA

# A mistyped variable would silently be a default, so any other one is an error. Only the command line counts:
# $(given) is empty for a variable that merely stands in the environment. Recipes read the values themselves from the
# environment ("$$VERSION"), so that make never splices them into a command.
override given = $(if $(filter command,$(firstword $(origin $(1)))),$(2))
override GOALS := $(or $(MAKECMDGOALS),help)
override TAKEN := $(sort $(foreach goal,$(GOALS),$(VARS_$(goal))))
override GIVEN := $(foreach variable,$(.VARIABLES),$(call given,$(variable),$(variable)))
override UNKNOWN := $(filter-out $(TAKEN),$(GIVEN))
ifneq ($(UNKNOWN),)
$(error make $(GOALS) takes no variable $(UNKNOWN); $(if $(TAKEN),it takes $(TAKEN),it takes none))
endif

# PYTHON chooses the interpreter of .venv, except where it only says which ones to verify with.
override VENV_PYTHON := $(if $(filter setup develop test test-tooling,$(GOALS)),$(call given,PYTHON,--python "$$PYTHON"))

# ---- set-up -------------------------------------------------------------------------------------------------------

.PHONY: help  ## Print this list.
help:
	@awk -F '  ## ' '/^\.PHONY: .*  ## / { sub(/^\.PHONY: /, "", $$1); printf "%-14s %s\n", $$1, $$2 }' Makefile

.PHONY: setup  ## Make .venv with all tools, as locked in requirements/dev.txt. [PYTHON=3.12]
setup: .venv/setup.stamp

.venv/setup.stamp: requirements/dev.txt scripts/bootstrap.py $(if $(VENV_PYTHON),FORCE)
	@$(HOST_PYTHON) scripts/bootstrap.py $(VENV_PYTHON)

.PHONY: develop  ## Build the extension module into the checkout (debug build). [PYTHON=3.12]
develop: .venv/develop.stamp

.venv/develop.stamp: .venv/setup.stamp Cargo.toml Cargo.lock pyproject.toml $(wildcard src/*.rs)
	@$(PY) scripts/toolchain.py
	$(BIN)/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --offline --config-settings build-args="--locked --profile dev --target-dir target/develop" --editable .
	@touch $@

.PHONY: FORCE
FORCE:

.PHONY: lock  ## Lock the tools anew in requirements/*.txt; pins that still fit stay as they are.
lock: .venv/setup.stamp
	$(PY) scripts/lock.py

# ---- every day ----------------------------------------------------------------------------------------------------

.PHONY: test  ## Test the package: the Rust core, the Python API, every example in the documentation. [PYTHON=3.12]
test: .venv/develop.stamp
	cargo test --locked --quiet
	$(PY) -m pytest $(sort $(wildcard tests/test_*.py)) tests/tooling/test_facts.py

.PHONY: test-tooling  ## Test everything else: Makefile, scripts, what a wheel is and does. The long part. [PYTHON= ARGS=]
test-tooling: .venv/develop.stamp
	$(PY) -m pytest --numprocesses=auto --dist=loadfile tests/tooling $(call given,ARGS,$$ARGS)

.PHONY: lint  ## Check formatting, style, types and the type stub.
lint: .venv/develop.stamp
	cargo fmt --check
	cargo clippy --locked --quiet --all-targets --all-features -- --deny warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PY) -m mypy.stubtest ferrous_wheel

.PHONY: format  ## Format all code, and fix what can be fixed.
format: .venv/setup.stamp
	cargo fmt
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: bench  ## Measure what docs/performance.md says, as ratios in one run.
bench: .venv/develop.stamp
	$(PY) benchmarks/run.py

# ---- artefacts ----------------------------------------------------------------------------------------------------

.PHONY: build  ## Build the sdist, and from it this machine's wheels, into an empty dist/. [TARGET=rust-triple]
build: .venv/setup.stamp
	@$(PY) scripts/toolchain.py
	$(PY) scripts/build.py $(call given,TARGET,--target "$$TARGET")

.PHONY: check-dist  ## Check the artefacts in dist/: would PyPI take them, and should they be sent?
check-dist: .venv/setup.stamp
	$(PY) scripts/check_dist.py --host

.PHONY: check-foreign  ## Check that the gate refuses no good artefact of others: downloads 40.
check-foreign: .venv/setup.stamp
	$(PY) scripts/check_foreign.py

.PHONY: check-table  ## Write docs/checks.md: the gate's rules, and which tool catches what.
check-table: .venv/develop.stamp
	$(PY) tests/tooling/compare_tools.py

.PHONY: verify  ## Prove that what is in dist/ works in clean environments. [PYTHON= VERSION= INDEX= SUMS= KEEP=1]
verify: .venv/setup.stamp
	$(PY) scripts/verify_install.py $(call given,VERSION,--version "$$VERSION") $(call given,INDEX,--index "$$INDEX") $(call given,SUMS,--sums "$$SUMS") $(call given,PYTHON,--python "$$PYTHON") $(call given,KEEP,--keep "$$KEEP")

# ---- releases -----------------------------------------------------------------------------------------------------

.PHONY: changelog  ## Preview the next section of CHANGELOG.md. [VERSION=0.2.0]
changelog: .venv/setup.stamp
	$(BIN)/towncrier build --draft --version $(if $(call given,VERSION,x),"$$VERSION",Unreleased)

.PHONY: check-news  ## Check that a change which users can notice brings a news fragment. [BASE=origin/main]
check-news: .venv/setup.stamp
	$(PY) scripts/check_news.py $(call given,BASE,--base="$$BASE")

.PHONY: release  ## Release a version: all of it, or nothing. [VERSION=0.2.2 DRY_RUN=1 YES=1 REMOTE=origin BRANCH=0.1.x VIA=pr]
release: .venv/setup.stamp
	@$(PY) scripts/release.py $(call given,DRY_RUN,--dry-run="$$DRY_RUN") $(call given,YES,--yes="$$YES") $(call given,REMOTE,--remote="$$REMOTE") $(call given,BRANCH,--branch="$$BRANCH") $(call given,VIA,--via="$$VIA") -- $(call given,VERSION,"$$VERSION")

.PHONY: clean  ## Remove what git ignores: builds, caches, .venv.
clean:
	git clean -fdX
