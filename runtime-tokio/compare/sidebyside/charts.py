"""Which charts the page has."""

from .results import PROGRAMS
from .rows import Over
from .svg import COLOURS, Line, chart, distribution


def charts(results, rows):
    """All charts for which there are figures, as SVG."""
    by_key = {row.key: row for row in rows}
    drawn = [
        _formation(results, by_key),
        _over_n(results, by_key, "Idle CPU", "CPU s per agent-minute", "cpu"),
        _over_n(results, by_key, "Idle traffic", "bytes on lo per agent-second", "bytes"),
        _over_n(results, by_key, "Memory", "PSS per agent, MiB", "pss"),
        *(_latency(results, n) for n in results.values("events", "n")),
        _delivered(results, by_key),
        *(_load_latency(results, rate) for rate in results.values("load", "rate")[-1:]),
        _kills(results),
    ]
    return [svg for svg in drawn if svg]


def _marks(lines):
    """Where there are points."""
    return sorted({x for line in lines for x, _ in line.points})


def _formation(results, by_key):
    lines = []
    for kind, words in (("form", "one by one"), ("burst", "all at once")):
        for program in PROGRAMS:
            points, hollow = [], set()
            for n in results.values(kind, "n"):
                value = by_key[f"{kind}.{n}.from_first"].values[program] if f"{kind}.{n}.from_first" in by_key else None
                if isinstance(value, Over):
                    hollow.add(len(points))
                    value = value.limit
                if value:
                    points.append((n, value))
            lines.append(Line(f"{program}, {words}", COLOURS[program], points, kind == "form", hollow=hollow))
    return chart("Until all agents list all (hollow: not in that time)", "agents", "seconds", lines, True, True, _marks(lines))


def _over_n(results, by_key, title, y_label, name):
    lines = []
    for program in PROGRAMS:
        found = [(n, by_key.get(f"idle.{n}.{name}")) for n in results.values("idle", "n")]
        points = [(n, row.values[program]) for n, row in found if row and row.values[program] is not None]
        lines.append(Line(program, COLOURS[program], points))
    return chart(title, "agents", y_label, lines, log_x=True, x_ticks=_marks(lines))


def _latency(results, n):
    lines = []
    for program in PROGRAMS:
        samples = results.samples("events", program, n=n)
        if samples:
            times = [1e3 * took for event in samples["events"] for took in event["others"]]
            lines.append(Line(f"{program}, stream", COLOURS[program], distribution(times), marks=False))
            times = [1e3 * took for event in samples["handled"] for took in event]
            lines.append(Line(f"{program}, handler", COLOURS[program], distribution(times), True, marks=False))
    return chart(f"An event at each of {n} agents", "ms after it was sent", "share of deliveries", lines)


def _delivered(results, by_key):
    lines = []
    n = (results.params("load") or {"n": 0})["n"]
    for name, words, dashed in (("delivered", "in the end", False), ("at_end", "when sending ends", True)):
        for program in PROGRAMS:
            found = [(rate, by_key.get(f"load.{n}.{rate}.{name}")) for rate in results.values("load", "rate")]
            points = [(rate, row.values[program]) for rate, row in found if row and row.values[program] is not None]
            lines.append(Line(f"{program}, {words}", COLOURS[program], points, dashed))
    return chart(
        "Share of the accepted events that others got", "events per second", "share", lines, log_x=True, x_ticks=_marks(lines)
    )


def _load_latency(results, rate):
    lines = []
    for program in PROGRAMS:
        samples = results.samples("load", program, rate=rate)
        at = samples["latency"]["at"] if samples else []
        points = [(max(took, 1e-4), k / (len(at) - 1)) for k, took in enumerate(at)][::2]
        lines.append(Line(program, COLOURS[program], points, marks=False))
    return chart(f"Latency of what arrived at {rate} events/s", "seconds", "share of deliveries", lines, log_x=True)


def _kills(results):
    lines = []
    for name, words, dashed in (("first", "first lists it failed", True), ("all", "all do", False)):
        for program in PROGRAMS:
            samples = results.samples("kill", program)
            times = [kill[name] for kill in samples["kills"] if kill[name] is not None] if samples else []
            lines.append(Line(f"{program}, {words}", COLOURS[program], distribution(times), dashed, marks=False))
    return chart("kill -9", "seconds after the kill", "share of kills", lines)
