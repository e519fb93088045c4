"""What release.py is made of: reading the situation, judging it, preparing the commit, proving and pushing it."""
