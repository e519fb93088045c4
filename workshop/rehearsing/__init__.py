"""A whole release on one machine: the place, the run of CI.yml, and what can go wrong on purpose."""
