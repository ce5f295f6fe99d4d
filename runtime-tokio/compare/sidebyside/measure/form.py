"""A cluster joined one by one through the first agent."""

from ..formation import one_by_one


def prepare(bench):
    """Nothing: forming is what is measured."""


def measure(bench, _prepared):
    """Several formations of new clusters."""
    return {"runs": [_form(bench) for _ in range(bench["runs"])]}


def _form(bench):
    cluster = bench.cluster(bench["n"])
    formed = one_by_one(cluster, bench["patience"])
    cluster.disconnect()
    cluster.kill()
    return formed
