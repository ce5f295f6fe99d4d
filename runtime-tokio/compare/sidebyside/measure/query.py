"""Queries that a handler answers on every agent, and one that nobody has a handler for."""

import subprocess

from ..formation import one_by_one
from ..rpc import RpcError, now

ASK, NOBODY = "ask", "nobody"
PATIENCE_SECONDS = 60


def prepare(bench):
    """A quiet cluster in which every agent answers the query `ask`."""
    cluster = bench.cluster(bench["n"], ["-event-handler", f"query:{ASK}=echo here"])
    one_by_one(cluster, bench["patience"])
    cluster.hub.pump_until(now() + bench["settle"])
    return cluster


def measure(bench, cluster):
    """By RPC, where each answer has its time, and by the program's own command."""
    return {
        "answered": [_query(bench, cluster, ASK) for _ in range(bench["times"])],
        "unanswered": [_query(bench, cluster, NOBODY) for _ in range(bench["unanswered"])],
        "commands": [_command(bench, cluster, ASK) for _ in range(bench["commands"])],
        "commands_unanswered": [_command(bench, cluster, NOBODY) for _ in range(bench["commands_unanswered"])],
    }


def _query(bench, cluster, name):
    """Times of acks, responses and of the end."""
    cluster.hub.pump_until(now() + bench.random.uniform(0.2, 0.4))
    origin = bench.random.randrange(len(cluster))
    # On a connection of its own, since its records may come late.
    client, begin = cluster.hub.connect(cluster.agents[origin].rpc_port), now()
    records, refused = [], []
    body = {"FilterNodes": [], "FilterTags": {}, "RequestAck": True, "RelayFactor": 0, "Timeout": 0, "Name": name, "Payload": b""}
    client.send(
        "query",
        body,
        on_reply=lambda at, error, _: refused.append(error) if error else None,
        on_record=lambda at, record: records.append((record["Type"], record["From"], round(at - begin, 4))),
    )
    cluster.hub.pump_until(now() + PATIENCE_SECONDS, lambda: refused or any(kind == "done" for kind, _, _ in records))
    client.close()
    if refused:
        raise RpcError(f"query: {refused[0]}")
    # Serf now and then ends a query with an ack of nobody.
    times = {
        kind: [at for k, who, at in records if k == kind and (who or kind == "done")] for kind in ("ack", "response", "done")
    }
    return {"acks": times["ack"], "responses": times["response"], "done": times["done"][0] if times["done"] else None}


def _command(bench, cluster, name):
    """How long the command takes."""
    cluster.hub.pump_until(now() + bench.random.uniform(0.2, 0.4))
    begin = now()
    command = [bench.program, "query", f"-rpc-addr={cluster.agents[0].rpc}", name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE_SECONDS)
    return round(now() - begin, 4)
