"""What Python's serfclient sees of an agent, a line for each thing.

usage: check_serfclient.py HOST PORT TOKEN PEER

The agent wants TOKEN, is named "a", has a tag role=web and answers the query "load"; "b" is in its cluster; PEER is where b is
reached. Lines have to be the same for Serf's agent and ours. What serfclient does not offer goes through its `call`, and where it
cannot read the answers (its stream reader loses records that come with the reply), through its socket.
"""

import sys

import msgpack
from serfclient.client import SerfClient

host, port, token, peer = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


def shown(value):
    """A value with its type, maps by key: what a client would notice."""
    if isinstance(value, dict):
        return "{" + ", ".join("%s: %s" % (shown(k), shown(value[k])) for k in sorted(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    return repr(value)


def say(what, value):
    print("%s: %s" % (what, shown(value)))


def by_name(result):
    return sorted(result.body["Members"], key=lambda m: m["Name"])


def error(result):
    return result.head["Error"]


class Raw:
    """The connection of a client, read object by object."""

    def __init__(self, client):
        self.socket = client.connection._socket
        self.socket.settimeout(20)
        self.unpacker = msgpack.Unpacker()
        self.seq = 1000

    def send(self, command, body=None):
        self.seq += 1
        self.socket.sendall(msgpack.packb({"Command": command, "Seq": self.seq}))
        if body is not None:
            self.socket.sendall(msgpack.packb(body))
        return self.seq

    def read(self):
        """The next object; None at the end."""
        while True:
            try:
                return self.unpacker.unpack()
            except msgpack.OutOfData:
                data = self.socket.recv(4096)
                if not data:
                    return None
                self.unpacker.feed(data)


def connect():
    return SerfClient(host=host, port=port, rpc_auth=token, timeout=20)


# Handshake and authentication.
plain = SerfClient(host=host, port=port, timeout=20)
say("before auth", error(plain.connection.call("members", expect_body=False)))
say("wrong token", error(plain.connection.auth("wrong")))
say("right token", error(plain.connection.auth(token)))
say("second handshake", error(plain.connection.handshake()))
say("other version", error(SerfClient(host=host, port=port, timeout=20).connection.call(
    "handshake", {"Version": 9}, expect_body=False)))
plain.close()

# Members.
client = connect()
for m in by_name(client.members()):
    say("member", m)
say("by name", [m["Name"] for m in by_name(client.members(name="b"))])
say("by any name", [m["Name"] for m in by_name(client.members(name=""))])
say("by more than a name", [m["Name"] for m in by_name(client.members(name="bb"))])
say("by status", [m["Name"] for m in by_name(client.members(status="alive"))])
say("by tag", [m["Name"] for m in by_name(client.members(tags={"role": "w.*"}))])
say("nobody", client.members(name="nobody").body)

# Tags.
say("tags", error(client.connection.call("tags", {"Tags": {"k": "v=w"}, "DeleteTags": []}, expect_body=False)))
say("with the tag", [shown(m["Tags"]) for m in by_name(client.members(name="a"))])
say("tags deleted", error(client.connection.call("tags", {"DeleteTags": ["k"]}, expect_body=False)))
say("without the tag", [shown(m["Tags"]) for m in by_name(client.members(name="a"))])

# Events, and a stream of them.
listener = connect()
stream = listener.stream("user:deploy,user:empty")
say("stream", stream.head)
say("event", error(client.event("deploy", "v1\n", coalesce=False)))
say("other event", error(client.event("unheard", "x", coalesce=False)))
say("empty event", error(client.event("empty", coalesce=False)))
for name in ["deploy", "empty"]:
    record = next(stream.body)
    body = dict(record.body)
    body["LTime"] = type(body["LTime"]).__name__
    # A payload that is not there may be null or empty.
    body["Payload"] = body["Payload"] or b""
    say("streamed", {"Seq": record.head["Seq"], "Error": record.head["Error"], "Body": body})
listener.close()
say("long event", error(client.event("x" * 600)))

# A stream that is refused, and one that is stopped.
raw = Raw(connect())
seq = raw.send("stream", {"Type": "nosuch"})
say("bad filter", raw.read()["Error"])
seq = raw.send("stream", {"Type": "query"})
say("queries", raw.read()["Error"])

# A query: asked on one connection, answered on another.
asker = Raw(connect())
asked = asker.send("query", {"Name": "ask", "Payload": b"who?", "RequestAck": True, "Timeout": 2_000_000_000,
                            "FilterNodes": ["a"]})
say("query", asker.read())
header, query = raw.read(), raw.read()
say("query heard", {key: value for key, value in query.items() if key != "LTime"})
raw.send("respond", {"ID": query["ID"], "Payload": b"me"})
say("respond", raw.read()["Error"])
raw.send("respond", {"ID": 9999, "Payload": b"me"})
say("respond to nothing", raw.read()["Error"])
records = []
while not records or records[-1]["Type"] != "done":
    header = asker.read()
    assert header["Seq"] == asked and not header["Error"], header
    record = asker.read()
    # At the end of a query Serf may send some acks and answers of nobody: what its closed channels give.
    if record["From"] or record["Type"] == "done":
        records.append(record)
for record in sorted(records, key=lambda record: record["Type"]):
    record["Payload"] = record["Payload"] or b""
    say("answer", record)
raw.send("stop", {"Stop": seq})
say("stop", raw.read()["Error"])
raw.send("stop", {"Stop": 4711})
say("stop of nothing", raw.read()["Error"])
asker.send("query", {"Name": "_serf_internal"})
say("reserved query", asker.read()["Error"])

# Joining and leaving.
say("join", client.join(peer).body)
say("join of all", client.join([peer, peer]).body)
failed = client.join("127.0.0.1:9")
say("failed join", {"Error": bool(error(failed)), "Body": failed.body})

# Figures and coordinates.
stats = client.stats().body
say("stats", {section: sorted(stats[section]) for section in stats})
say("name", stats["agent"]["name"])
place = client.connection.call("get-coordinate", {"Node": "a"}).body
say("coordinate", {"Ok": place["Ok"], "Coord": {key: type(value).__name__ for key, value in place["Coord"].items()},
                   "Dimensions": len(place["Coord"]["Vec"])})
say("coordinate of nobody", client.connection.call("get-coordinate", {"Node": "nobody"}).body["Ok"])

# Keys, of a cluster without: the body comes with the error.
keys = client.connection.call("list-keys")
say("keys", {"Error": bool(error(keys)), "Body": sorted(keys.body)})

# The log.
raw.send("monitor", {"LogLevel": "debug"})
say("monitor", raw.read()["Error"])
raw.read()
say("log", [(key, type(value).__name__) for key, value in raw.read().items()])

# What there is not: the connection ends.
raw = Raw(connect())
raw.send("nosuch")
say("unknown command", raw.read()["Error"])
say("then", raw.read())

# b lives, and says so: nothing comes of it.
say("force-leave", error(client.force_leave("b")))
print("done")
