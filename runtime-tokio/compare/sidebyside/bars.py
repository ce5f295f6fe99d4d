"""What is asked of our agent, and whether it held in this run."""

from dataclasses import dataclass

from .rows import Over
from .table import number


@dataclass
class Bar:
    """One demand: `held` is None when this run did not measure it."""

    demand: str
    observed: str
    held: bool | None


def bars(rows):
    """All demands."""
    by_key = {row.key: row for row in rows}
    return [
        _below(by_key, "200 agents started at once list each other within 20 s", "burst.200.from_first", 20, "s"),
        _share(by_key, "... and in at most a third of Serf's time", "burst.200.from_first", 1 / 3),
        _below(by_key, "PSS per agent at most 3 MiB (N = 50)", "idle.50.pss", 3, "MiB"),
        _share(by_key, "idle CPU at most a third of Serf's (N = 50)", "idle.50.cpu", 1 / 3),
        _share(by_key, "idle bytes at most half of Serf's (N = 50)", "idle.50.bytes", 1 / 2),
        _share(by_key, "an event reaches 99 % of 100 agents in at most half of Serf's time", "events.100.share99", 1 / 2),
        _everywhere(by_key),
        _refused(by_key),
        _at_least(by_key, "of 5,000 events in 10 s at least 2,500 are accepted (N = 20)", "load.20.500.accepted", 2500),
        _half_second(by_key, "kill -9: the first notices at most 0.5 s later than Serf's, median", "kill.50.first_p50"),
        _half_second(by_key, "kill -9: all know at most 0.5 s later than Serf's, median", "kill.50.all_p50"),
        _below(by_key, "`query` returns in at most 1 s (N = 50)", "query.50.command", 1, "s"),
    ]


def _values(by_key, key):
    """Serf's figure and ours."""
    row = by_key.get(key)
    return (None, None) if row is None else (row.values["serf"], row.values["rumor"])


def _unmeasured(demand):
    return Bar(demand, "not measured", None)


def _words(serf, rumor, unit=""):
    return f"{number(rumor)} {unit}".strip() + f" (serf {number(serf)})"


def _below(by_key, demand, key, limit, unit):
    serf, rumor = _values(by_key, key)
    if rumor is None:
        return _unmeasured(demand)
    return Bar(demand, _words(serf, rumor, unit), not isinstance(rumor, Over) and rumor <= limit)


def _at_least(by_key, demand, key, limit):
    serf, rumor = _values(by_key, key)
    if rumor is None:
        return _unmeasured(demand)
    return Bar(demand, _words(serf, rumor), rumor >= limit)


def _share(by_key, demand, key, share):
    """Where Serf did not make it in time, its limit stands for its time."""
    serf, rumor = _values(by_key, key)
    if rumor is None or serf is None:
        return _unmeasured(demand)
    of = serf.limit if isinstance(serf, Over) else serf
    return Bar(demand, _words(serf, rumor), not isinstance(rumor, Over) and rumor <= share * of)


def _half_second(by_key, demand, key):
    serf, rumor = _values(by_key, key)
    if rumor is None or serf is None:
        return _unmeasured(demand)
    of = serf.limit if isinstance(serf, Over) else serf
    return Bar(demand, _words(serf, rumor, "s"), not isinstance(rumor, Over) and rumor <= of + 0.5)


def _everywhere(by_key):
    demand = "500 events/s for 10 s: every accepted one is everywhere 60 s after the last (N = 20)"
    serf, rumor = _values(by_key, "load.20.500.worst")
    if rumor is None:
        return _unmeasured(demand)
    return Bar(demand, f"at the worst agent {number(rumor)} of the accepted (serf {number(serf)})", rumor >= 1)


def _refused(by_key):
    demand = "... and the rest is refused as busy"
    (_, errors), (_, busy) = _values(by_key, "load.20.500.errors"), _values(by_key, "load.20.500.busy")
    if errors is None:
        return _unmeasured(demand)
    return Bar(demand, f"{number(busy)} refused as busy, {number(errors)} otherwise", errors == 0)


def text(bars_):
    """A line each."""
    words = {True: "held    ", False: "NOT HELD", None: "-       "}
    return "\n".join(f"{words[bar.held]}  {bar.demand}: {bar.observed}" for bar in bars_)
