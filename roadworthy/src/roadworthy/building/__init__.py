"""Building the sdist, and from it the wheels: the same bytes wherever they are built."""
