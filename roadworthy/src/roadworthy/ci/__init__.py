"""The steps of CI, which can be tried on a laptop as well."""
