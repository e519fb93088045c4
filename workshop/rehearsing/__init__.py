"""A whole release on one machine: the scratch, the run of CI.yml, and what can go wrong on purpose."""
