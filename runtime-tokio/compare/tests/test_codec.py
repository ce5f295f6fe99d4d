"""The msgpack codec."""

import unittest

from sidebyside.codec import Malformed, Unpacker, pack, unpack


class Codec(unittest.TestCase):
    """Bytes as the specification has them."""

    def test_known_bytes(self):
        for value, data in [
            (None, b"\xc0"),
            (True, b"\xc3"),
            (7, b"\x07"),
            (-1, b"\xff"),
            (-32, b"\xe0"),
            (-33, b"\xd0\xdf"),
            (128, b"\xcc\x80"),
            (65535, b"\xcd\xff\xff"),
            (1 << 32, b"\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
            (-(1 << 15), b"\xd1\x80\x00"),
            (1.5, b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
            ("a", b"\xa1a"),
            (b"a", b"\xc4\x01a"),
            ([1], b"\x91\x01"),
            ({"a": 1}, b"\x81\xa1a\x01"),
            ("x" * 32, b"\xd9\x20" + b"x" * 32),
        ]:
            with self.subTest(value=value):
                self.assertEqual(pack(value), data)
                self.assertEqual(unpack(data), (value, len(data)))

    def test_every_width_of_length_comes_back(self):
        for length in (0, 15, 16, 31, 32, 255, 256, 65535, 65536):
            for value in ("s" * length, b"b" * length, [0] * length, {k: None for k in range(length)}):
                self.assertEqual(unpack(pack(value))[0], value)

    def test_text_that_is_no_utf8_survives(self):
        self.assertEqual(pack(unpack(b"\xa1\xff")[0]), b"\xa1\xff")

    def test_what_is_not_msgpack_is_refused(self):
        with self.assertRaises(Malformed):
            unpack(b"\xc1")
        with self.assertRaises(OverflowError):
            pack(1 << 64)
        with self.assertRaises(TypeError):
            pack(object())


class Pieces(unittest.TestCase):
    """A stream cut anywhere gives the same values."""

    def test_byte_by_byte(self):
        values = [
            {"Seq": 1, "Error": ""},
            {"Members": [{"Name": "n" * 40, "Addr": b"\x7f\0\0\1", "Port": 7946, "Tags": {}}]},
            -5,
            2.5,
        ]
        data = b"".join(pack(value) for value in values)
        unpacker, got = Unpacker(), []
        for k in range(len(data)):
            got += unpacker.feed(data[k : k + 1])
        self.assertEqual(got, values)
        self.assertEqual(list(unpacker.feed(data)), values)


if __name__ == "__main__":
    unittest.main()
