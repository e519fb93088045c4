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
# The engine beside this file, also where .venv is that of another checkout.
export PYTHONPATH := $(CURDIR)/roadworthy/src

ifeq ($(OS),Windows_NT)
override HOST_PYTHON := python
override BIN := .venv/Scripts
override EXE := .exe
else
override HOST_PYTHON := python3
override BIN := .venv/bin
override EXE :=
endif
override PY := $(BIN)/python

# ---- what may be given on the command line ----------------------------------------------------------------------

override VARS_setup := PYTHON
override VARS_develop := PYTHON
override VARS_test := PYTHON
override VARS_test-tooling := PYTHON ARGS
override VARS_new := NAME DEST AUTHOR EMAIL OWNER DESCRIPTION LICENSE PACKAGE
override VARS_template-update := TO CHECK DRY_RUN
override VARS_build := TARGET FROM
override VARS_collect := FROM
override VARS_check-dist := ALL
override VARS_verify := PYTHON VERSION INDEX SUMS KEEP FROM WHEELS
override VARS_check-index := VERSION INDEX SUMS
override VARS_check-names := VERSION INDEX SUMS
override VARS_stamp := VERSION
override VARS_github-release := FROM
override VARS_changelog := VERSION
override VARS_check-news := BASE
override VARS_rehearse := VERSION FAULT KEEP
override VARS_release := VERSION DRY_RUN YES REMOTE BRANCH VIA

# What only the template has, and what only a copy has: targets, and with `override VARS_target := NAME` what they take.
override MORE := $(wildcard template.mk local.mk)
include $(MORE)

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
	@awk -F '  ## ' '/^\.PHONY: .*  ## / { sub(/^\.PHONY: /, "", $$1); printf "%-14s %s\n", $$1, $$2 }' Makefile $(MORE)

.PHONY: setup  ## Make .venv, with the tools that every command needs. [PYTHON=3.12]
setup: .venv/tools.stamp

.venv/setup.stamp: requirements/setup.txt requirements/test.txt scripts/bootstrap.py roadworthy/pyproject.toml $(if $(VENV_PYTHON),FORCE)
	@$(HOST_PYTHON) scripts/bootstrap.py $(VENV_PYTHON)

# What is locked in requirements/, each group on top of .venv for the targets that need it.
.venv/%.stamp: requirements/%.txt .venv/setup.stamp
	@$(HOST_PYTHON) scripts/bootstrap.py $*

.PHONY: toolchain  ## Say which Rust builds here, and fetch the locked crates.
toolchain: .venv/setup.stamp
	@$(PY) -m roadworthy toolchain

.PHONY: develop  ## Build the extension module into the checkout (debug build). [PYTHON=3.12]
develop: .venv/develop.stamp

.venv/develop.stamp: .venv/setup.stamp Cargo.toml Cargo.lock pyproject.toml $(wildcard src/*.rs) | toolchain
	$(BIN)/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --offline --config-settings build-args="--locked --profile dev --target-dir target/develop" --editable .
	$(BIN)/uv pip install --quiet --python $(PY) --constraint requirements/setup.txt --constraint requirements/tools.txt --requirement pyproject.toml
	@touch $@

.PHONY: FORCE
FORCE:

# One lock after the other: what is installed beside another group has the same versions.
override LOCK = $(BIN)/uv pip compile --quiet --universal --python-version=3.10 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command="make lock" --group=$(1) --output-file=requirements/$(1).txt $(patsubst %,--constraint=requirements/%.txt,$(2))

.PHONY: lock  ## Lock the tools anew in requirements/*.txt; pins that still fit stay as they are.
lock: export UV_PYTHON_DOWNLOADS := never
lock: .venv/tools.stamp
	$(call LOCK,test)
	$(call LOCK,setup,test)
	$(call LOCK,tools,test setup)
	$(call LOCK,build)
	$(call LOCK,lint,test setup tools)
	$(call LOCK,workshop,test setup tools lint)
	$(call LOCK,node)
	@$(PY) -m roadworthy check-lock

.PHONY: check-lock  ## Check that each job of CI.yml finds a wheel for every tool that it installs.
check-lock: .venv/tools.stamp
	@$(PY) -m roadworthy check-lock

# ---- every day ----------------------------------------------------------------------------------------------------

# What maturin has told PyO3: told the same, cargo takes what is compiled already.
override PYO3 = $(firstword $(wildcard target/develop/maturin/pyo3-config-*.txt))

.PHONY: test  ## Test the package: the Rust core, the Python API, every example in the documentation. [PYTHON=3.12]
test: .venv/develop.stamp
	$(if $(PYO3),PYO3_CONFIG_FILE="$(CURDIR)/$(PYO3)") cargo test --locked --quiet --target-dir target/develop
	$(PY) -m pytest $(sort $(wildcard tests/test_*.py))

.PHONY: test-tooling  ## Test everything else: Makefile, scripts, what a wheel is and does. The long part. [PYTHON= ARGS=]
test-tooling: .venv/develop.stamp .venv/tools.stamp .venv/build.stamp .venv/lint.stamp .venv/workshop.stamp
	$(PY) -m pytest --import-mode=prepend --numprocesses=auto --dist=loadfile roadworthy/tests workshop/tests $(call given,ARGS,$$ARGS)

# actionlint is written in Go, and built once. Where it is neither there nor can be built, `make lint` says so.
override ACTIONLINT_VERSION := v1.7.12
override ACTIONLINT := target/tools/$(ACTIONLINT_VERSION)/actionlint$(EXE)
override WORKFLOWS := $(sort $(wildcard .github/workflows/*.yml))

$(ACTIONLINT):
	GOBIN="$(CURDIR)/$(@D)" GOFLAGS=-mod=mod go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)

override BUILT :=
ifneq ($(filter lint,$(GOALS)),)
ifneq ($(wildcard $(ACTIONLINT))$(shell command -v go 2>/dev/null),)
override BUILT := $(ACTIONLINT)
else ifdef CI
$(error actionlint is not to be had here; install Go, from which it is built)
else
$(info skipped: actionlint is not to be had here)
endif
endif

.PHONY: lint  ## Check formatting, style, types, the type stub, facts that stand twice, and the workflow.
lint: .venv/develop.stamp .venv/tools.stamp .venv/lint.stamp .venv/workshop.stamp $(BUILT)
	cargo fmt --check
	cargo clippy --locked --quiet --all-targets --all-features -- --deny warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PY) -m mypy.stubtest ferrous_wheel
	$(if $(wildcard workshop/tests),$(PY) -m pytest --import-mode=prepend --quiet workshop/tests/test_facts.py)
	$(if $(BUILT),$(ACTIONLINT) -shellcheck=$(BIN)/shellcheck $(WORKFLOWS))
	$(if $(EXE),$(info skipped: zizmor is not made for Windows),$(BIN)/zizmor --offline --pedantic --quiet .github)
	$(BIN)/check-jsonschema --builtin-schema=vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema=vendor.dependabot .github/dependabot.yml

.PHONY: format  ## Format all code, and fix what can be fixed.
format: .venv/lint.stamp | toolchain
	cargo fmt
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: bench  ## Measure what docs/performance.md says, as ratios in one run.
bench: .venv/develop.stamp .venv/tools.stamp .venv/build.stamp .venv/lint.stamp .venv/workshop.stamp
	$(PY) benchmarks/run.py

.PHONY: new  ## Copy this project under another name. [NAME=turbo-frob DEST=../turbo-frob AUTHOR= EMAIL= OWNER= DESCRIPTION= LICENSE= PACKAGE=minimal]
new: .venv/tools.stamp .venv/lint.stamp | toolchain
	@$(PY) scripts/template.py new $(call given,DEST,--dest="$$DEST") $(call given,AUTHOR,--author="$$AUTHOR") $(call given,EMAIL,--email="$$EMAIL") $(call given,OWNER,--owner="$$OWNER") $(call given,DESCRIPTION,--description="$$DESCRIPTION") $(call given,LICENSE,--license="$$LICENSE") $(call given,PACKAGE,--package="$$PACKAGE") -- $(call given,NAME,"$$NAME")

.PHONY: template-update  ## Bring this copy what its template has learned since. [TO=v0.2.0 CHECK=1 DRY_RUN=1]
template-update: .venv/tools.stamp .venv/lint.stamp | toolchain
	@$(PY) scripts/template.py update $(call given,TO,--to="$$TO") $(call given,CHECK,--check="$$CHECK") $(call given,DRY_RUN,--dry-run="$$DRY_RUN")

# ---- artefacts ----------------------------------------------------------------------------------------------------

.PHONY: sdist  ## Build the sdist alone, into an empty dist/.
sdist: .venv/tools.stamp | toolchain
	$(PY) scripts/build.py --sdist-only

.PHONY: build  ## Build the sdist, and from it this machine's wheels, into an empty dist/. [TARGET=rust-triple FROM=folder]
build: .venv/tools.stamp .venv/build.stamp | toolchain
	$(PY) scripts/build.py $(call given,TARGET,--target "$$TARGET") $(call given,FROM,--from "$$FROM")

.PHONY: collect  ## Put together in dist/ what several machines have built. [FROM=folder-of-folders]
collect: .venv/tools.stamp
	$(PY) -m roadworthy collect -- "$(call given,FROM,$$FROM)"

.PHONY: check-dist  ## Check the artefacts in dist/, built if there are none: would PyPI take them, and should they be sent? [ALL=1]
check-dist: .venv/tools.stamp $(if $(call given,ALL,x)$(wildcard dist),,build)
	$(PY) -m roadworthy check $(if $(call given,ALL,x),--all="$$ALL",--host)

.PHONY: check-foreign  ## Check that the gate refuses no good artefact of others: downloads 40.
check-foreign: .venv/tools.stamp
	$(PY) -m workshop.check_foreign

.PHONY: check-table  ## Write docs/checks.md: the gate's rules, and which tool catches what.
check-table: .venv/develop.stamp .venv/tools.stamp .venv/workshop.stamp
	$(PY) workshop/tests/compare_tools.py

.PHONY: verify  ## Prove that what is in dist/ works in clean environments. [PYTHON= VERSION= INDEX= SUMS= KEEP=1 FROM= WHEELS=]
verify: .venv/tools.stamp $(if $(call given,FROM,x)$(call given,VERSION,x),,.venv/build.stamp) | toolchain
	$(PY) scripts/verify_install.py $(call given,FROM,--from "$$FROM") $(call given,WHEELS,--wheels "$$WHEELS") $(call given,VERSION,--version "$$VERSION") $(call given,INDEX,--index "$$INDEX") $(call given,SUMS,--sums "$$SUMS") $(call given,PYTHON,--python "$$PYTHON") $(call given,KEEP,--keep "$$KEEP")

# ---- releases -----------------------------------------------------------------------------------------------------

.PHONY: changelog  ## Preview the next section of CHANGELOG.md. [VERSION=0.2.0]
changelog: .venv/tools.stamp
	$(BIN)/towncrier build --draft --version $(if $(call given,VERSION,x),"$$VERSION",Unreleased)

.PHONY: check-news  ## Check that a change which users can notice brings a news fragment. [BASE=origin/main]
check-news: .venv/tools.stamp
	$(PY) -m roadworthy check-news $(call given,BASE,--base="$$BASE")

.PHONY: rehearse  ## Rehearse the release on this machine, to its installation; or break it. [VERSION=0.2.2 FAULT=name KEEP=1]
rehearse: .venv/tools.stamp .venv/build.stamp .venv/workshop.stamp | toolchain
	$(PY) -m workshop.rehearse $(call given,VERSION,--version="$$VERSION") $(call given,FAULT,--fault="$$FAULT") $(call given,KEEP,--keep="$$KEEP")

.PHONY: release  ## Release a version: all of it, or nothing. [VERSION=0.2.2 DRY_RUN=1 YES=1 REMOTE=origin BRANCH=0.1.x VIA=pr]
release: .venv/tools.stamp .venv/build.stamp | toolchain
	@$(PY) scripts/release.py $(call given,DRY_RUN,--dry-run="$$DRY_RUN") $(call given,YES,--yes="$$YES") $(call given,REMOTE,--remote="$$REMOTE") $(call given,BRANCH,--branch="$$BRANCH") $(call given,VIA,--via="$$VIA") -- $(call given,VERSION,"$$VERSION")

.PHONY: doctor  ## Say what PyPI and GitHub have to be told once, and what is missing on this machine.
doctor: .venv/tools.stamp
	@$(PY) -m roadworthy doctor

# ---- what only CI.yml needs, and can be tried here ------------------------------------------------------------------

.PHONY: identify  ## Say what a run of CI is about: the version, and whether anything but documents changes.
identify: .venv/tools.stamp
	$(PY) -m roadworthy identify

.PHONY: stamp  ## Write the version of a run of CI into the files, if it is another one. [VERSION=0.2.2-dev7]
stamp: .venv/tools.stamp
	$(PY) -m roadworthy stamp -- "$(call given,VERSION,$$VERSION)"

.PHONY: check-index  ## Check that an index serves exactly what was built. [VERSION=0.2.2 INDEX=pypi SUMS=SHA256SUMS]
check-index: .venv/tools.stamp
	$(PY) -m roadworthy check-index $(call given,INDEX,--index "$$INDEX") $(call given,SUMS,--sums "$$SUMS") -- "$(call given,VERSION,$$VERSION)"

.PHONY: check-names  ## Check, before anything is sent, that the index has no other file of this version. [VERSION=0.2.2 INDEX=pypi SUMS=SHA256SUMS]
check-names: .venv/tools.stamp
	$(PY) -m roadworthy check-index --before $(call given,INDEX,--index "$$INDEX") $(call given,SUMS,--sums "$$SUMS") -- "$(call given,VERSION,$$VERSION)"

.PHONY: github-release  ## Release on GitHub what is published: all files, or nothing. [FROM=folder]
github-release: .venv/tools.stamp
	$(PY) -m roadworthy github-release $(call given,FROM,--from "$$FROM")

.PHONY: clean  ## Remove what git ignores: builds, caches, .venv.
clean:
	git clean -fdX
