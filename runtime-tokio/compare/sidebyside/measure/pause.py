"""An agent is stopped (SIGSTOP) for a while: who calls it failed, and when is it alive everywhere again?"""

import signal

from ..rpc import now
from ..views import Statuses
from .kill import prepare  # noqa: F401  (the same quiet cluster)

PATIENCE_SECONDS = 60
# How long after it goes on a stopped agent may still be called failed by a suspicion that is under way.
AFTERMATH_SECONDS = 3


def measure(bench, cluster):
    """Each length, several times, another agent each time."""
    return {"pauses": [_pause(bench, cluster, length) for length in bench["lengths"] for _ in range(bench["times"])]}


def _pause(bench, cluster, length):
    n = len(cluster)
    cluster.hub.pump_until(now() + bench.random.uniform(1, 2))
    stopped = bench.random.randrange(1, n)
    others = [i for i in range(n) if i != stopped]
    agent = cluster.agents[stopped]
    failed = Statuses(cluster, others, "failed")
    agent.process.send_signal(signal.SIGSTOP)
    begin = now()
    failed.run(begin + length, lambda: False)
    agent.process.send_signal(signal.SIGCONT)
    resumed = now()
    own = Statuses(cluster, [stopped], "failed")
    failed.run(resumed + 0.05, lambda: False)
    back = _back(failed, own, resumed)
    flagged = failed.times(agent.name, "failed")
    return {
        "length": length,
        "flagged_by": len({i for i, name, _ in failed.first_listed if name == agent.name}),
        "first_flag": round(flagged[0] - begin, 4) if flagged else None,
        "back": back,
        "flagged_others": len({name for _, name, _ in own.first_listed}),
    }


def _back(failed, own, resumed):
    """The last time at which somebody's list was not clean, after it went on; watches until nothing more can come. None: never clean."""
    while True:
        listed = any(failed.now_listed.values())
        if not listed and now() > resumed + AFTERMATH_SECONDS:
            break
        if now() > resumed + PATIENCE_SECONDS:
            return None
        failed.run(now() + 0.05, lambda: False)
        own.run(now() + 0.01, lambda: False)
    return round(max(failed.last_unclean - resumed, 0), 4)
