"""What agents list, asked by RPC in turn: each once per interval, evenly spread, and never twice at once."""

import heapq

from .rpc import now

# Asking costs the asked and the asking CPU time, so large clusters are asked less often.
INTERVAL_SECONDS, INTERVAL_SECONDS_PER_AGENT = 0.1, 0.0015


class Poll:
    """Asks agents the same question again and again; `on_answer(index, at, body)` takes what they say."""

    def __init__(self, cluster, indices, command, body, on_answer, before_ask=None):
        self.cluster, self.command, self.body = cluster, command, body
        self.on_answer, self.before_ask = on_answer, before_ask
        indices = list(indices)
        self.interval = max(INTERVAL_SECONDS, INTERVAL_SECONDS_PER_AGENT * len(indices))
        begin = now()
        self._due = [(begin + self.interval * k / max(len(indices), 1), i) for k, i in enumerate(indices)]
        heapq.heapify(self._due)
        self._waiting = set()

    def run(self, deadline, done):
        """Polls until `done()` or the deadline; says whether it is done."""
        while not done():
            at = now()
            if at >= deadline:
                return False
            while self._due and self._due[0][0] <= at:
                due, index = heapq.heappop(self._due)
                heapq.heappush(self._due, (max(due + self.interval, at), index))
                self._ask(index)
            self.cluster.hub.pump(min(self._due[0][0] if self._due else deadline, deadline) - now())
        return True

    def _ask(self, index):
        if index in self._waiting or (self.before_ask and not self.before_ask(index)):
            return
        self._waiting.add(index)

        def answered(at, error, body):
            self._waiting.discard(index)
            if not error:
                self.on_answer(index, at, body)

        self.cluster.clients[index].send(self.command, self.body, on_reply=answered)


def alive_count(stats):
    """How many members an agent's `stats` counts as alive (those leaving included)."""
    serf = stats["serf"]
    return int(serf["members"]) - int(serf["failed"]) - int(serf["left"])


def await_full(cluster, deadline, before_ask=None):
    """Waits until every agent counts all as alive, then reads every full list. When the last one did (None: not in time), and how many
    each lists. `before_ask(index)` says whether an agent can be asked now."""
    n = len(cluster)
    counts = [0] * n
    # Since when each agent has counted all; the last of them makes the moment.
    since = [None] * n

    def take(index, at, body):
        counts[index] = alive_count(body)
        if counts[index] != n:
            since[index] = None
        elif since[index] is None:
            since[index] = at

    def may_ask(index):
        if before_ask and not before_ask(index):
            counts[index], since[index] = 0, None
            return False
        return True

    poll = Poll(cluster, range(n), "stats", None, take, may_ask)
    if not poll.run(deadline, lambda: None not in since):
        return None, counts
    for index in range(n):
        members = cluster.call(index, "members", timeout=60)["Members"]
        counts[index] = sum(member["Status"] == "alive" for member in members)
    return max(since), counts


class Statuses:
    """Which members each agent lists with certain statuses (a regular expression, such as `failed`)."""

    def __init__(self, cluster, indices, status):
        self.now_listed = {}
        self.first_listed = {}
        self._unclean, self.last_unclean = set(), 0.0
        self._poll = Poll(cluster, indices, "members-filtered", {"Tags": {}, "Status": status, "Name": ""}, self._take)

    def _take(self, index, at, body):
        names = {member["Name"]: member["Status"] for member in body["Members"]}
        self.now_listed[index] = names
        # Whose list is not clean yet is unclean until it says otherwise.
        if names:
            self._unclean.add(index)
        if index in self._unclean:
            self.last_unclean = at
            if not names:
                self._unclean.discard(index)
        for name, status in names.items():
            self.first_listed.setdefault((index, name, status), at)

    def run(self, deadline, done):
        """Polls until `done()` or the deadline; says whether it is done."""
        return self._poll.run(deadline, done)

    def times(self, name, status):
        """When each agent first listed this member so, in order."""
        return sorted(at for (_, listed, s), at in self.first_listed.items() if listed == name and s == status)
