"""Agents leave by the program's own command: who lists them as left, and when?"""

import subprocess

from ..rpc import now
from ..views import Statuses
from .kill import prepare  # noqa: F401  (the same quiet cluster)

PATIENCE_SECONDS = 30


def measure(bench, cluster):
    """Some leave, one after the other."""
    leavers = bench.random.sample(range(1, len(cluster)), min(bench["times"], len(cluster) - 2))
    gone, leaves = [], []
    for leaver in leavers:
        gone.append(leaver)
        leaves.append(_leave(bench, cluster, leaver, [i for i in range(len(cluster)) if i not in gone]))
    return {"leaves": leaves}


def _leave(bench, cluster, leaver, others):
    agent = cluster.agents[leaver]
    cluster.hub.pump_until(now() + bench.random.uniform(1, 2))
    seen = Statuses(cluster, others, "(left|failed)")
    begin = now()
    command = subprocess.Popen(
        [bench.program, "leave", f"-rpc-addr={agent.rpc}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    returned = []

    def done():
        if not returned and command.poll() is not None:
            returned.append(now() - begin)
        return returned and len(seen.times(agent.name, "left")) == len(others)

    complete = seen.run(begin + PATIENCE_SECONDS, done)
    times = seen.times(agent.name, "left")
    if not returned:
        command.kill()
    command.wait()
    return {
        "command": round(returned[0], 4) if returned else None,
        "command_status": command.returncode,
        "agent_status": agent.wait(10),
        "first": round(times[0] - begin, 4) if times else None,
        "all": round(times[-1] - begin, 4) if complete else None,
        "failed_at": len(seen.times(agent.name, "failed")),
    }
