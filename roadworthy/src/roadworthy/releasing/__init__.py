"""What a release is made of: reading the state, judging it, making the commit, proving and pushing it."""
