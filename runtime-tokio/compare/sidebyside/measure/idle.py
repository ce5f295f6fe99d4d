"""A cluster in which nothing happens: CPU time, traffic, memory."""

from .. import procfs
from ..formation import one_by_one
from ..rpc import now


def prepare(bench, options=()):
    """A cluster; nobody is connected to its agents any more."""
    cluster = bench.cluster(bench["n"], options)
    formed = one_by_one(cluster, bench["patience"])
    cluster.disconnect()
    return cluster, formed


def measure(bench, prepared):
    """A window of time, after the news of the joins has been told."""
    cluster, formed = prepared
    cluster.hub.pump_until(now() + bench["settle"])
    return window(cluster, bench["window"]) | {"incomplete": formed["incomplete"]}


def window(cluster, seconds):
    """What the agents use in this time, and hold at its end."""
    begin, cpu, counters = now(), cluster.cpu_seconds(), procfs.loopback()
    cluster.hub.pump_until(begin + seconds)
    took, counted = now() - begin, procfs.difference(counters, procfs.loopback())
    used = [round(after - before, 6) for before, after in zip(cpu, cluster.cpu_seconds())]
    held = cluster.memory()
    samples = {name: [one[name] for one in held] for name in held[0]}
    return samples | {"window": round(took, 3), "cpu": used, "lo": counted}
