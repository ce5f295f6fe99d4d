"""How soon an event is everywhere: by stream, and by an event handler."""

import os
import subprocess

from ..formation import one_by_one
from ..rpc import RpcError, now

# A handler writes its agent's name and the event's to this pipe, and the worker takes the time.
HANDLED = "handled"
# How long stragglers are waited for after the last event.
STRAGGLERS_SECONDS = 10


def handler_option(bench):
    """The option that gives an agent this handler."""
    return ["-event-handler", f"user:{HANDLED}={_script(bench)}"]


def _script(bench):
    return f'echo "$SERF_SELF_NAME" > {os.path.join(bench.directory, "pipe")}'


def prepare(bench, options=()):
    """A cluster with a handler each; every agent's user events are streamed to us."""
    os.mkfifo(os.path.join(bench.directory, "pipe"))
    cluster = bench.cluster(bench["n"], [*options, *handler_option(bench)])
    one_by_one(cluster, bench["patience"])
    cluster.hub.pump_until(now() + bench["settle"])
    return cluster


def measure(bench, cluster):
    """Events one after the other, each from a random agent, first watched by streams, then by handlers."""
    arrivals = {}
    subscribe(cluster, lambda index, at, record: arrivals.setdefault((record["Name"], index), at))
    streamed = [_streamed(bench, cluster, arrivals, f"e{k}") for k in range(bench["count"])]
    handled = _handled(bench, cluster, bench["handled"])
    cluster.hub.pump_until(now() + STRAGGLERS_SECONDS, lambda: all(len(s["got"]()) == len(cluster) for s in streamed))
    return {
        "events": [{"others": _others(s), "origin": _at_origin(s)} for s in streamed],
        "handled": handled,
        "handler_alone": [_handler_alone(bench) for _ in range(10)] if handled else [],
    }


def subscribe(cluster, on_event, indices=None):
    """Streams the user events of these agents to `on_event(index, at, record)`."""
    open_streams = []
    indices = range(len(cluster)) if indices is None else indices
    for index in indices:
        cluster.clients[index].send(
            "stream",
            {"Type": "user"},
            on_reply=lambda at, error, body: open_streams.append(error),
            on_record=lambda at, record, index=index: on_event(index, at, record),
        )
    if not cluster.hub.pump_until(now() + 30, lambda: len(open_streams) == len(indices)) or any(open_streams):
        raise RpcError(f"stream: {len(open_streams)} of {len(indices)} agents opened one, errors {set(open_streams)}")


def _pause(bench, cluster, sent):
    """Until the next event, at no fixed phase of the agents' own ticks."""
    cluster.hub.pump_until(sent + bench["gap"] + bench.random.uniform(0, 0.2))


def _streamed(bench, cluster, arrivals, name):
    origin = bench.random.randrange(len(cluster))
    sent = now()
    cluster.clients[origin].send("event", {"Name": name, "Payload": bench.random.randbytes(16), "Coalesce": False})
    _pause(bench, cluster, sent)
    return {
        "origin": origin,
        "got": lambda: {i: arrivals[name, i] - sent for i in range(len(cluster)) if (name, i) in arrivals},
    }


def _others(streamed):
    return sorted(round(took, 5) for index, took in streamed["got"]().items() if index != streamed["origin"])


def _at_origin(streamed):
    took = streamed["got"]().get(streamed["origin"])
    return took and round(took, 6)


def _handled(bench, cluster, count):
    """For each event, when each agent's handler (the origin's too) had run, in order."""
    pipe = os.open(os.path.join(bench.directory, "pipe"), os.O_RDWR | os.O_NONBLOCK)
    took, sent = [], [0.0]

    def read():
        at = now()
        took[-1].extend([round(at - sent[0], 5)] * os.read(pipe, 1 << 16).count(b"\n"))

    cluster.hub.add_reader(pipe, read)
    for _ in range(count):
        took.append([])
        origin, sent[0] = bench.random.randrange(len(cluster)), now()
        body = {"Name": HANDLED, "Payload": bench.random.randbytes(16), "Coalesce": False}
        cluster.clients[origin].send("event", body)
        cluster.hub.pump_until(sent[0] + STRAGGLERS_SECONDS, lambda: len(took[-1]) == len(cluster))
        _pause(bench, cluster, sent[0])
    cluster.hub.remove_reader(pipe)
    os.close(pipe)
    return took


def _handler_alone(bench):
    """How long the handler itself takes."""
    pipe = os.open(os.path.join(bench.directory, "pipe"), os.O_RDWR | os.O_NONBLOCK)
    begin = now()
    subprocess.run(["/bin/sh", "-c", _script(bench)], check=True)
    took = now() - begin
    os.close(pipe)
    return round(took, 6)
