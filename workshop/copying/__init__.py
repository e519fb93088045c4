"""Copies of this project under another name: how they are made and kept up to date. See docs/copying.md."""
