"""Serf's RPC: many connections, one thread. Replies and records carry the time at which their bytes were read."""

import selectors
import socket
import time

from .codec import Malformed, Unpacker, pack

now = time.monotonic

# Commands whose reply has a body; that of a join comes with an error too.
BODIES = {"join", "members", "members-filtered", "stats"}
CLOSED = "connection closed"


class RpcError(Exception):
    """An agent refused a command, or did not answer."""


class _Request:
    def __init__(self, command, on_reply, on_record):
        self.command, self.on_reply, self.on_record = command, on_reply, on_record
        self.answered = False


class Client:
    """One connection to one agent. `Hub` makes it and reads from it."""

    def __init__(self, sock, selector):
        self.sock = sock
        self._selector = selector
        self._interest = selectors.EVENT_READ
        selector.register(sock, self._interest, self)
        self.closed = False
        self._sequence = 0
        self._unpacker = Unpacker()
        self._requests = {}
        self._header = None
        self._unsent = b""

    def send(self, command, body=None, on_reply=None, on_record=None):
        """Sends a command. `on_reply(at, error, body)` is called once, `on_record(at, body)` for each record that follows."""
        if self.closed:
            if on_reply:
                on_reply(now(), CLOSED, None)
            return
        sequence = self._sequence
        self._sequence += 1
        self._requests[sequence] = _Request(command, on_reply, on_record)
        data = pack({"Command": command, "Seq": sequence})
        if body is not None:
            data += pack(body)
        self._unsent += data
        self.flush()

    def flush(self):
        """Writes what the socket takes."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                break
            except OSError:
                self._fail()
                return
        interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        if interest != self._interest:
            self._interest = interest
            self._selector.modify(self.sock, interest, self)

    def read(self):
        """Reads what is there, and calls whom it concerns."""
        try:
            data = self.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        at = now()
        if not data:
            self._fail()
            return
        try:
            for value in self._unpacker.feed(data):
                self._take(at, value)
        except (Malformed, KeyError, TypeError) as error:
            self._fail(f"an answer that is no answer of Serf's RPC: {error!r}")

    def _take(self, at, value):
        if self._header is not None:
            request, error = self._header
            self._header = None
            if request.answered:
                request.on_record(at, value)
            else:
                self._answer(at, request, error, value)
            return
        request, error = self._requests[value["Seq"]], value["Error"]
        has_body = request.answered or (request.command in BODIES and (not error or request.command == "join"))
        if has_body:
            self._header = (request, error)
        else:
            self._answer(at, request, error, None)
        if not request.on_record:
            del self._requests[value["Seq"]]

    def _answer(self, at, request, error, body):
        request.answered = True
        if request.on_reply:
            request.on_reply(at, error, body)

    def _fail(self, why=CLOSED):
        if self.closed:
            return
        self.closed = True
        self._selector.unregister(self.sock)
        self.sock.close()
        waiting = [request for request in self._requests.values() if not request.answered]
        self._requests.clear()
        at = now()
        for request in waiting:
            if request.on_reply:
                request.on_reply(at, why, None)

    def close(self):
        """Ends the connection."""
        self._fail()


class Hub:
    """Connections, read in turn by `pump`."""

    def __init__(self):
        self._selector = selectors.DefaultSelector()

    def connect(self, port):
        """A connection to the agent at this port of 127.0.0.1, its handshake under way; OSError when nobody listens."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setblocking(False)
        client = Client(sock, self._selector)
        client.send("handshake", {"Version": 1})
        return client

    def add_reader(self, fd, on_ready):
        """Calls `on_ready()` whenever this file can be read."""
        self._selector.register(fd, selectors.EVENT_READ, on_ready)

    def remove_reader(self, fd):
        """No more of that."""
        self._selector.unregister(fd)

    def pump(self, seconds):
        """Reads from whoever has something, waiting at most this long for the first."""
        for key, events in self._selector.select(max(seconds, 0)):
            client = key.data
            if not isinstance(client, Client):
                client()
                continue
            if events & selectors.EVENT_WRITE and not client.closed:
                client.flush()
            if events & selectors.EVENT_READ and not client.closed:
                client.read()

    def pump_until(self, deadline, done=None):
        """Pumps until the condition holds or the time is up; says whether it holds."""
        while not (done and done()):
            left = deadline - now()
            if left <= 0:
                return False
            self.pump(left)
        return True

    def call(self, client, command, body=None, timeout=30):
        """Sends a command and waits for its body. RpcError when it is refused or late."""
        got = []
        client.send(command, body, on_reply=lambda at, error, reply: got.append((error, reply)))
        if not self.pump_until(now() + timeout, lambda: got):
            raise RpcError(f"{command}: no answer within {timeout} s")
        error, reply = got[0]
        if error:
            raise RpcError(f"{command}: {error}")
        return reply
