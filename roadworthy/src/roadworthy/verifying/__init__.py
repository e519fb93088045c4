"""Proving that an artefact works where a user will install it."""
