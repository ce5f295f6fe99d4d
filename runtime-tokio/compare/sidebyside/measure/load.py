"""One agent is given events at a fixed rate: which are accepted, how many of those arrive, and when."""

from .. import procfs
from ..formation import one_by_one
from ..rpc import now
from ..summary import quantiles
from .events import subscribe

NAME, PAYLOAD_BYTES = "load", 256


def prepare(bench):
    """A quiet cluster."""
    cluster = bench.cluster(bench["n"])
    one_by_one(cluster, bench["patience"])
    cluster.hub.pump_until(now() + bench["settle"])
    return cluster


class _Sending:
    """Events on their way: event k carries k in its first bytes; the rest cannot be compressed."""

    def __init__(self, bench, cluster):
        self.cluster = cluster
        self.payloads = bench.random.randbytes
        self.sent, self.accepted, self.errors = [], set(), {}
        self.arrived = [{} for _ in cluster.agents]
        self.twice, self.answered = 0, 0

    def send(self):
        """The next event, by the first agent."""
        k = len(self.sent)
        self.sent.append(now())
        payload = k.to_bytes(4, "big") + self.payloads(PAYLOAD_BYTES - 4)
        body = {"Name": NAME, "Payload": payload, "Coalesce": False}
        self.cluster.clients[0].send("event", body, on_reply=lambda at, error, _: self._answered(k, error))

    def _answered(self, k, error):
        self.answered += 1
        if error:
            self.errors[error] = self.errors.get(error, 0) + 1
        else:
            self.accepted.add(k)

    def take(self, index, at, record):
        """An agent delivers an event."""
        if record["Name"] != NAME:
            return
        k = int.from_bytes(record["Payload"][:4], "big")
        if k in self.arrived[index]:
            self.twice += 1
        else:
            self.arrived[index][k] = at - self.sent[k]

    def delivered(self):
        """How many of the accepted events each other agent has."""
        return [len(self.accepted & arrived.keys()) for arrived in self.arrived[1:]]

    def all_there(self):
        """Whether every event was answered and every accepted one is everywhere."""
        return self.answered == len(self.sent) and min(self.delivered()) == len(self.accepted)


def measure(bench, cluster):
    """Sends on schedule, then waits for what is still on its way."""
    sending = _Sending(bench, cluster)
    subscribe(cluster, sending.take)
    cpu, counters, begin = cluster.cpu_seconds(), procfs.loopback(), now()
    count = round(bench["rate"] * bench["seconds"])
    for k in range(count):
        cluster.hub.pump_until(begin + k / bench["rate"])
        sending.send()
    cluster.hub.pump_until(begin + bench["seconds"])
    took, at_end = now() - begin, sending.delivered()
    counted = procfs.difference(counters, procfs.loopback())
    used = sum(after - before for before, after in zip(cpu, cluster.cpu_seconds()))
    drained = _drain(cluster, sending, bench["drain"])
    late = [took for arrived in sending.arrived[1:] for took in arrived.values()]
    return {
        "rate": bench["rate"],
        "sending": round(took, 3),
        "sent": count,
        "accepted": len(sending.accepted),
        "errors": sending.errors,
        "delivered_at_end": at_end,
        "delivered": sending.delivered(),
        "refused_but_delivered": sum(len(arrived.keys() - sending.accepted) for arrived in sending.arrived[1:]),
        "twice": sending.twice,
        "drained_after": drained,
        "latency": quantiles(late),
        "cpu": round(used, 4),
        "lo": counted,
    }


def _drain(cluster, sending, seconds):
    """How long after the end of sending everything accepted was everywhere; None when it was not in time."""
    begin = now()
    while now() < begin + seconds:
        if sending.all_there():
            return round(now() - begin, 2)
        cluster.hub.pump_until(min(now() + 0.1, begin + seconds))
    return None
