//! Network coordinates: from the round trips of a few probes, an estimate for any two members (Vivaldi, Dabek et al.,
//! SIGCOMM 2004, with the height, the adjustment term and the gravity of Ledlie et al., NSDI 2007, as Serf has them).
//!
//! Every node keeps a place in a space of eight dimensions and a height above it. An ack brings the peer's place, the probe
//! its round trip; the node moves a little, so that the distance between both comes nearer to that. Unit: seconds.

use core::time::Duration;

use crate::rng::Rng;
use crate::time::nanos;

mod quantised;

pub(crate) use quantised::Quantised;

/// Dimensions of the space, the height apart.
pub const DIMENSIONS: usize = 8;
/// The error that a node begins with, and the largest that it admits.
pub const ERROR_MAX: f64 = 1.5;
/// The longest round trip that moves a coordinate.
pub const RTT_MAX: Duration = Duration::from_secs(10);

const ERROR_WEIGHT: f64 = 0.25;
const FORCE_WEIGHT: f64 = 0.25;
const HEIGHT_MIN: f64 = 1e-5;
const ADJUSTMENT_WINDOW: usize = 20;
const GRAVITY: f64 = 150.0;
const ZERO: f64 = 1e-6;
/// Round trips of one peer that are looked at together.
pub(crate) const FILTER_SAMPLES: usize = 3;
/// A peer that is nearer than it says by more than this many round trips contradicts itself...
const EXCESS_MAX: f64 = 3.0;
/// ... if it is by more than this, seconds, too: within a room, a round trip varies by more than its length.
const EXCESS_MIN: f64 = 0.005;
/// Who errs less than this believes itself rather than a peer that contradicts itself.
const SURE: f64 = 0.5;

/// A place in the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinate {
    /// The place in the plane of well-connected hosts, seconds.
    pub vector: [f64; DIMENSIONS],
    /// How sure the node is of it: 0 is certain, 1.5 ([`ERROR_MAX`]) knows nothing.
    pub error: f64,
    /// What distances to others come out too short (or too long, when negative) by on average, seconds.
    pub adjustment: f64,
    /// The way to the plane and back, such as an access link, seconds; at least 10 us.
    pub height: f64,
}

impl Coordinate {
    /// Where every node begins.
    pub const START: Self =
        Self { vector: [0.0; DIMENSIONS], error: ERROR_MAX, adjustment: 0.0, height: HEIGHT_MIN };

    /// The estimated round trip between two places.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Duration {
        // Truncated to nanoseconds. A distance that is no number or beyond 2^64 ns saturates.
        Duration::from_nanos((self.seconds_to(other) * 1e9) as u64)
    }

    /// [`Coordinate::distance`], in seconds.
    fn seconds_to(&self, other: &Self) -> f64 {
        let raw = self.raw_seconds_to(other);
        let adjusted = raw + self.adjustment + other.adjustment;
        if adjusted > 0.0 { adjusted } else { raw }
    }

    /// The distance without adjustments.
    fn raw_seconds_to(&self, other: &Self) -> f64 {
        magnitude(&difference(&self.vector, &other.vector)) + self.height + other.height
    }

    /// Pushes the place away from another one by so many seconds, or towards it when negative.
    fn push(&mut self, other: &Self, force: f64, rng: &mut Rng) {
        let (direction, away) = direction(&self.vector, &other.vector, rng);
        for (x, u) in self.vector.iter_mut().zip(direction) {
            *x += u * force;
        }
        if away > ZERO {
            self.height = ((self.height + other.height) * force / away + self.height).max(HEIGHT_MIN);
        }
    }

    /// Whether all of it are numbers.
    fn is_finite(&self) -> bool {
        let Self { vector, error, adjustment, height } = self;
        vector.iter().chain([error, adjustment, height]).all(|x| x.is_finite())
    }
}

impl Default for Coordinate {
    fn default() -> Self {
        Self::START
    }
}

fn difference(a: &[f64; DIMENSIONS], b: &[f64; DIMENSIONS]) -> [f64; DIMENSIONS] {
    core::array::from_fn(|i| a[i] - b[i])
}

fn magnitude(vector: &[f64; DIMENSIONS]) -> f64 {
    libm::sqrt(vector.iter().map(|x| x * x).sum())
}

/// The unit vector from `from` to `to`, and how far apart they are. Places that coincide part in a random direction.
fn direction(to: &[f64; DIMENSIONS], from: &[f64; DIMENSIONS], rng: &mut Rng) -> ([f64; DIMENSIONS], f64) {
    let apart = difference(to, from);
    let away = magnitude(&apart);
    if away > ZERO {
        return (apart.map(|x| x / away), away);
    }
    let random = core::array::from_fn(|_| f64::from(rng.u32()) / 4_294_967_296.0 - 0.5);
    let length = magnitude(&random);
    if length > ZERO {
        return (random.map(|x| x / length), 0.0);
    }
    let mut first = [0.0; DIMENSIONS];
    first[0] = 1.0;
    (first, 0.0)
}

/// The last round trips of one peer, seconds: one that was late for a reason of its own is not believed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LatencyFilter {
    samples: [f32; FILTER_SAMPLES],
    /// How many are there.
    taken: u8,
}

impl LatencyFilter {
    /// Takes a round trip; gives the median of the last three, the larger of two.
    pub(crate) fn median_with(&mut self, rtt: f64) -> f64 {
        self.samples.rotate_right(1);
        self.samples[0] = rtt as f32;
        self.taken = (self.taken + 1).min(FILTER_SAMPLES as u8);
        match (self.taken, self.samples) {
            (1, _) => rtt,
            (2, [a, b, _]) => a.max(b).into(),
            (_, [a, b, c]) => a.min(b).max(a.max(b).min(c)).into(),
        }
    }
}

/// What became of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It was taken.
    Yes,
    /// The round trip is longer than [`RTT_MAX`], the peer's coordinate is no place, or it contradicts the round trip.
    Refused,
    /// The own coordinate was no longer a place and began again.
    Reset,
}

/// One node's coordinate, and what it takes to move it.
#[derive(Clone, Debug)]
pub(crate) struct Vivaldi {
    here: Coordinate,
    /// By how much the last distances came out too short, seconds.
    shortfalls: [f64; ADJUSTMENT_WINDOW],
    next: usize,
}

impl Vivaldi {
    pub(crate) const fn new() -> Self {
        Self { here: Coordinate::START, shortfalls: [0.0; ADJUSTMENT_WINDOW], next: 0 }
    }

    pub(crate) const fn here(&self) -> &Coordinate {
        &self.here
    }

    /// Takes a round trip to a peer that says it is at `there`.
    ///
    /// Serf believes any numbers, so that one peer with a wild coordinate drags everybody. Here a peer that is much nearer
    /// than it says moves nobody who is sure of its own place, and others by so much at most as the limit would; it makes
    /// everybody less sure. So many such peers are believed in the end: then it is this node that has moved.
    pub(crate) fn update(
        &mut self,
        filter: &mut LatencyFilter,
        there: &Coordinate,
        rtt: Duration,
        rng: &mut Rng,
    ) -> Moved {
        if rtt > RTT_MAX || !there.is_finite() {
            return Moved::Refused;
        }
        let rtt = filter.median_with(nanos(rtt) as f64 / 1e9);
        if !self.move_by(there, rtt, rng) {
            return Moved::Refused;
        }
        self.adjust(there, rtt);
        self.fall(rng);
        if self.here.is_finite() {
            return Moved::Yes;
        }
        *self = Self::new();
        Moved::Reset
    }

    /// Vivaldi's own step; whether it was made.
    fn move_by(&mut self, there: &Coordinate, rtt: f64, rng: &mut Rng) -> bool {
        let rtt = rtt.max(ZERO);
        let sure = self.here.error < SURE;
        let gap = rtt - self.here.seconds_to(there);
        let limit = (EXCESS_MAX * rtt).max(EXCESS_MIN);
        let contradicts = gap < -limit;
        let wrong = if contradicts { 1.0 } else { gap.abs() / rtt };
        let trust = self.here.error / (self.here.error + there.error).max(ZERO);
        let error = ERROR_WEIGHT * trust * wrong + self.here.error * (1.0 - ERROR_WEIGHT * trust);
        self.here.error = error.min(ERROR_MAX);
        if contradicts && sure {
            return false;
        }
        self.here.push(there, FORCE_WEIGHT * trust * gap.max(-limit), rng);
        true
    }

    /// Learns what the space cannot express: the average by which distances are wrong, half of it ours.
    fn adjust(&mut self, there: &Coordinate, rtt: f64) {
        let limit = (EXCESS_MAX * rtt).max(EXCESS_MIN);
        self.shortfalls[self.next] = (rtt - self.here.raw_seconds_to(there)).max(-limit);
        self.next = (self.next + 1) % ADJUSTMENT_WINDOW;
        self.here.adjustment = self.shortfalls.iter().sum::<f64>() / (2 * ADJUSTMENT_WINDOW) as f64;
    }

    /// Gravity keeps the whole cluster from drifting away from the origin.
    fn fall(&mut self, rng: &mut Rng) {
        let origin = Coordinate::START;
        let pull = origin.seconds_to(&self.here) / GRAVITY;
        self.here.push(&origin, -pull * pull, rng);
    }
}

#[cfg(test)]
mod tests;
