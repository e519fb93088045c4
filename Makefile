# Everything that is done with this repository is a target here: people, CI.yml and pre-commit call the same.
# Written for GNU make 3.81 (macOS has it) and up; one plain command per line, logic is in scripts/ and roadworthy/.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
# maturin refuses to choose between a conda environment and .venv; and one that happens to be active is not meant.
unexport CONDA_PREFIX VIRTUAL_ENV
# The engine beside this file, also where .venv is that of another checkout.
export PYTHONPATH := $(CURDIR)/roadworthy/src

override EXE := $(if $(filter Windows_NT,$(OS)),.exe)
override BIN := .venv/$(if $(EXE),Scripts,bin)
override PY := $(BIN)/python
override GOALS := $(or $(MAKECMDGOALS),help)

# What stands on make's command line reaches a script through the environment, as it was typed: `$(…)` in it is text.
override GIVEN := $(foreach each,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(each)))),$(each)))
$(foreach each,$(GIVEN),$(eval override $(each) := $$(value $(each))))
export GIVEN $(GIVEN)
override given = $(filter $(1),$(GIVEN))
# PYTHON chooses the interpreter of .venv, except where it only says which ones to verify with.
override VENV_PYTHON := $(if $(filter setup develop test test-tooling,$(GOALS)),$(call given,PYTHON))

# The workflows that lint judges closely: what a release rests on. local.mk may add one: override WORKFLOWS += …
override WORKFLOWS := .github/workflows/CI.yml
# The folder of another package of the repository, if that is meant; and what towncrier is told of it.
override FOLDER := $(if $(call given,PACKAGE),$(PACKAGE)/)
override DIR := $(FOLDER:%/=--dir="$$PACKAGE")
# template.mk is the template's alone, local.mk an owner's. Which variables a target takes, its line `.PHONY` says.
override FILES := Makefile requirements/tools.mk $(wildcard template.mk local.mk)
include $(wordlist 2,9,$(FILES))

# A mistyped variable would silently be a default, so it is an error; and each script is handed only what is its own.
ifneq ($(GIVEN),)
override TAKES := $(shell awk '/^\.PHONY: / { name = $$2; print name "="; while (match($$0, /[[ ][A-Z_]+=/)) \
  { print name "=" substr($$0, RSTART + 1, RLENGTH - 2); $$0 = substr($$0, RSTART + RLENGTH) } }' $(FILES))
override takes = $(patsubst $(1)=%,%,$(filter-out $(1)=,$(filter $(1)=%,$(TAKES))))
override TAKEN := $(strip $(foreach goal,$(GOALS),$(call takes,$(goal))))
override LISTED := $(subst $(subst x,,x x),$(subst x,,x,x) ,$(TAKEN))
override UNKNOWN := $(filter-out $(TAKEN),$(GIVEN))
$(if $(UNKNOWN),$(error make $(GOALS) takes no $(UNKNOWN); it takes $(or $(LISTED),nothing: see make help)))
$(foreach each,$(patsubst %=,%,$(filter %=,$(TAKES))),\
  $(eval $(each): override GIVEN := $(call given,$(call takes,$(each)))))
endif

.PHONY: help  ## Print this list.
help:
	@awk -F '  ## ' '/^\.PHONY: .*  ## / { sub(/^\.PHONY: /, "", $$1); printf "%-14s %s\n", $$1, $$2 }' $(FILES)

# ---- every day ----
.PHONY: setup  ## Make .venv, with the tools that every command needs. [PYTHON=3.12]
setup: .venv/tools.stamp
.PHONY: develop  ## Build the extension module into the checkout (debug build). [PYTHON=3.12]
develop: .venv/develop.stamp
.PHONY: test  ## Test the package: the Rust core, the Python API, every example in the documentation. [PYTHON= PACKAGE=]
test: $(if $(FOLDER),.venv/$(PACKAGE).package.stamp,.venv/develop.stamp)
	$(if $(FOLDER),,$(if $(PYO3),PYO3_CONFIG_FILE="$(CURDIR)/$(PYO3)") $(CARGO_TEST))
	$(PY) -m pytest $(if $(FOLDER),--config-file="$$PACKAGE/pyproject.toml" "$$PACKAGE/tests")
.PHONY: lint  ## Check formatting, style, types, the type stub, what GitHub reads.
lint: .venv/develop.stamp .venv/tools.stamp .venv/lint.stamp $(BUILT)
	cargo fmt --all --check
	cargo clippy --workspace --locked --quiet --all-targets --all-features -- --deny warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(if $(STUBS),$(PY) -m mypy.stubtest $(STUBS))
	$(PY) -m roadworthy facts
	$(if $(BUILT),$(ACTIONLINT) -shellcheck=$(BIN)/shellcheck $(WORKFLOWS))
	$(if $(EXE),$(info skipped: zizmor is not made for Windows),$(BIN)/zizmor --offline --pedantic --quiet $(WORKFLOWS))
	$(BIN)/check-jsonschema --builtin-schema=vendor.github-workflows .github/workflows/*.yml
	$(foreach each,$(wildcard .github/dependabot.yml),$(BIN)/check-jsonschema --builtin-schema=vendor.dependabot $(each))
.PHONY: format  ## Format all code, and fix what can be fixed.
format: .venv/lint.stamp | toolchain
	cargo fmt --all
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: new  ## Copy the template. [NAME=turbo-frob DEST= AUTHOR= EMAIL= OWNER= DESCRIPTION= LICENSE=]
.PHONY: template-update  ## Bring a copy what its template learned. [TO=v0.2.0 CHECK=1 DRY_RUN=1 FROM= ENGINE=theirs]
new rehearse template-update:
	@$(HOST_PYTHON) scripts/template.py $(subst template-,,$@)

# ---- artefacts and releases ----
.PHONY: sdist  ## Build the sdist alone, into an empty dist/. [PACKAGE=]
sdist: .venv/tools.stamp | toolchain
	$(PY) scripts/build.py --sdist-only
.PHONY: check-dist  ## Check what is in dist/, or build it: would PyPI take it, and should it be sent? [ALL=1 PACKAGE=]
check-dist: .venv/tools.stamp $(if $(call given,ALL)$(wildcard $(FOLDER)dist),,build)
	$(PY) -m roadworthy check $(if $(call given,ALL),,--host)
.PHONY: verify  ## Prove dist/ in clean environments. [PYTHON= VERSION= INDEX= SUMS= KEEP=1 FROM= WHEELS= PACKAGE=]
verify: .venv/tools.stamp $(if $(call given,FROM VERSION),,.venv/build.stamp) | toolchain
	$(PY) scripts/verify_install.py
.PHONY: changelog  ## Preview the next section of CHANGELOG.md. [VERSION=0.2.0 PACKAGE=]
changelog: .venv/tools.stamp $(FOLDER:%=%pyproject.toml)
	$(BIN)/towncrier build --draft $(DIR) --version $(if $(call given,VERSION),"$$VERSION",Unreleased)
.PHONY: rehearse  ## Rehearse the release on this machine, to its installation. [VERSION=0.2.2 KEEP=1 PACKAGE=]
rehearse: .venv/tools.stamp .venv/build.stamp | toolchain
.PHONY: build  ## Build the sdist, and from it this machine's wheels, into a new dist/. [TARGET=triple FROM= PACKAGE=]
.PHONY: release  ## Release, all or nothing. [VERSION=0.2.2 DRY_RUN=1 YES=1 REMOTE=origin BRANCH=0.1.x VIA=pr PACKAGE=]
build release: .venv/tools.stamp .venv/build.stamp | toolchain
	@$(PY) scripts/$@.py

# ---- what CI.yml needs, and can be tried here ----
.PHONY: toolchain  ## Say which Rust builds here, and fetch the locked crates.
toolchain: .venv/setup.stamp
	@$(PY) -m roadworthy $@
.PHONY: check-index  ## Check that an index serves what was built, no more. [VERSION=0.2.2 INDEX=pypi SUMS= PACKAGE=]
.PHONY: check-names  ## Check that an index has no other file of a version. [VERSION=0.2.2 INDEX=pypi SUMS= PACKAGE=]
.PHONY: check-news  ## Check that a change which users can notice brings a news fragment. [BASE=origin/main PACKAGE=]
.PHONY: collect  ## Put together in dist/ what several machines have built. [FROM=folder-of-folders PACKAGE=]
.PHONY: doctor  ## Say what PyPI and GitHub have to be told once, and what is missing on this machine. [PACKAGE=]
.PHONY: github-release  ## Release on GitHub what is published: all files, or nothing. [FROM=folder PACKAGE=]
.PHONY: identify  ## Say what a run of CI is about: the version, and whether anything but documents changes. [PACKAGE=]
.PHONY: stamp  ## Write the version of a run of CI into the files, if it is another one. [VERSION=0.2.2-dev7 PACKAGE=]
check-index check-names check-news collect doctor github-release identify stamp: .venv/tools.stamp
	@$(PY) -m roadworthy $@

.PHONY: clean  ## Remove what git ignores: builds, caches, .venv.
clean:
	git clean -fdX
