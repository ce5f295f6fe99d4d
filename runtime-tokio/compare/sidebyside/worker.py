"""One step for one program, inside the namespaces that `namespace` made for it.

Speaks lines of JSON: says `{"ready": true}` when its cluster stands, waits for a line, measures, and says `{"result": ...}` or
`{"failed": "..."}`.
"""

import json
import os
import random
import resource
import subprocess
import sys

from . import measure
from .agents import AgentFailed, Cluster
from .rpc import RpcError, now


class Bench:
    """What a measurement works with: the program, its parameters, a folder, random choices that both programs meet alike."""

    def __init__(self, program, directory, params):
        self.program, self.directory, self.params = program, directory, params
        self.random = random.Random(params.get("seed", 1))
        self.clusters = []

    def cluster(self, n, options=()):
        """Agents of this program, not started yet."""
        self.clusters.append(Cluster(self.program, n, self.directory, options))
        return self.clusters[-1]

    def __getitem__(self, name):
        return self.params[name]


def say(**what):
    """A line to whoever started this worker."""
    print(json.dumps(what), flush=True)


def cpu_used():
    """CPU seconds of this process, and of its children that ended."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime


def work(kind, bench):
    """Prepares, waits for the word, measures."""
    module = measure.of(kind)
    prepared = module.prepare(bench)
    say(ready=True)
    if not sys.stdin.readline():
        sys.exit("nobody waits for this measurement any more")
    begin = now()
    samples = module.measure(bench, prepared)
    samples["measured_for"] = round(now() - begin, 3)
    samples["log_lines"] = sum(cluster.log_lines() for cluster in bench.clusters)
    for cluster in bench.clusters:
        cluster.disconnect()
        cluster.kill()
    samples["cpu_worker"], samples["cpu_agents"] = (round(seconds, 3) for seconds in cpu_used())
    return samples


def main():
    """The worker's life: `kind`, `program`, `directory`, `params` come as one JSON argument."""
    task = json.loads(sys.argv[1])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name in ("SERF_RPC_ADDR", "SERF_RPC_AUTH", "RUMOR_RPC_ADDR", "RUMOR_RPC_AUTH", "RUMOR_ENCRYPT_KEY"):
        os.environ.pop(name, None)
    try:
        say(result=work(task["kind"], Bench(task["program"], task["directory"], task["params"])))
    except (AgentFailed, RpcError, OSError, subprocess.SubprocessError) as error:
        say(failed=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
