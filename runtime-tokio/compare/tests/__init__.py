"""Tests of what needs neither agents nor root: `python3 -m unittest discover -s runtime-tokio/compare` from the repository."""
