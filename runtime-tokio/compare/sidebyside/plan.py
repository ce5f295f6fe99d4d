"""Which steps there are, with what parameters, and in what order."""

from dataclasses import dataclass

KINDS = {
    "single": "one agent: program size, start, a command, how it ends",
    "form": "a cluster joined one by one",
    "burst": "a cluster started all at once",
    "idle": "CPU, traffic and memory of a cluster in which nothing happens",
    "events": "how soon an event is everywhere",
    "load": "events at a fixed rate at one agent",
    "kill": "kill -9: who notices, and when",
    "pause": "SIGSTOP for a while: who is called failed",
    "leave": "leaving by command",
    "query": "queries, answered by a handler and by nobody",
    "encrypted": "an encrypted cluster: idle, and events",
}


@dataclass
class Step:
    """One measurement, for both programs."""

    kind: str
    params: dict
    # Both programs at the same time, each in its own namespaces: for what timers set, where CPU stays low.
    together: bool = False
    # After which it is given up.
    deadline: float = 600

    def title(self):
        """What it is called."""
        of = [f"N={self.params['n']}"] if "n" in self.params else []
        of += [f"{self.params['rate']}/s"] if "rate" in self.params else []
        return " ".join([self.kind, *of])


def steps(options):
    """The steps that these options (`cli`) ask for, in order."""
    makers = {
        "single": _single,
        "form": _form,
        "burst": _burst,
        "idle": _idle,
        "events": _events,
        "load": _load,
        "kill": _kill,
        "pause": _pause,
        "leave": _leave,
        "query": _query,
        "encrypted": _encrypted,
    }
    planned = [step for kind in KINDS if kind in options.only for step in makers[kind](options)]
    for step in planned:
        step.params["seed"] = options.seed
        # A quick run is not about figures.
        step.together = (step.together or options.quick) and not options.apart
    return planned


def _single(options):
    few = options.quick
    params = {"starts": 3 if few else 20, "commands": 3 if few else 20, "ends": 1 if few else 3}
    return [Step("single", params, deadline=120)]


def _patience(n):
    """Seconds until a formation counts as failed."""
    return 60 + 0.6 * n


def _form(options):
    return [_formation(options, "form", n, (3, 1)) for n in options.sizes]


def _burst(options):
    return [_formation(options, "burst", n, (5, 3)) for n in options.sizes]


def _formation(options, kind, n, usual):
    """`usual`: how often a cluster of up to 100 agents is formed, and a larger one."""
    runs = options.runs or (1 if options.quick else usual[n > 100])
    return Step(kind, {"n": n, "runs": runs, "patience": _patience(n)}, deadline=120 + runs * (_patience(n) + 60))


def _idle(options):
    planned = []
    for n in [1, *(size for size in options.sizes if size != 1)]:
        window = options.window if n == options.nodes else min(options.window, 60)
        settle = 1 if options.quick else 10
        params = {"n": n, "window": window, "settle": settle, "patience": _patience(n)}
        planned.append(Step("idle", params, together=True, deadline=300 + 2 * _patience(n) + window))
    return planned


def _events(options):
    return [Step("events", _event_params(options, n), together=True, deadline=900) for n in options.event_sizes]


def _event_params(options, n):
    return {
        "n": n,
        "count": 3 if options.quick else options.events,
        "handled": 2 if options.quick else 10,
        "gap": 0.4 if options.quick else 1.2,
        "settle": _settle(options),
        "patience": _patience(n),
    }


def _settle(options):
    """Seconds until the news of the joins has been told."""
    return 1 if options.quick else 5


def _cluster(options, **more):
    return {"n": options.nodes, "settle": _settle(options), "patience": _patience(options.nodes), **more}


def _load(options):
    return [
        Step(
            "load",
            {
                "n": options.load_nodes,
                "rate": rate,
                "seconds": 2 if options.quick else 10,
                "drain": 10 if options.quick else 60,
                "settle": _settle(options),
                "patience": _patience(options.load_nodes),
            },
        )
        for rate in options.rates
    ]


def _kill(options):
    return [Step("kill", _cluster(options, rounds=options.rounds, at_once=4), together=True, deadline=240 + 180 * options.rounds)]


def _pause(options):
    params = _cluster(options, lengths=options.pauses, times=1 if options.quick else 3)
    return [Step("pause", params, together=True, deadline=900)]


def _leave(options):
    return [Step("leave", _cluster(options, times=1 if options.quick else 5), together=True)]


def _query(options):
    few = options.quick
    counts = {
        "times": 1 if few else 10,
        "unanswered": 1 if few else 2,
        "commands": 1 if few else 5,
        "commands_unanswered": 0 if few else 1,
    }
    params = _cluster(options, **counts)
    return [Step("query", params, together=True)]


def _encrypted(options):
    params = _event_params(options, options.nodes) | {"handled": 0, "window": min(options.window, 60)}
    return [Step("encrypted", params, together=True)]
