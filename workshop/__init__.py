"""What a person at a laptop asks for: copies of this project, their updates, and the rehearsal of a release."""
