"""Msgpack, as far as Serf's RPC uses it: nil, booleans, integers, floats, str, bin, arrays, maps."""

import struct


class Malformed(ValueError):
    """Bytes that are no msgpack of this kind."""


def pack(value):
    """The bytes of a value."""
    out = bytearray()
    _pack(value, out)
    return bytes(out)


def _pack(value, out):
    if value is None:
        out.append(0xC0)
    elif value is True or value is False:
        out.append(0xC3 if value else 0xC2)
    elif isinstance(value, int):
        _pack_int(value, out)
    elif isinstance(value, float):
        out += struct.pack(">Bd", 0xCB, value)
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        _pack_length(len(data), out, (0xA0, 32), (0xD9, 0xDA, 0xDB))
        out += data
    elif isinstance(value, (bytes, bytearray)):
        _pack_length(len(value), out, None, (0xC4, 0xC5, 0xC6))
        out += value
    elif isinstance(value, (list, tuple)):
        _pack_length(len(value), out, (0x90, 16), (None, 0xDC, 0xDD))
        for item in value:
            _pack(item, out)
    elif isinstance(value, dict):
        _pack_length(len(value), out, (0x80, 16), (None, 0xDE, 0xDF))
        for key, item in value.items():
            _pack(key, out)
            _pack(item, out)
    else:
        raise TypeError(f"no msgpack for {type(value).__name__}")


def _pack_int(value, out):
    if -32 <= value < 128:
        out += struct.pack("b", value) if value < 0 else bytes((value,))
    elif value >= 0:
        for mark, form, bits in ((0xCC, ">BB", 8), (0xCD, ">BH", 16), (0xCE, ">BI", 32), (0xCF, ">BQ", 64)):
            if value < 1 << bits:
                out += struct.pack(form, mark, value)
                return
        raise OverflowError(f"{value} takes more than 64 bits")
    else:
        for mark, form, bits in ((0xD0, ">Bb", 7), (0xD1, ">Bh", 15), (0xD2, ">Bi", 31), (0xD3, ">Bq", 63)):
            if value >= -(1 << bits):
                out += struct.pack(form, mark, value)
                return
        raise OverflowError(f"{value} takes more than 64 bits")


def _pack_length(length, out, short, marks):
    if short and length < short[1]:
        out.append(short[0] | length)
    elif marks[0] is not None and length < 1 << 8:
        out += struct.pack(">BB", marks[0], length)
    elif length < 1 << 16:
        out += struct.pack(">BH", marks[1], length)
    else:
        out += struct.pack(">BI", marks[2], length)


_FIXED = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_FIXED = {mark: struct.Struct(form) for mark, form in _FIXED.items()}
# What a length is of, and how many bytes it has.
_SIZED = {
    0xC4: (bytes, 1),
    0xC5: (bytes, 2),
    0xC6: (bytes, 4),
    0xD9: (str, 1),
    0xDA: (str, 2),
    0xDB: (str, 4),
    0xDC: (list, 2),
    0xDD: (list, 4),
    0xDE: (dict, 2),
    0xDF: (dict, 4),
}
_CONSTANT = {0xC0: None, 0xC2: False, 0xC3: True}


def unpack(data, at=0):
    """The value that begins at `at`, and where the next one does. IndexError when it is not all there yet."""
    mark = data[at]
    at += 1
    if mark < 0x80:
        return mark, at
    if mark < 0x90:
        return _unpack_map(data, at, mark & 0x0F)
    if mark < 0xA0:
        return _unpack_array(data, at, mark & 0x0F)
    if mark < 0xC0:
        raw, at = _take(data, at, mark & 0x1F)
        return raw.decode("utf-8", "surrogateescape"), at
    if mark >= 0xE0:
        return mark - 0x100, at
    if mark in _FIXED:
        form = _FIXED[mark]
        raw, at = _take(data, at, form.size)
        return form.unpack(raw)[0], at
    if mark in _SIZED:
        kind, width = _SIZED[mark]
        raw, at = _take(data, at, width)
        length = int.from_bytes(raw, "big")
        if kind is list:
            return _unpack_array(data, at, length)
        if kind is dict:
            return _unpack_map(data, at, length)
        raw, at = _take(data, at, length)
        return (raw if kind is bytes else raw.decode("utf-8", "surrogateescape")), at
    if mark in _CONSTANT:
        return _CONSTANT[mark], at
    raise Malformed(f"no msgpack value begins with {mark:#04x}")


def _take(data, at, length):
    end = at + length
    if end > len(data):
        raise IndexError
    return bytes(data[at:end]), end


def _unpack_array(data, at, length):
    items = []
    for _ in range(length):
        item, at = unpack(data, at)
        items.append(item)
    return items, at


def _unpack_map(data, at, length):
    items = {}
    for _ in range(length):
        key, at = unpack(data, at)
        items[key], at = unpack(data, at)
    return items, at


class Unpacker:
    """Values from bytes that come in pieces."""

    def __init__(self):
        self._data = b""

    def feed(self, data):
        """Takes more bytes, and yields every value that is whole."""
        self._data += data
        at = 0
        try:
            while at < len(self._data):
                value, at = unpack(self._data, at)
                yield value
        except IndexError:
            pass
        finally:
            self._data = self._data[at:]
