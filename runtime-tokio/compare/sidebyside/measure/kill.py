"""Agents are killed, some at a time: when does the first of the others list them as failed, when do all?"""

from ..formation import one_by_one
from ..rpc import now
from ..views import Statuses, await_full

PATIENCE_SECONDS = 60


def prepare(bench):
    """A quiet cluster."""
    cluster = bench.cluster(bench["n"])
    one_by_one(cluster, bench["patience"])
    cluster.hub.pump_until(now() + bench["settle"])
    return cluster


def measure(bench, cluster):
    """Rounds: some are killed, everybody notices, they are started again with `-join`, everybody lists them alive."""
    rounds = [_round(bench, cluster) for _ in range(bench["rounds"])]
    return {
        "kills": [kill for one in rounds for kill in one["kills"]],
        "back": [one["back"] for one in rounds],
        "wrongly": sum(one["wrongly"] for one in rounds),
    }


def _round(bench, cluster):
    n = len(cluster)
    # At no fixed phase of the agents' own ticks.
    cluster.hub.pump_until(now() + bench.random.uniform(1, 2))
    victims = bench.random.sample(range(1, n), min(bench["at_once"], (n - 1) // 2))
    others = [i for i in range(n) if i not in victims]
    killed = {}
    for victim in victims:
        cluster.clients[victim].close()
        killed[victim] = now()
        cluster.agents[victim].kill()
    names = {cluster.agents[victim].name for victim in victims}
    failed = Statuses(cluster, others, "failed")

    def all_know():
        return len(failed.now_listed) == len(others) and all(names <= listed.keys() for listed in failed.now_listed.values())

    failed.run(now() + PATIENCE_SECONDS, all_know)
    wrongly = {(i, name) for i, name, _ in failed.first_listed if name not in names}
    kills = []
    for victim in victims:
        times = failed.times(cluster.agents[victim].name, "failed")
        kills.append(
            {
                "first": round(times[0] - killed[victim], 4) if times else None,
                "all": round(times[-1] - killed[victim], 4) if len(times) == len(others) else None,
            }
        )
    return {"kills": kills, "back": _back(cluster, victims), "wrongly": len(wrongly)}


def _back(cluster, victims):
    """From the new start until everybody lists everybody alive."""
    begin = now()
    cluster.start(victims, join=cluster.agents[0].bind)
    full, _ = await_full(cluster, begin + PATIENCE_SECONDS)
    return full and round(full - begin, 4)
