"""Runs the steps: each for both programs, in turn or together, each in fresh namespaces."""

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from . import namespace, procfs
from .results import PROGRAMS

PACKAGE_FOLDER = Path(__file__).resolve().parent.parent


class Worker:
    """One step of one program, under way."""

    def __init__(self, step, program, path):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="sidebyside-")
        task = {"kind": step.kind, "program": path, "directory": self.directory, "params": step.params}
        command = [sys.executable, "-m", "sidebyside.worker", json.dumps(task)]
        environment = os.environ | {"PYTHONPATH": str(PACKAGE_FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}
        self._complaints = open(os.path.join(self.directory, "worker.log"), "w+b")
        self.process = namespace.start(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, text=True, env=environment, cwd="/"
        )
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def hear(self, deadline):
        """The next thing it says, as a dict; `failed` when it says nothing any more, or too late."""
        try:
            said = self._lines.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            return {"failed": "not done in the time that the step has"}
        if said is None:
            self._complaints.seek(0)
            words = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
            return {"failed": words[-1] if words else "the worker ended without a word"}
        return said

    def go(self):
        """Lets it measure."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self):
        """Ends it, and with it all that it started."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self._complaints.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Runner:
    """Runs steps; whatever it started ends with `close`."""

    def __init__(self, paths, progress):
        self.paths, self.progress = paths, progress
        self._workers = []

    def close(self):
        """Ends what is still under way."""
        while self._workers:
            self._workers.pop().end()

    def run(self, step, order):
        """Both programs through this step; a record for each, in the order of `PROGRAMS`."""
        groups = [order] if step.together else [[program] for program in order]
        records = [record for group in groups for record in self._run_group(step, group, order[0])]
        return sorted(records, key=lambda record: PROGRAMS.index(record["program"]))

    def _run_group(self, step, group, first):
        """These programs at the same time, from the moment when all are prepared."""
        begin, before = time.monotonic(), procfs.machine_cpu()
        deadline = begin + step.deadline
        workers, ends = {}, {}
        for program in group:
            worker = Worker(step, program, self.paths[program])
            self._workers.append(worker)
            said = worker.hear(deadline)
            if "failed" in said:
                ends[program] = said
            workers[program] = worker
        running = [program for program in group if program not in ends]
        for program in running:
            workers[program].go()
        for program in running:
            ends[program] = workers[program].hear(deadline)
        after = procfs.machine_cpu()
        self.close()
        load = _load(before, after, ends)
        return [self._record(step, program, ends[program], first, load, time.monotonic() - begin) for program in group]

    def _record(self, step, program, end, first, load, took):
        self.progress.say(f"{program}: {end.get('failed') or f'{took:.0f} s'}")
        record = {"kind": step.kind, "params": step.params, "program": program, "first": first, "together": step.together}
        record |= {"took": round(took, 1), "machine": load}
        return record | ({"failed": end["failed"]} if "failed" in end else {"samples": end["result"]})


def _load(before, after, ends):
    """Shares of all cores meanwhile: busy, busy with others than this step, taken by other machines of the same host."""
    spent = {name: after[name] - before[name] for name in before}
    own = sum(end["result"]["cpu_worker"] + end["result"]["cpu_agents"] for end in ends.values() if "result" in end)
    whole = spent["all"] or 1
    complete = all("result" in end for end in ends.values())
    return {
        "busy": round(spent["busy"] / whole, 3),
        "others": round(max(spent["busy"] - own, 0) / whole, 3) if complete else None,
        "steal": round(spent["steal"] / whole, 3),
    }


class Progress:
    """What is being done, on standard error."""

    def __init__(self, total):
        self.total, self.done, self.begin = total, 0, time.monotonic()

    def step(self, step, order):
        """A step begins."""
        self.done += 1
        how = "together" if step.together else f"{order[0]} first"
        minutes, seconds = divmod(int(time.monotonic() - self.begin), 60)
        print(f"[{minutes:2}:{seconds:02}] {self.done}/{self.total} {step.title()} ({how})", file=sys.stderr, flush=True)

    def say(self, text):
        """Something about it."""
        print(f"        {text}", file=sys.stderr, flush=True)


def run_all(planned, paths, on_records):
    """All steps, the programs alternately first; `on_records` gets what each step gave."""
    progress = Progress(len(planned))
    runner = Runner(paths, progress)
    try:
        for number, step in enumerate(planned):
            order = list(PROGRAMS) if number % 2 == 0 else list(reversed(PROGRAMS))
            progress.step(step, order)
            on_records(runner.run(step, order))
    finally:
        runner.close()
