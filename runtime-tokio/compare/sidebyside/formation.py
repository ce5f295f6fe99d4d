"""How clusters come about: joined one by one, or all at once."""

from .agents import AgentFailed
from .rpc import RpcError, now
from .views import await_full


def one_by_one(cluster, patience):
    """Starts all agents, then has each join the first, in turn; waits until all list all."""
    cluster.start()
    seed = [cluster.agents[0].bind]
    calls, refused = [], 0
    begin = now()
    for index in range(1, len(cluster)):
        called = now()
        try:
            cluster.call(index, "join", {"Existing": seed, "Replay": False}, timeout=patience)
        except RpcError:
            refused += 1
        calls.append(round(now() - called, 6))
    last = now()
    full, counts = await_full(cluster, begin + patience)
    return _formed(full, counts, begin) | {
        "join_calls": calls,
        "joins_refused": refused,
        "from_last_join": full and round(max(full - last, 0), 4),
    }


def all_at_once(cluster, patience):
    """Starts the first agent and, as soon as it takes commands, all others with `-join`; waits until all list all. An agent that
    ends since its join failed is started again, as a supervisor would."""
    begin = now()
    cluster.start([0])
    seed = cluster.agents[0].bind
    for agent in cluster.agents[1:]:
        agent.start(seed)
    spawned = now()

    def ready(index):
        agent = cluster.agents[index]
        if agent.ended():
            if index == 0:
                raise AgentFailed(f"the first agent ended with status {agent.process.returncode}: {agent.words()}")
            cluster.restarts += 1
            agent.start(seed)
            return False
        return cluster.try_connect(index)

    full, counts = await_full(cluster, begin + patience, ready)
    return _formed(full, counts, begin) | {"spawning": round(spawned - begin, 4), "restarts": cluster.restarts}


def _formed(full, counts, begin):
    """`from_first` is None when some agent did not list all in time: `incomplete` says how many, `missing` how many members they lacked."""
    n = len(counts)
    return {
        "from_first": full and round(full - begin, 4),
        "incomplete": sum(count != n for count in counts),
        "missing": sum(max(n - count, 0) for count in counts),
    }
