"""Agents as processes, and clusters of them. All listen on 127.0.0.1 with ports of their own; all die with this process, since it is
the first of its PID namespace."""

import os
import subprocess

from . import procfs
from .rpc import Hub, now

BIND_PORT, RPC_PORT = 10_000, 20_000
# How long an agent may take to answer its first command.
START_SECONDS_MAX = 60


class AgentFailed(Exception):
    """An agent ended, or never answered."""


class Agent:
    """One agent."""

    def __init__(self, program, index, directory, options=()):
        self.program, self.index = program, index
        self.name = f"n{index}"
        self.bind = f"127.0.0.1:{BIND_PORT + index}"
        self.rpc_port = RPC_PORT + index
        self.rpc = f"127.0.0.1:{self.rpc_port}"
        self.log = os.path.join(directory, f"{self.name}.log")
        self.options = list(options)
        self.process = None

    def start(self, join=None):
        """Starts the process; its log is appended."""
        command = [self.program, "agent", "-node", self.name, "-bind", self.bind, "-rpc-addr", self.rpc]
        command += ["-log-level", "warn", "-profile", "lan", *self.options]
        if join:
            command += ["-join", join]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def pid(self):
        """Its process."""
        return self.process.pid

    def ended(self):
        """Whether it is gone."""
        return self.process.poll() is not None

    def wait(self, seconds):
        """Its exit status, negative for a signal; None when it is still there after that time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        """Ends it without a word."""
        if self.process and not self.ended():
            self.process.kill()
            self.process.wait()

    def words(self):
        """The end of its log."""
        with open(self.log, "rb") as log:
            return log.read()[-400:].decode("utf-8", "replace").strip()


class Cluster:
    """Agents of one program, and a connection to each."""

    def __init__(self, program, n, directory, options=()):
        self.hub = Hub()
        self.agents = [Agent(program, i, directory, options) for i in range(n)]
        self.clients = [None] * n
        self.restarts = 0

    def __len__(self):
        return len(self.agents)

    def try_connect(self, index):
        """Connects to an agent if it listens by now; says whether there is a connection."""
        client = self.clients[index]
        if client is None or client.closed:
            try:
                self.clients[index] = self.hub.connect(self.agents[index].rpc_port)
            except OSError:
                return False
        return True

    def start(self, indices=None, join=None):
        """Starts agents and waits until each takes commands."""
        indices = range(len(self)) if indices is None else indices
        for i in indices:
            self.agents[i].start(join)
        self.connect(indices)

    def connect(self, indices=None):
        """Connects to these agents, however long they take to listen."""
        deadline = now() + START_SECONDS_MAX
        waiting = list(range(len(self)) if indices is None else indices)
        while waiting := [i for i in waiting if not self.try_connect(i)]:
            agent = self.agents[waiting[0]]
            if agent.ended():
                raise AgentFailed(f"{agent.name} ended with status {agent.process.returncode}: {agent.words()}")
            if now() > deadline:
                raise AgentFailed(f"{agent.name} takes no commands after {START_SECONDS_MAX} s: {agent.words()}")
            self.hub.pump(0.002)

    def disconnect(self):
        """Closes all connections, so that agents serve nobody."""
        for client in self.clients:
            if client:
                client.close()
        self.clients = [None] * len(self)

    def call(self, index, command, body=None, timeout=30):
        """A command to one agent."""
        return self.hub.call(self.clients[index], command, body, timeout)

    def cpu_seconds(self):
        """CPU time of each agent so far."""
        return [procfs.cpu_seconds(agent.pid) for agent in self.agents]

    def memory(self):
        """What each agent holds."""
        return [procfs.memory(agent.pid) for agent in self.agents]

    def log_lines(self):
        """How many lines all agents logged, beyond those of their start."""
        return sum(agent_lines(agent.log) for agent in self.agents)

    def kill(self):
        """Ends all."""
        for agent in self.agents:
            if agent.process and not agent.ended():
                agent.process.kill()
        for agent in self.agents:
            if agent.process:
                agent.process.wait()


def agent_lines(path):
    """Warnings and errors in a log."""
    with open(path, "rb") as log:
        return sum(1 for line in log if b"[WARN]" in line or b"[ERR]" in line)
