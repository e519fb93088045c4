"""The rules that an artefact must pass before it is published. See rules.md."""
