"""Percentiles and the like."""

import unittest

from sidebyside.summary import mean, median, percentile, quantile, quantiles, reached


class Summary(unittest.TestCase):
    """Against values worked out by hand."""

    def test_nearest_rank(self):
        samples = [15, 20, 35, 40, 50]
        self.assertEqual([percentile(samples, p) for p in (5, 30, 40, 50, 99, 100)], [15, 20, 20, 35, 50, 50])
        self.assertEqual(percentile(range(100, 0, -1), 99), 99)
        self.assertIsNone(percentile([], 50))

    def test_middle_and_mean(self):
        self.assertEqual((median([3, 1, 2]), median([4, 1, 2, 3]), mean(x for x in (1, 2, 6))), (2, 2.5, 3))
        self.assertEqual((median([]), mean([])), (None, None))

    def test_a_share_counts_those_who_never_had_it(self):
        times = [k / 100 for k in range(1, 100)]
        self.assertEqual(reached(times, 100, 0.99), 0.99)
        self.assertIsNone(reached(times, 100, 1))
        self.assertEqual(reached(times, 50, 0.5), 0.25)

    def test_kept_quantiles_give_percentiles(self):
        kept = quantiles(range(1001))
        self.assertEqual(
            (kept["n"], quantile(kept, 0), quantile(kept, 50), quantile(kept, 99), quantile(kept, 100)), (1001, 0, 500, 990, 1000)
        )
        self.assertIsNone(quantile(quantiles([]), 50))


if __name__ == "__main__":
    unittest.main()
