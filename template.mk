# What only the template needs: no copy gets this file.

.PHONY: update-table  ## Write the comparison in docs/copying.md: updates by template-update, copier and cruft. Minutes.
update-table: .venv/tools.stamp
	$(PY) benchmarks/updating.py --write
