"""The RPC client, against a socket that plays the agent."""

import socket
import unittest

from sidebyside.codec import pack
from sidebyside.rpc import Hub, RpcError, now


class Rpc(unittest.TestCase):
    """Which bytes belong to which request."""

    def setUp(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.hub = Hub()
        self.client = self.hub.connect(listener.getsockname()[1])
        self.agent, _ = listener.accept()
        listener.close()
        self.answer({"Seq": 0, "Error": ""})

    def tearDown(self):
        self.client.close()
        self.agent.close()

    def answer(self, *values):
        """The agent says this."""
        self.agent.sendall(b"".join(pack(value) for value in values))

    def test_a_body_belongs_to_its_header(self):
        self.answer({"Seq": 1, "Error": ""}, {"serf": {"members": "3"}})
        self.assertEqual(self.hub.call(self.client, "stats", timeout=5), {"serf": {"members": "3"}})

    def test_a_refusal_has_no_body_but_that_of_a_join_has(self):
        for command, words, answers in (
            ("stats", "stats: no$", [{"Seq": 1, "Error": "no"}]),
            ("join", "join: nobody there$", [{"Seq": 2, "Error": "nobody there"}, {"Num": 0}]),
        ):
            self.answer(*answers)
            with self.assertRaisesRegex(RpcError, words):
                self.hub.call(self.client, command, {}, timeout=5)
        self.answer({"Seq": 3, "Error": ""})
        self.assertIsNone(self.hub.call(self.client, "event", {}, timeout=5))

    def test_records_follow_a_stream_and_others_come_between(self):
        got = []
        self.client.send("stream", {"Type": "user"}, on_record=lambda at, record: got.append(record["Name"]))
        self.answer(
            {"Seq": 1, "Error": ""},
            {"Seq": 1, "Error": ""},
            {"Name": "a"},
            {"Seq": 2, "Error": ""},
            {"Seq": 1, "Error": ""},
            {"Name": "b"},
        )
        self.hub.call(self.client, "event", {}, timeout=5)
        self.assertTrue(self.hub.pump_until(now() + 5, lambda: len(got) == 2))
        self.assertEqual(got, ["a", "b"])

    def test_who_waits_hears_of_the_end(self):
        self.agent.close()
        with self.assertRaisesRegex(RpcError, "closed"):
            self.hub.call(self.client, "stats", timeout=5)
        with self.assertRaisesRegex(RpcError, "closed"):
            self.hub.call(self.client, "stats", timeout=5)

    def test_nonsense_ends_the_connection_and_says_so(self):
        self.agent.sendall(b"\xc1")
        with self.assertRaisesRegex(RpcError, "no answer of Serf's RPC"):
            self.hub.call(self.client, "stats", timeout=5)


if __name__ == "__main__":
    unittest.main()
