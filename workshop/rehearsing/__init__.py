"""A whole release on one machine: the scratch copy, and the run of CI.yml."""
