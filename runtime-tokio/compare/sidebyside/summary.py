"""Percentiles and the like, of samples in any order."""

import math


def percentile(samples, percent):
    """The smallest sample that at least this many per cent are not above (nearest rank); None of nothing."""
    ordered = sorted(samples)
    if not ordered:
        return None
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def median(samples):
    """The middle sample, or the mean of the two in the middle; None of nothing."""
    ordered = sorted(samples)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def mean(samples):
    """The mean; None of nothing."""
    samples = list(samples)
    return sum(samples) / len(samples) if samples else None


def reached(times, n, share):
    """When this share of n had it, from the times of those who did; None when fewer did."""
    needed = math.ceil(n * share)
    ordered = sorted(times)
    return ordered[needed - 1] if len(ordered) >= needed else None


def quantiles(samples, steps=200):
    """The samples at 0, 1/steps, ... 1, for a curve and for percentiles of what is too much to keep: `{"n", "at"}`."""
    ordered = sorted(samples)
    if not ordered:
        return {"n": 0, "at": []}
    return {"n": len(ordered), "at": [round(ordered[round((len(ordered) - 1) * k / steps)], 5) for k in range(steps + 1)]}


def quantile(summary, percent):
    """A percentile of what `quantiles` kept."""
    at = summary["at"]
    return at[round((len(at) - 1) * percent / 100)] if at else None
