"""The command line: what to run, and whether it can be run here."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from . import plan

REPOSITORY = Path(__file__).resolve().parents[3]


class Wrong(Exception):
    """A setting that cannot be, or a program that is not there."""


def _numbers(least, most, kind=int):
    def parse(text):
        values = []
        for word in text.split(","):
            try:
                value = kind(word)
            except ValueError:
                raise argparse.ArgumentTypeError(
                    f"{word!r} is no number; expected numbers with commas between, such as 10,50"
                ) from None
            if not least <= value <= most:
                raise argparse.ArgumentTypeError(f"{word} is out of range: {least} to {most}")
            values.append(value)
        return sorted(set(values))

    return parse


def _number(least, most, kind=int):
    def parse(text):
        values = _numbers(least, most, kind)(text)
        if len(values) != 1:
            raise argparse.ArgumentTypeError(f"expected one number, not {text!r}")
        return values[0]

    return parse


def _kinds(text):
    for word in text.split(","):
        if word not in plan.KINDS:
            raise argparse.ArgumentTypeError(f"{word!r} is no measurement; there are {', '.join(plan.KINDS)}")
    return text.split(",")


def parser():
    """All options."""
    kinds = "\n".join(f"  {name:10} {what}" for name, what in plan.KINDS.items())
    p = argparse.ArgumentParser(
        prog="run",
        description="Runs Serf's agent and ours through the same steps, each in namespaces of its own, and shows both side by side.",
        epilog=f"measurements:\n{kinds}\n\nNeeds root, for the namespaces. The table goes to standard output, progress to standard error.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--only", type=_kinds, default=list(plan.KINDS), metavar="WHAT,...", help="just these measurements")
    p.add_argument(
        "--sizes", type=_numbers(2, 1000), metavar="N,...", help="cluster sizes of form, burst and idle [10,50,100,200]"
    )
    p.add_argument("--event-sizes", type=_numbers(2, 1000), metavar="N,...", help="cluster sizes of events [50,100]")
    p.add_argument(
        "--nodes", type=_number(3, 1000), metavar="N", help="cluster size of kill, pause, leave, query, encrypted [50]"
    )
    p.add_argument("--load-nodes", type=_number(2, 1000), metavar="N", help="cluster size of load [20]")
    p.add_argument(
        "--rates", type=_numbers(0.1, 5000, float), metavar="R,...", help="events per second of load [10,20,50,100,500]"
    )
    p.add_argument(
        "--runs",
        type=_number(1, 100),
        metavar="K",
        help="formations per size [form: 3, 1 above 100 agents; burst: 5, 3 above 100]",
    )
    p.add_argument(
        "--window",
        type=_number(1, 3600, float),
        metavar="S",
        help="seconds of idleness watched at --nodes agents; at most 60 elsewhere [200]",
    )
    p.add_argument("--events", type=_number(1, 10000), metavar="K", help="events timed by stream [40]")
    p.add_argument("--rounds", type=_number(1, 1000), metavar="K", help="rounds of four kills [10]")
    p.add_argument("--pauses", type=_numbers(0.1, 600, float), metavar="S,...", help="lengths of pauses [3,8,20]")
    p.add_argument(
        "--seed", type=_number(0, 2**32), default=1, metavar="K", help="of random choices, which both programs meet alike [1]"
    )
    p.add_argument(
        "--apart", action="store_true", help="never both programs at once, not even where only timers count (takes longer)"
    )
    p.add_argument("--quick", action="store_true", help="three agents, short and few: does it work at all?")
    p.add_argument("--serf", metavar="FILE", help="Serf's program [serf in $PATH]")
    p.add_argument("--rumor", metavar="FILE", help="our program [target/release/rumor]")
    p.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where index.html and results.json go [reports/agent; with --quick target/compare-quick]",
    )
    p.add_argument("--format", choices=("text", "json"), default="text", help="of the table on standard output")
    p.add_argument("--page-only", action="store_true", help="run nothing: table and page anew from DIR/results.json")
    return p


_FULL = {
    "sizes": [10, 50, 100, 200],
    "event_sizes": [50, 100],
    "nodes": 50,
    "load_nodes": 20,
    "rates": [10, 20, 50, 100, 500],
    "window": 200,
    "events": 40,
    "rounds": 10,
    "pauses": [3, 8, 20],
    "out": REPOSITORY / "reports" / "agent",
}
_QUICK = {
    "sizes": [3],
    "event_sizes": [3],
    "nodes": 3,
    "load_nodes": 3,
    "rates": [20],
    "window": 2,
    "events": 3,
    "rounds": 1,
    "pauses": [1],
    "out": REPOSITORY / "target" / "compare-quick",
}


def options(arguments):
    """The options, with defaults for what was not said."""
    said = parser().parse_args(arguments)
    for name, value in (_QUICK if said.quick else _FULL).items():
        if getattr(said, name) is None:
            setattr(said, name, value)
    said.rates = [int(rate) if rate == int(rate) else rate for rate in said.rates]
    said.pauses = [int(length) if length == int(length) else length for length in said.pauses]
    return said


def programs(said):
    """Both programs' paths. Wrong when one is not there."""
    serf = said.serf or shutil.which("serf")
    if not serf:
        raise Wrong("there is no `serf` in $PATH (Debian: apt-get install serf); --serf FILE says where it is")
    rumor = said.rumor or str(REPOSITORY / "target" / "release" / "rumor")
    found = {"serf": str(serf), "rumor": str(rumor)}
    for name, path in found.items():
        if not os.access(path, os.X_OK) or os.path.isdir(path):
            hint = " (cargo build --release -p rumormill-tokio builds it)" if name == "rumor" else ""
            raise Wrong(f"--{name} {path}: no program that can be run{hint}")
    return {name: os.path.realpath(path) for name, path in found.items()}


def fail(message, status=1):
    """Says what is wrong, and ends."""
    print(f"run: {message}", file=sys.stderr)
    sys.exit(status)
