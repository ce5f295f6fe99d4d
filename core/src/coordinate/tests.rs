//! The engine alone, in networks whose round trips are known (facts 5.2, 114).

use super::*;
use crate::rng::{Purpose, Seed};
use alloc::vec;
use alloc::vec::Vec;

/// Nodes that know each other's coordinates as they are, and a table of true round trips.
struct Net {
    nodes: Vec<(Vivaldi, Vec<LatencyFilter>)>,
    truth: Vec<Vec<f64>>,
    rng: Rng,
    /// Says that it is here, whatever is measured.
    liar: Option<(usize, Coordinate)>,
    quantised: bool,
    refused: usize,
}

impl Net {
    fn new(nodes: usize, truth: impl Fn(usize, usize) -> f64) -> Self {
        Self {
            nodes: (0..nodes).map(|_| (Vivaldi::new(), vec![LatencyFilter::default(); nodes])).collect(),
            truth: (0..nodes)
                .map(|i| (0..nodes).map(|j| if i == j { 0.0 } else { truth(i, j) }).collect())
                .collect(),
            rng: Seed::simulated(1, 2, 3).stream(Purpose::Coordinates),
            liar: None,
            quantised: false,
            refused: 0,
        }
    }

    fn claim(&self, of: usize) -> Coordinate {
        match self.liar {
            Some((liar, claim)) if liar == of => claim,
            _ if self.quantised => Quantised::of(self.nodes[of].0.here()).coordinate(),
            _ => *self.nodes[of].0.here(),
        }
    }

    /// In each cycle, every node measures one other at random.
    fn run(&mut self, cycles: usize) {
        let n = self.nodes.len();
        for i in (0..cycles).flat_map(|_| 0..n) {
            let j = self.rng.below(n as u32) as usize;
            if i == j {
                continue;
            }
            let (there, rtt) = (self.claim(j), Duration::from_secs_f64(self.truth[i][j]));
            let (here, filters) = &mut self.nodes[i];
            let moved = here.update(&mut filters[j], &there, rtt, &mut self.rng);
            assert_ne!(moved, Moved::Reset);
            self.refused += usize::from(moved == Moved::Refused);
        }
    }

    /// Mean and largest error of the estimates between those that are honest, in per cent of the truth.
    fn errors(&self) -> (f64, f64) {
        let honest: Vec<_> =
            (0..self.nodes.len()).filter(|i| self.liar.is_none_or(|(liar, _)| liar != *i)).collect();
        let (mut sum, mut count, mut largest) = (0.0, 0.0, 0.0f64);
        for (i, j) in honest.iter().flat_map(|&i| honest.iter().map(move |&j| (i, j))).filter(|(i, j)| i < j)
        {
            let estimate = self.nodes[i].0.here().distance(self.nodes[j].0.here()).as_secs_f64();
            let wrong = 100.0 * (estimate - self.truth[i][j]).abs() / self.truth[i][j];
            (sum, count, largest) = (sum + wrong, count + 1.0, largest.max(wrong));
        }
        (sum / count, largest)
    }

    fn assert_within(mut self, mean: f64, max: f64) {
        self.run(500);
        self.refused = 0;
        self.run(500);
        assert_eq!(self.refused, 0, "the honest are believed");
        let (found_mean, found_max) = self.errors();
        assert!(found_mean <= mean && found_max <= max, "mean {found_mean:.4} %, max {found_max:.4} %");
    }
}

fn line(n: usize) -> Net {
    Net::new(n, |i, j| 0.010 * i.abs_diff(j) as f64)
}

fn grid() -> Net {
    Net::new(25, |i, j| {
        let (x, y) = ((i % 5).abs_diff(j % 5) as f64, (i / 5).abs_diff(j / 5) as f64);
        0.010 * libm::sqrt(x * x + y * y)
    })
}

/// Two rooms of one millisecond, ten milliseconds apart.
fn split() -> Net {
    Net::new(25, |i, j| if (i < 12) == (j < 12) { 0.001 } else { 0.011 })
}

/// One in the middle, as far from all others as the circle is wide: it sits behind a slow link.
fn circle() -> Net {
    Net::new(25, |i, j| {
        if i == 0 || j == 0 {
            return 0.200;
        }
        0.200 * libm::sin(core::f64::consts::PI * i.abs_diff(j) as f64 / 24.0)
    })
}

#[test]
fn places_on_a_line_are_found() {
    line(10).assert_within(0.31, 1.3);
}

#[test]
fn places_on_a_grid_are_found() {
    grid().assert_within(0.16, 2.3);
}

#[test]
fn two_data_centres_are_found() {
    split().assert_within(0.006, 0.048);
}

#[test]
fn a_slow_access_link_becomes_height() {
    circle().assert_within(0.28, 6.4);
}

#[test]
fn random_round_trips_that_fit_no_space_are_met_on_average() {
    // Normal around 100 ms with a deviation of 10 ms: the sum of twelve draws, without the help of a library.
    let mut rng = Seed::simulated(4, 5, 6).stream(Purpose::Protocol);
    let mut table = vec![vec![0.0; 25]; 25];
    for (i, j) in (0..25).flat_map(|i| (0..i).map(move |j| (i, j))) {
        let sum: f64 = (0..12).map(|_| f64::from(rng.below(1_000_000)) / 1e6).sum();
        table[i][j] = 0.100 + 0.010 * (sum - 6.0);
        table[j][i] = table[i][j];
    }
    Net::new(25, |i, j| table[i][j]).assert_within(7.5, 33.0);
}

#[test]
fn what_acks_carry_is_exact_enough() {
    Net { quantised: true, ..grid() }.assert_within(0.3, 2.5);
    Net { quantised: true, ..split() }.assert_within(0.1, 0.5);
}

/// All nodes begin far from the origin; gravity brings them back without spoiling what they know of each other.
#[test]
fn a_cluster_that_drifted_away_comes_back() {
    let corner = |i: usize| [0.5 * (1 + i % 2) as f64, 0.5 * (1 + i / 2) as f64];
    let mut net = Net::new(4, |i, j| {
        let (a, b) = (corner(i), corner(j));
        libm::hypot(a[0] - b[0], a[1] - b[1])
    });
    for (i, (node, _)) in net.nodes.iter_mut().enumerate() {
        node.here.vector[..2].copy_from_slice(&corner(i));
    }
    let centre = |net: &Net| {
        let sum = |d: usize| net.nodes.iter().map(|(node, _)| node.here.vector[d]).sum::<f64>() / 4.0;
        magnitude(&core::array::from_fn(sum))
    };
    net.run(1000);
    let before = centre(&net);
    net.run(10_000);
    assert!(centre(&net) <= 0.8 * before, "{} after {before}", centre(&net));
    assert!(net.errors().0 < 5.0, "{:?}", net.errors());
}

#[test]
fn one_liar_does_not_spoil_what_the_others_know() {
    let far = Coordinate { vector: [10.0; DIMENSIONS], error: 0.0, adjustment: -10.0, height: 10.0 };
    let near = Coordinate { error: 0.0, ..Coordinate::START };
    for claim in [far, Coordinate { adjustment: 10.0, ..far }, near] {
        for net in [grid(), split()] {
            let mut net = Net { liar: Some((3, claim)), ..net };
            net.run(1000);
            let (mean, max) = net.errors();
            assert!(mean < 6.0 && max < 35.0, "mean {mean} %, max {max} %");
        }
    }
}

#[test]
fn the_first_steps_are_those_of_the_rules() {
    let mut rng = Seed::simulated(1, 2, 3).stream(Purpose::Coordinates);
    let (mut node, mut filter) = (Vivaldi::new(), LatencyFilter::default());
    let mut there = Coordinate::START;
    there.vector[0] = -0.003;
    assert_eq!(node.update(&mut filter, &there, Duration::from_millis(10), &mut rng), Moved::Yes);
    // d = 3.02 ms; both know nothing, so half of a quarter of the missing 6.98 ms, away from the other; then gravity.
    let gap = 0.010 - 0.003_02;
    let force = 0.125 * gap;
    let gravity = |to_origin: f64| (to_origin / 150.0) * (to_origin / 150.0);
    let height = 1e-5 + 2e-5 * force / 0.003;
    let shortfall = (0.010 - (0.003 + force + height + 1e-5)) / 40.0;
    let pull = gravity(force + height + 1e-5 + shortfall);
    let here = node.here();
    assert!((here.vector[0] - (force - pull)).abs() < 1e-15, "{here:?}");
    assert_eq!(here.vector[1..], [0.0; 7]);
    assert!((here.error - (0.125 * gap / 0.010 + 1.5 * 0.875)).abs() < 1e-12);
    assert!((here.adjustment - shortfall).abs() < 1e-15);
    assert!((here.height - (height - (height + 1e-5) * pull / force)).abs() < 1e-15);
}

#[test]
fn a_round_trip_of_more_than_ten_seconds_and_a_place_that_is_none_are_refused() {
    let mut rng = Seed::simulated(1, 2, 3).stream(Purpose::Coordinates);
    let (mut node, mut filter) = (Vivaldi::new(), LatencyFilter::default());
    let mut update = |there: &Coordinate, rtt| (node.update(&mut filter, there, rtt, &mut rng), *node.here());
    let start = Coordinate::START;
    let long = RTT_MAX + Duration::from_nanos(1);
    assert_eq!(update(&start, long), (Moved::Refused, start));
    for wild in [f64::NAN, f64::INFINITY] {
        let mut there = start;
        there.vector[7] = wild;
        assert_eq!(update(&there, Duration::from_millis(1)), (Moved::Refused, start));
        assert_eq!(
            update(&Coordinate { height: wild, ..start }, Duration::from_millis(1)),
            (Moved::Refused, start)
        );
    }
    assert_eq!(update(&start, RTT_MAX).0, Moved::Yes);
    assert_eq!(update(&start, Duration::ZERO).0, Moved::Yes, "no round trip at all is possible in memory");
}

#[test]
fn a_coordinate_that_is_no_place_any_more_begins_again() {
    let mut rng = Seed::simulated(1, 2, 3).stream(Purpose::Coordinates);
    let mut node = Vivaldi::new();
    node.here.vector[3] = f64::NAN;
    let mut filter = LatencyFilter::default();
    let rtt = Duration::from_millis(1);
    assert_eq!(node.update(&mut filter, &Coordinate::START, rtt, &mut rng), Moved::Reset);
    assert_eq!(*node.here(), Coordinate::START);
}

#[test]
fn the_filter_gives_the_median_of_three_and_the_larger_of_two() {
    let mut filter = LatencyFilter::default();
    let said: Vec<f64> =
        [4.0, 2.0, 3.0, 1.0, 9.0, 9.0, 0.0].into_iter().map(|rtt| filter.median_with(rtt)).collect();
    assert_eq!(said, [4.0, 4.0, 3.0, 2.0, 3.0, 9.0, 9.0]);
}

#[test]
fn an_adjusted_distance_that_would_be_negative_is_the_plain_one() {
    let near = Coordinate { adjustment: -0.5, height: 0.1, ..Coordinate::START };
    assert_eq!(near.distance(&near), Duration::from_millis(200));
    let far = Coordinate { adjustment: 0.05, height: 0.1, ..Coordinate::START };
    assert_eq!(far.distance(&far), Duration::from_millis(300));
}
