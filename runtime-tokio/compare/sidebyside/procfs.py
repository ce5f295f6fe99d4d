"""What the kernel says of processes, of this network namespace and of the machine."""

import os
import struct
import time


def cpu_seconds(pid):
    """CPU time of a process with all its threads, those that ended too, by the scheduler's own account (nanoseconds)."""
    return time.clock_gettime_ns((~pid) << 3 | 2) / 1e9


def _fields(path):
    """The lines `Name: value ...` of a file."""
    with open(path) as file:
        return {name: rest.split() for name, _, rest in (line.partition(":") for line in file)}


def memory(pid):
    """Resident, proportional and anonymous memory of a process in bytes, its threads and its files."""
    status, rollup = _fields(f"/proc/{pid}/status"), _fields(f"/proc/{pid}/smaps_rollup")
    return {
        "rss": int(status["VmRSS"][0]) * 1024,
        "anon": int(status["RssAnon"][0]) * 1024,
        "pss": int(rollup["Pss"][0]) * 1024,
        "threads": int(status["Threads"][0]),
        "fds": len(os.listdir(f"/proc/{pid}/fd")),
    }


def loopback():
    """Bytes and packets on lo, and datagrams sent, since this network namespace was made."""
    with open("/proc/net/dev") as file:
        lo = next(line.split(":")[1].split() for line in file if line.strip().startswith("lo:"))
    with open("/proc/net/snmp") as file:
        names, values = [line.split()[1:] for line in file if line.startswith("Udp:")][:2]
    udp = dict(zip(names, values))
    return {
        "bytes": int(lo[0]),
        "packets": int(lo[1]),
        "datagrams": int(udp["OutDatagrams"]),
        "refused": int(udp["RcvbufErrors"]),
    }


def difference(before, after):
    """What was added to each counter."""
    return {name: after[name] - before[name] for name in before}


def machine_cpu():
    """Seconds since boot that all cores together spent: busy, taken by other machines of the same host, and altogether."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    tick = os.sysconf("SC_CLK_TCK")
    idle, steal = ticks[3] + ticks[4], ticks[7]
    return {"busy": (sum(ticks) - idle - steal) / tick, "steal": steal / tick, "all": sum(ticks) / tick}


def machine():
    """What kind of machine this is."""
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    kilobytes = int(_fields("/proc/meminfo")["MemTotal"][0])
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory": kilobytes * 1024,
        "kernel": os.uname().release,
        "arch": os.uname().machine,
    }


def loadable_bytes(path):
    """How many bytes of an ELF program are mapped when it runs, i.e. without symbols and debugging information; None for another format."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:6] != b"\x7fELF\x02\x01":
            return None
        (start,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(start)
        table = file.read(size * count)
    segments = (struct.unpack_from("<II4Q", table, size * i) for i in range(count))
    return sum(filesz for kind, _, _, _, _, filesz in segments if kind == 1)
