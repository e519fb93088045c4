# How .venv is made: of what is locked beside this file, each group on top of it for the targets that need it.
override HOST_PYTHON := $(if $(EXE),python,python3)
override INSTALL := $(BIN)/uv pip install --quiet --python $(PY)

.venv/setup.stamp: requirements/setup.txt requirements/test.txt scripts/bootstrap.py roadworthy/pyproject.toml \
  $(if $(VENV_PYTHON),FORCE)
	@$(HOST_PYTHON) scripts/bootstrap.py $(if $(VENV_PYTHON),--python "$$PYTHON")

.venv/%.stamp: requirements/%.txt .venv/setup.stamp
	@$(HOST_PYTHON) scripts/bootstrap.py $*

FORCE:

# The modules that have a stub. What is written in Python is its own: what a library makes of it is no mistake.
# Of a package that is a stub itself, stubtest takes what is below by itself, and refuses to be told it, too.
override TYPED = $(patsubst python/%.pyi,%,$(wildcard python/*.pyi python/*/*.pyi python/*/*/*.pyi python/*/*/*/*.pyi))
override PACKAGES = $(patsubst %/__init__,%,$(filter %/__init__,$(TYPED)))
override STUBS = $(subst /,.,$(filter-out $(addsuffix /%,$(PACKAGES)),$(TYPED) $(PACKAGES)))

# Whatever the crate may be made of: modules in folders, other crates, a build script, C.
override SOURCES := $(wildcard $(shell git ls-files --cached --others --exclude-standard -- src \
  '*.rs' '*.[ch]' '*/Cargo.toml'))
.venv/develop.stamp: .venv/setup.stamp Cargo.toml Cargo.lock pyproject.toml $(SOURCES) | toolchain
	$(INSTALL) --no-deps --no-build-isolation --offline --config-settings \
	  build-args="--locked --profile dev --target-dir target/develop" --editable .
	$(INSTALL) --constraint requirements/setup.txt --constraint requirements/tools.txt --requirement pyproject.toml
	@touch $@

# What maturin has told PyO3: told the same, cargo takes what is compiled already.
override PYO3 = $(firstword $(wildcard target/develop/maturin/pyo3-config-*.txt))
override CARGO_TEST := cargo test --workspace --locked --quiet --target-dir target/develop

# A package of Python alone, in a folder of its own.
%/pyproject.toml:
	$(error there is no $@)
.venv/%.package.stamp: %/pyproject.toml .venv/tools.stamp
	$(INSTALL) --constraint requirements/setup.txt --constraint requirements/tools.txt --editable ./$*
	@touch $@

# One lock after the other: what is installed beside another group has the same versions.
override LOCK = UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --quiet --universal --python-version=3.10 \
  --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command="make lock" --group=$(1) \
  --output-file=requirements/$(1).txt $(patsubst %,--constraint=requirements/%.txt,$(2))

.PHONY: lock  ## Lock the tools anew in requirements/*.txt; pins that still fit stay as they are.
lock: .venv/tools.stamp
	$(call LOCK,test)
	$(call LOCK,setup,test)
	$(call LOCK,tools,test setup)
	$(call LOCK,build)
	$(call LOCK,lint,test setup tools)
	$(call LOCK,workshop,test setup tools lint) # only the template
	$(call LOCK,node) # only the template

# actionlint is written in Go, and built once. Where it is neither there nor can be built, `make lint` says so.
override ACTIONLINT_VERSION := v1.7.12
override ACTIONLINT := target/tools/$(ACTIONLINT_VERSION)/actionlint$(EXE)
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

$(ACTIONLINT):
	GOBIN="$(CURDIR)/$(@D)" GOFLAGS=-mod=mod go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
