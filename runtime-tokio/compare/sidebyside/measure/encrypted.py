"""An encrypted cluster: idle, then events."""

import base64

from ..rpc import now
from . import events, idle


def prepare(bench):
    """A cluster that shares a key of 32 bytes."""
    key = base64.b64encode(bench.random.randbytes(32)).decode()
    return events.prepare(bench, ["-encrypt", key])


def measure(bench, cluster):
    """A window without anybody connected, then events by stream."""
    cluster.disconnect()
    cluster.hub.pump_until(now() + 1)
    window = idle.window(cluster, bench["window"])
    cluster.connect()
    return window | events.measure(bench, cluster)
