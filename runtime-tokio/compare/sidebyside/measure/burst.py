"""A cluster whose agents all start at once, with `-join`."""

from ..formation import all_at_once


def prepare(bench):
    """Nothing: forming is what is measured."""


def measure(bench, _prepared):
    """Several formations of new clusters."""
    return {"runs": [_burst(bench) for _ in range(bench["runs"])]}


def _burst(bench):
    cluster = bench.cluster(bench["n"])
    formed = all_at_once(cluster, bench["patience"])
    cluster.disconnect()
    cluster.kill()
    return formed
