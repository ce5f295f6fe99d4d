"""Runs `serf` and `rumor agent` through the same steps and shows both side by side."""
