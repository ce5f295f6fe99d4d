"""One agent alone: its program's size, how soon it takes commands, how soon a command is done, how it ends."""

import os
import signal
import subprocess

from ..procfs import loadable_bytes
from ..rpc import now


def prepare(bench):
    """Nothing."""


def measure(bench, _prepared):
    """Starts, commands and signals."""
    return {
        "file_bytes": os.path.getsize(bench.program),
        "loadable_bytes": loadable_bytes(bench.program),
        "starts": [_start(bench) for _ in range(bench["starts"])],
        "commands": _commands(bench),
        "SIGINT": [_end(bench, signal.SIGINT) for _ in range(bench["ends"])],
        "SIGTERM": [_end(bench, signal.SIGTERM) for _ in range(bench["ends"])],
    }


def _start(bench):
    """From the spawn to the answer to the handshake."""
    cluster = bench.cluster(1)
    begin = now()
    cluster.start()
    cluster.call(0, "stats")
    took = now() - begin
    cluster.disconnect()
    cluster.kill()
    return round(took, 6)


def _commands(bench):
    """How long the program's own `members` takes, as a process."""
    cluster = bench.cluster(1)
    cluster.start()
    took = []
    for _ in range(bench["commands"]):
        begin = now()
        command = [bench.program, "members", f"-rpc-addr={cluster.agents[0].rpc}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
        took.append(round(now() - begin, 6))
    cluster.disconnect()
    cluster.kill()
    return took


def _end(bench, number):
    """How long the agent takes to end at a signal, and its status (negative: the signal's number)."""
    cluster = bench.cluster(1)
    cluster.start()
    cluster.disconnect()
    # An agent that only just listens may not heed signals yet.
    cluster.hub.pump(1)
    begin = now()
    cluster.agents[0].process.send_signal(number)
    status = cluster.agents[0].wait(60)
    took = now() - begin
    cluster.kill()
    return {"seconds": round(took, 4), "status": status}
