"""What a GitHub workflow does at an event, by GitHub's own expressions. Used by the tests, and by `make rehearse`."""
