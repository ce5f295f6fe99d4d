"""The measurements, a module each.

Every module has `prepare(bench)`, what must stand before anything is measured, and `measure(bench, prepared)`, which returns a dict of raw
samples (JSON). Times are seconds, sizes bytes, unless a key says otherwise.
"""

from importlib import import_module


def of(kind):
    """The module that measures this kind of step."""
    return import_module(f"{__name__}.{kind}")
