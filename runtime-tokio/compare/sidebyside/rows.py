"""The rows of the table: what each figure is, and how it comes from the samples."""

import math
from dataclasses import dataclass

from .results import PROGRAMS
from .summary import mean, median, percentile, quantile, reached

MIB = 1 << 20
STRAGGLERS = 10


@dataclass(frozen=True)
class Over:
    """A time that was not reached within so much."""

    limit: float


@dataclass
class Row:
    """One figure for both programs. `better` is `less`, `more` or nothing."""

    key: str
    section: str
    label: str
    unit: str
    better: str
    values: dict

    def ratio(self):
        """Ours over Serf's, where one of them is better by being less or more. Over Serf's limit where Serf did not make it: the true
        ratio is less; none where ours did not."""
        serf, rumor = self.values["serf"], self.values["rumor"]
        if not self.better or not isinstance(rumor, (int, float)) or serf in (None, 0):
            return None
        return rumor / (serf.limit if isinstance(serf, Over) else serf)


def censored(samples, limit, of=median):
    """A statistic of times of which some may be missing, as they exceeded the limit."""
    value = of([math.inf if sample is None else sample for sample in samples])
    return Over(limit) if value == math.inf else value


class _Section:
    """Collects rows: `add` computes a figure for each program from its samples."""

    def __init__(self, results, rows, title, prefix, kind, **params):
        self.rows, self.title, self.prefix = rows, title, prefix
        self.samples = {program: results.samples(kind, program, **params) for program in PROGRAMS}

    def add(self, key, label, unit, better, figure):
        values = {}
        for program, samples in self.samples.items():
            values[program] = None if samples is None else figure(samples)
        if any(value is not None for value in values.values()):
            self.rows.append(Row(f"{self.prefix}.{key}", self.title, label, unit, better, values))


def rows(results):
    """All rows that these results carry."""
    collected = []
    _single(results, collected)
    sizes = sorted({n for kind in ("form", "burst", "idle") for n in results.values(kind, "n")} - {1})
    for n in sizes:
        _cluster(results, collected, n)
    for n in results.values("events", "n"):
        section = _Section(results, collected, f"User event, N={n}", f"events.{n}", "events", n=n)
        _events(section, n)
        _handlers(section)
    for rate in results.values("load", "rate"):
        _load(results, collected, rate)
    for make in (_kill, _pause, _leave, _query, _encrypted):
        make(results, collected)
    return collected


def _single(results, collected):
    section = _Section(results, collected, "Single agent", "single", "single")
    section.add("file_bytes", "program file", "MiB", "less", lambda s: s["file_bytes"] / MIB)
    section.add(
        "loadable_bytes", "of that mapped when it runs", "MiB", "less", lambda s: (s["loadable_bytes"] or 0) / MIB or None
    )
    section.add("start_p50", "start to RPC handshake p50", "ms", "less", lambda s: 1e3 * median(s["starts"]))
    section.add("start_p90", "start to RPC handshake p90", "ms", "less", lambda s: 1e3 * percentile(s["starts"], 90))
    section.add("members_p50", "`members` command p50", "ms", "less", lambda s: 1e3 * median(s["commands"]))
    for name in ("SIGINT", "SIGTERM"):
        section.add(f"{name}_s", f"{name}: to exit", "s", "", lambda s, name=name: median(end["seconds"] for end in s[name]))
        section.add(f"{name}_status", f"{name}: exit status", "", "", lambda s, name=name: s[name][0]["status"])
    idle = _Section(results, collected, "Single agent", "idle.1", "idle", n=1)
    _memory(idle, single=True)
    idle.add("cpu", "idle CPU per minute", "s", "less", _cpu_per_minute)


def _cpu_per_minute(samples):
    return 60 * mean(samples["cpu"]) / samples["window"]


def _memory(section, single=False):
    each = "" if single else " per agent"
    for name, label in (("pss", "PSS"), ("rss", "RSS"), ("anon", "anonymous memory")):
        section.add(name, label + each, "MiB", "less", lambda s, name=name: mean(s[name]) / MIB)
    section.add("threads", "threads" + each, "", "less", lambda s: mean(s["threads"]))
    section.add("fds", "file descriptors" + each, "", "less", lambda s: mean(s["fds"]))


def _formation(section, patience, burst):
    def runs(samples, name):
        return censored([run[name] for run in samples["runs"]], patience)

    def slowest(samples):
        return censored([run["from_first"] for run in samples["runs"]], patience, max)

    if burst:
        section.add("from_first", "all at once: first spawn to all listing all", "s", "less", lambda s: runs(s, "from_first"))
        section.add("slowest", "all at once, slowest formation", "s", "less", slowest)
        section.add(
            "spawning", "all at once: first spawn to last spawn", "s", "", lambda s: median(run["spawning"] for run in s["runs"])
        )
        section.add("restarts", "agents whose join failed", "", "less", lambda s: sum(run["restarts"] for run in s["runs"]))
    else:
        section.add(
            "join_p50", "join call p50", "ms", "less", lambda s: 1e3 * median(c for run in s["runs"] for c in run["join_calls"])
        )
        section.add("from_first", "first join to all listing all", "s", "less", lambda s: runs(s, "from_first"))
        section.add("from_last", "last join to all listing all", "s", "less", lambda s: runs(s, "from_last_join"))
    words = "all at once: " if burst else ""
    section.add(
        "incomplete",
        f"{words}agents without a full list in the end",
        "",
        "less",
        lambda s: max(run["incomplete"] for run in s["runs"]),
    )


def _cluster(results, collected, n):
    title = f"Cluster of {n}"
    for kind in ("form", "burst"):
        params = results.params(kind, n=n)
        if params:
            _formation(_Section(results, collected, title, f"{kind}.{n}", kind, n=n), params["patience"], kind == "burst")
    _idle(_Section(results, collected, title, f"idle.{n}", "idle", n=n), n)


def _idle(section, n):
    _memory(section)
    section.add("rss_total", "RSS, all agents", "MiB", "less", lambda s: sum(s["rss"]) / MIB)
    section.add("cpu", "idle CPU per agent-minute", "s", "less", _cpu_per_minute)
    section.add("bytes", "idle bytes on lo per agent-second", "B", "less", lambda s: s["lo"]["bytes"] / n / s["window"])
    section.add("packets", "idle packets on lo per agent-second", "", "less", lambda s: s["lo"]["packets"] / n / s["window"])


def _events(section, n):
    def others(samples, percent):
        times = [took for event in samples["events"] for took in event["others"]]
        return 1e3 * percentile(times, percent) if times else None

    def by(samples, share):
        times = [[*event["others"], *([event["origin"]] if event["origin"] is not None else [])] for event in samples["events"]]
        value = censored([reached(one, n, share) for one in times], STRAGGLERS)
        return value if isinstance(value, Over) else 1e3 * value

    def at_origin(samples):
        times = [event["origin"] for event in samples["events"] if event["origin"] is not None]
        return 1e3 * median(times) if times else None

    section.add("p50", "delivery by stream p50", "ms", "less", lambda s: others(s, 50))
    section.add("p99", "delivery by stream p99", "ms", "less", lambda s: others(s, 99))
    section.add("max", "delivery by stream, slowest", "ms", "less", lambda s: others(s, 100))
    section.add("share99", "99 % of the agents have it, median event", "ms", "less", lambda s: by(s, 0.99))
    section.add("share100", "all agents have it, median event", "ms", "less", lambda s: by(s, 1))
    section.add("origin", "at the origin itself p50", "ms", "less", at_origin)
    section.add(
        "coverage",
        "least share of the others that got an event",
        "",
        "more",
        lambda s: min(len(e["others"]) for e in s["events"]) / (n - 1),
    )


def _handlers(section):
    def took(samples, percent):
        times = [at for event in samples["handled"] for at in event]
        return 1e3 * percentile(times, percent) if times else None

    for percent in (50, 99, 100):
        label = "slowest" if percent == 100 else f"p{percent}"
        section.add(f"handler_{label}", f"by event handler {label}", "ms", "less", lambda s, percent=percent: took(s, percent))
    section.add(
        "handler_alone",
        "that handler alone p50",
        "ms",
        "",
        lambda s: 1e3 * median(s["handler_alone"]) if s["handler_alone"] else None,
    )


def busy(samples):
    """How many events were refused as too many."""
    return sum(count for error, count in samples["errors"].items() if "busy" in error.lower())


def _load(results, collected, rate):
    params = results.params("load", rate=rate)
    n, drain = params["n"], params["drain"]
    title = f"Load of {rate} events/s, {params['seconds']} s, 256 bytes, N={n}"
    section = _Section(results, collected, title, f"load.{n}.{rate}", "load", rate=rate)

    def share(samples, name, of):
        return of(samples[name]) / samples["accepted"] if samples["accepted"] else None

    def late(samples, percent):
        value = quantile(samples["latency"], percent)
        return value and 1e3 * value

    section.add("accepted", "accepted", "events", "", lambda s: s["accepted"])
    section.add("busy", "refused as busy", "events", "", busy)
    section.add("errors", "refused otherwise", "events", "less", lambda s: sum(s["errors"].values()) - busy(s))
    section.add("at_end", "share delivered at the end of sending", "", "more", lambda s: share(s, "delivered_at_end", mean))
    section.add("delivered", f"share delivered {drain} s later", "", "more", lambda s: share(s, "delivered", mean))
    section.add("worst", "the same at the worst agent", "", "more", lambda s: share(s, "delivered", min))
    section.add("everywhere", "events delivered, mean agent", "events", "more", lambda s: mean(s["delivered"]))
    section.add("drained", "end of sending to all delivered", "s", "less", lambda s: censored([s["drained_after"]], drain))
    section.add("twice", "delivered twice", "events", "less", lambda s: s["twice"])
    for percent, label in ((50, "p50"), (99, "p99"), (100, "slowest")):
        section.add(
            f"late_{label}", f"latency of what arrived, {label}", "ms", "less", lambda s, percent=percent: late(s, percent)
        )
    section.add("datagrams", "datagrams per agent-second", "", "less", lambda s: s["lo"]["datagrams"] / n / s["sending"])
    section.add(
        "bytes", "bytes on lo per agent-second, our streams included", "B", "less", lambda s: s["lo"]["bytes"] / n / s["sending"]
    )
    section.add("cpu", "CPU cores, all agents", "", "less", lambda s: s["cpu"] / s["sending"])


def _kill(results, collected):
    for n in results.values("kill", "n"):
        section = _Section(results, collected, f"kill -9, N={n}", f"kill.{n}", "kill", n=n)
        for name, words in (("first", "the first lists it failed"), ("all", "all list it failed")):
            for label, of in (("p50", median), ("min", min), ("max", max)):

                def figure(samples, name=name, of=of):
                    return censored([kill[name] for kill in samples["kills"]], 60, of)

                section.add(f"{name}_{label}", f"{words}, {label}", "s", "less", figure)
        section.add("kills", "kills", "", "", lambda s: len(s["kills"]))
        section.add("wrongly", "others called failed meanwhile", "", "less", lambda s: s["wrongly"])
        section.add("back_p50", "restart to all listing all, p50", "s", "less", lambda s: censored(s["back"], 60))
        section.add("back_max", "restart to all listing all, max", "s", "less", lambda s: censored(s["back"], 60, max))


def _pause(results, collected):
    for length in (results.params("pause") or {"lengths": []})["lengths"]:
        section = _Section(results, collected, f"SIGSTOP for {length} s", f"pause.{length}", "pause")

        def of(samples, name, length=length):
            return [pause[name] for pause in samples["pauses"] if pause["length"] == length]

        def first(samples):
            flagged = [at for at in of(samples, "first_flag") if at is not None]
            return median(flagged)

        section.add("flagged", "called failed by so many, mean of the runs", "agents", "", lambda s: mean(of(s, "flagged_by")))
        section.add(
            "runs", "runs in which anybody called it failed", "", "", lambda s: sum(bool(by) for by in of(s, "flagged_by"))
        )
        section.add("first", "first flag after, p50", "s", "", first)
        section.add("back_p50", "going on to alive everywhere, p50", "s", "less", lambda s: censored(of(s, "back"), 60))
        section.add("back_max", "going on to alive everywhere, max", "s", "less", lambda s: censored(of(s, "back"), 60, max))
        section.add("flagged_others", "others that it called failed", "", "less", lambda s: sum(of(s, "flagged_others")))


def _leave(results, collected):
    for n in results.values("leave", "n"):
        section = _Section(results, collected, f"Leave by command, N={n}", f"leave.{n}", "leave", n=n)

        def of(samples, name, pick=median):
            return censored([leave[name] for leave in samples["leaves"]], 30, pick)

        section.add("command", "`leave` command p50", "s", "less", lambda s: of(s, "command"))
        section.add("first", "the first lists it left, p50", "s", "less", lambda s: of(s, "first"))
        section.add("all", "all list it left, p50", "s", "less", lambda s: of(s, "all"))
        section.add("all_max", "all list it left, max", "s", "less", lambda s: of(s, "all", max))
        section.add(
            "failed", "agents that called it failed", "", "less", lambda s: sum(leave["failed_at"] for leave in s["leaves"])
        )
        section.add("status", "agent's exit status", "", "", lambda s: s["leaves"][0]["agent_status"])


def _query(results, collected):
    for n in results.values("query", "n"):
        section = _Section(results, collected, f"Query, N={n}", f"query.{n}", "query", n=n)

        def times(samples, name, percent, kind="answered"):
            return percentile([at for query in samples[kind] for at in query[name]], percent)

        def last(samples):
            return median(max(query["responses"]) for query in samples["answered"] if query["responses"])

        section.add("acks", "least acks of a query", "", "more", lambda s: min(len(query["acks"]) for query in s["answered"]))
        section.add(
            "responses",
            "least responses of a query",
            "",
            "more",
            lambda s: min(len(query["responses"]) for query in s["answered"]),
        )
        section.add("ack_p50", "ack p50", "s", "less", lambda s: times(s, "acks", 50))
        section.add("response_p50", "response p50", "s", "less", lambda s: times(s, "responses", 50))
        section.add("response_p99", "response p99", "s", "less", lambda s: times(s, "responses", 99))
        section.add("last", "last response p50", "s", "less", last)
        section.add("done", "end of the query p50", "s", "less", lambda s: censored([q["done"] for q in s["answered"]], 60))
        section.add("command", "`query` command p50", "s", "less", lambda s: median(s["commands"]))
        section.add(
            "nobody_acks", "nobody has a handler: least acks", "", "more", lambda s: min(len(q["acks"]) for q in s["unanswered"])
        )
        section.add(
            "nobody_done",
            "nobody has a handler: end of the query p50",
            "s",
            "less",
            lambda s: censored([q["done"] for q in s["unanswered"]], 60),
        )
        section.add(
            "nobody_command", "nobody has a handler: `query` command p50", "s", "less", lambda s: median(s["commands_unanswered"])
        )


def _encrypted(results, collected):
    for n in results.values("encrypted", "n"):
        section = _Section(results, collected, f"Encrypted, N={n}", f"encrypted.{n}", "encrypted", n=n)
        _idle(section, n)
        _events(section, n)
