"""The whole run: options, steps, table, page."""

import json
import shlex
import signal
import subprocess
import sys
import time

from . import bars, cli, namespace, plan, procfs, runner, table
from .page import page
from .results import Results, Unreadable
from .rows import rows

# Together, page and samples stay below this, to be committed.
OUT_BYTES_MAX = 1_000_000


def main(arguments):
    """Runs it; the exit status is 0 when all steps gave figures, 1 otherwise, 130 after an interrupt, 143 after a SIGTERM."""
    said = cli.options(arguments)
    # Also where whoever started us ignores it, as shells do for what runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        results = _reread(said) if said.page_only else _run(said, arguments)
    except (cli.Wrong, namespace.Unable, Unreadable) as error:
        cli.fail(str(error))
    except KeyboardInterrupt:
        cli.fail("interrupted; all agents have been ended", 130)
    _show(results, said)
    if not results.about["complete"] or results.failures():
        sys.exit(1)


def _reread(said):
    path = said.out / "results.json"
    results = Results.read(path)
    try:
        _write(results, said.out)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise Unreadable(f"{path}: lacks what a run of this script writes ({error!r})") from None
    return results


def _run(said, arguments):
    paths = cli.programs(said)
    namespace.check()
    _prepare(said.out)
    planned = plan.steps(said)
    results = Results(_about(paths, arguments) | {"quick": said.quick}, [])
    begin = time.monotonic()
    done = 0

    def on_records(records):
        nonlocal done
        done += 1
        results.records.extend(records)
        results.about |= {"took": round(time.monotonic() - begin, 1), "complete": done == len(planned)}
        # After each step, so that an end at any time costs one step.
        _write(results, said.out)

    runner.run_all(planned, paths, on_records)
    return results


def _prepare(out):
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cli.Wrong(f"--out {out}: {error.strerror}") from None


def _about(paths, arguments):
    """What is run, and where."""
    versions = {}
    for name, path in paths.items():
        try:
            said = subprocess.run([path, "version"], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise cli.Wrong(f"--{name} {path}: `version` cannot be run: {error}") from None
        versions[name] = " ".join(said.stdout.split()) or "unknown"
    command = shlex.join(["runtime-tokio/compare/run", *_without_paths(arguments)])
    began = time.strftime("%Y-%m-%d", time.gmtime())
    return {"versions": versions, "machine": procfs.machine(), "command": command, "began": began, "took": 0, "complete": False}


def _without_paths(arguments):
    """The arguments without those that say where things are on this machine."""
    kept, skip = [], False
    for word in arguments:
        if skip:
            skip = False
        elif word in ("--serf", "--rumor", "--out"):
            skip = True
        elif not word.startswith(("--serf=", "--rumor=", "--out=")):
            kept.append(word)
    return kept


def _write(results, out):
    try:
        results.write(out / "results.json")
        (out / "index.html").write_text(page(results, rows(results)))
    except OSError as error:
        raise cli.Wrong(f"{error.filename or out}: {error.strerror}") from None
    size = sum((out / name).stat().st_size for name in ("results.json", "index.html"))
    if size > OUT_BYTES_MAX:
        print(f"run: {out} holds {size} bytes, more than the {OUT_BYTES_MAX} that are meant to be committed", file=sys.stderr)


def _show(results, said):
    collected = rows(results)
    demands = bars.bars(collected)
    if said.format == "json":
        held = [{"demand": bar.demand, "observed": bar.observed, "held": bar.held} for bar in demands]
        print(json.dumps({"about": results.about, "rows": table.objects(collected), "bars": held}, indent=1))
        return
    print(table.text(collected, colour=sys.stdout.isatty()))
    print()
    print(bars.text([bar for bar in demands if bar.held is not None]))
    for record in results.failures():
        print(f"failed: {record['kind']} {record['program']}: {record['failed']}", file=sys.stderr)
    print(f"wrote {said.out / 'index.html'} and results.json", file=sys.stderr)
