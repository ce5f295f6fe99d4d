//! Invariant 7: how long quiet time may take until all agree.

use std::time::Duration;

use rumormill_core::config::AntiEntropy;
use rumormill_core::{Config, push_pull_period, suspicion_times, transmit_limit};

/// Chance that a run without a defect exceeds the bound.
pub const FAILURE_PROBABILITY: f64 = 1e-6;

/// The largest loss, of datagrams and of segments, for which the bound is meant.
const LOSS_MAX: f64 = 0.25;

/// With more failing probes of live members than this share, views never stay right.
const FAILING_PROBES_MAX: f64 = 1e-4;

/// The bound, and the hold after which a run may end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Within this all live members agree.
    pub bound: Duration,
    /// All agreed and no suspicion open for this long: nothing is left that could undo it.
    pub hold: Duration,
}

/// The longest suspicion in a cluster of `nodes`.
#[must_use]
pub fn longest_suspicion(config: &Config, nodes: u32) -> Duration {
    if config.suspicion { suspicion_times(config, nodes).max } else { Duration::ZERO }
}

/// Why the invariant does not apply to such a cluster, if it does not.
#[must_use]
pub fn not_applicable(config: &Config, worst_loss: f64, worst_round_trip: Duration) -> Option<String> {
    if config.anti_entropy == AntiEntropy::Off {
        return Some("anti-entropy is off: what gossip leaves open stays open".into());
    }
    if !config.reconnect {
        return Some("reconnect is off: nobody dials a member that was declared dead".into());
    }
    if worst_loss > LOSS_MAX || (worst_loss > 0.0 && !config.suspicion) {
        return Some(format!("a loss of {worst_loss} declares live members dead all the time"));
    }
    let failing = failing_probes(config, worst_loss);
    if failing > FAILING_PROBES_MAX {
        return Some(format!(
            "with a loss of {worst_loss} one probe in {:.0} of a live member fails: somebody is suspected all the time",
            1.0 / failing
        ));
    }
    if worst_round_trip >= config.probe_timeout {
        return Some(
            "a round trip may take longer than probe_timeout: live members fail probes all the time".into(),
        );
    }
    None
}

/// The chance that a probe of a live member fails by loss alone: `(1 - q^2) (1 - q^4)^k` for datagrams that arrive with chance `q`, and
/// the stream beside them. Its four segments have half a second or so: two that are lost, or one that is lost twice, are too late.
fn failing_probes(config: &Config, loss: f64) -> f64 {
    let q2 = (1.0 - loss).powi(2);
    let datagrams = (1.0 - q2) * (1.0 - q2 * q2).powi(config.indirect_checks.into());
    let stream = if config.stream_probe { (10.0 * loss * loss).min(1.0) } else { 1.0 };
    datagrams * stream
}

/// The bound for `nodes` nodes of which `live` are up: the sum of what can follow one upon the other.
///
/// Where luck matters, a part is exceeded with at most a quarter of [`FAILURE_PROBABILITY`] (`share`), whatever the number of
/// members or pairs it has to hold for; `LOSS_MAX` is assumed throughout.
///
/// 1. *Unlearning the dead* takes no luck. Whoever takes a dead member for alive probes it itself within `2n - 1` probes
///    (SWIM 4.3), even if all gossip missed it. A probe that is answered takes one interval whatever the local health; one that is not
///    takes up to `awareness_max`, but those are the probes of the dead, each of them met twice in two rounds. The longest suspicion follows.
/// 2. *Reconnecting.* One dial from one part of the cluster to another, in either direction, shows both the whole of the other.
///    The larger part has `r >= live / 2` members and dials each of its `f <= n - r` failed ones `min(1, r / f)` times per
///    `reconnect_interval` on average, by independent draws: an interval passes without a dial that succeeds with a chance of at
///    most `e^-(that rate)`. There are fewer than `n` parts to reach. A dial that stays unanswered keeps others
///    from starting for `stream_timeout`, where that is longer than the interval.
/// 3. *Reclaiming.* A name that moved is refused from its new address until its old row, dead by 1, is forgotten.
/// 4. *Closing.* What gossip left open goes by push/pull: each member exchanges tables with a random one every scaled interval, and
///    `a` of its exchanges succeed. While a share `y` knows a thing, one that does not stays so for one period with a chance of
///    `(1 - a y) e^(-a y)`: neither its own exchange nor one of the others' tells it. `closing_periods` has the count. A death
///    that came this way is a suspicion first.
///
/// A stream takes up to `stream_timeout` more in 2 and in 4.
#[must_use]
pub fn quiet(config: &Config, nodes: u32, live: u32) -> Quiet {
    let (n, up) = size(nodes, live);
    let suspicion = longest_suspicion(config, nodes).as_secs_f64();
    let stream = config.stream_timeout.as_secs_f64();

    let patience = if config.awareness { f64::from(config.awareness_max) } else { 1.0 };
    let probes = 2.0 * n + 2.0 * (patience - 1.0) * (n - up) + patience;
    let unlearning = config.probe_interval.as_secs_f64() * probes + suspicion;

    let kept = 1.0 - spoiled(config);
    let reconnecting = reconnecting(config, n, up);
    let reclaiming = config.gossip_to_dead.as_secs_f64();

    let period = push_pull_period(config.push_pull_interval, nodes).as_secs_f64();
    let closing = period * closing_periods(config, nodes, kept * up / n) + stream + suspicion;

    let hold = (2.0 * suspicion).max(2.0 * config.probe_interval.as_secs_f64());
    Quiet {
        // Whole seconds: the last bit of a logarithm must not decide anything.
        bound: Duration::from_secs((unlearning + reconnecting + reclaiming + closing).ceil() as u64),
        hold: Duration::from_secs(hold.ceil() as u64),
    }
}

/// Part 2 of the bound, in seconds.
fn reconnecting(config: &Config, n: f64, up: f64) -> f64 {
    let rate = (1.0 - spoiled(config)) * (up / (2.0 * n - up)).min(1.0);
    let dials = ((n / (FAILURE_PROBABILITY / 4.0)).ln() / rate).ceil();
    let (interval, stream) = (config.reconnect_interval.as_secs_f64(), config.stream_timeout.as_secs_f64());
    // A stream that ends as a dial is due has ended before it: its timer is the older one.
    let between = if stream > interval { interval + stream } else { interval };
    between * dials + stream
}

/// Why such a cluster need not come to agree, if a member that fails may be forgotten before anybody has dialled it. Where few of many are up, a
/// day is not long enough.
#[must_use]
pub fn forgets_too_soon(config: &Config, nodes: u32, live: u32) -> Option<String> {
    let (n, up) = size(nodes, live);
    let (dialled, kept) = (reconnecting(config, n, up).ceil(), config.reconnect_timeout.as_secs_f64());
    (kept < dialled).then(|| {
        format!("a failed member may be forgotten, after {kept} s, before it is dialled, which may take {dialled} s")
    })
}

/// Members and live ones, as the formulas take them.
fn size(nodes: u32, live: u32) -> (f64, f64) {
    (f64::from(nodes.max(2)), f64::from(live.clamp(2, nodes.max(2))))
}

/// The share of exchanges that lost segments delay beyond `stream_timeout`, and so spoil: at most half is taken.
///
/// A lost segment is sent again after 200 ms, then after twice that, and so on: `t` losses delay it by `200 ms * (2^t - 1)`. An exchange is
/// eight segments one after the other at most (two to connect, and the tables); to be late, one of them has to be late by an eighth.
fn spoiled(config: &Config) -> f64 {
    const SEGMENTS: f64 = 8.0;
    const RETRANSMIT: f64 = 0.2;
    let losses = (config.stream_timeout.as_secs_f64() / SEGMENTS / RETRANSMIT + 1.0).log2().ceil();
    (SEGMENTS * LOSS_MAX.powf(losses)).min(0.5)
}

/// Periods of push/pull until everybody knows everything, when a share `a` of exchanges succeeds.
///
/// * With gossip: what an exchange brings is gossiped afresh. Each member sends it `limit` times, so that it dies out at
///   its source with a chance of at most `LOSS_MAX^limit`, and misses a given member with `e^-(limit (1 - LOSS_MAX))`. Where the
///   former is negligible and the queue holds news about everybody, only these few remain, while nearly all know (`y` = 3/4 at least).
/// * Otherwise: exchanges alone. As long as fewer than half know, their number doubles in a period, except with a chance that
///   shrinks faster than the one of the last stage; `log2 n` periods, and then those of the last stage with `y` = 1/2. The one period
///   more pays for the doublings that fail: each does with `q <= (1 - a) e^-a`, and the moments of the sum are at most e times
///   those of the last stage.
fn closing_periods(config: &Config, nodes: u32, a: f64) -> f64 {
    let n = f64::from(nodes.max(2));
    let share = FAILURE_PROBABILITY / 4.0;
    let last_stage = |pairs: f64, y: f64| (pairs / share).ln().max(0.0) / (a * y - (1.0 - a * y).ln());
    let limit = f64::from(transmit_limit(config.retransmit_mult, config.retransmit_log_base, nodes));
    let missed = (-limit * (1.0 - LOSS_MAX)).exp();
    let dies_out = n * LOSS_MAX.powf(limit);
    let periods = if dies_out <= share && missed <= 0.01 && nodes <= config.queue_messages_max {
        1.0 + last_stage(n * n * missed, 0.75)
    } else {
        n.log2() + 1.0 + last_stage(n * n, 0.5)
    };
    periods.ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_exceeds_every_part_and_grows_with_the_cluster() {
        let config = Config::lan();
        let small = quiet(&config, 10, 10);
        let large = quiet(&config, 1000, 1000);
        assert!(large.bound > small.bound);
        assert!(
            small.bound
                > longest_suspicion(&config, 10) + config.reconnect_interval + config.push_pull_interval
        );
        assert_eq!(longest_suspicion(&config, 100), Duration::from_secs(48));
        assert_eq!(small.hold, Duration::from_secs(48));
    }

    #[test]
    fn the_bounds_of_the_everyday_clusters() {
        // Recorded once: a change here changes how long a run may take to agree, and needs its reason.
        let seconds = |config: &Config, nodes, live| quiet(config, nodes, live).bound.as_secs();
        let bounds = [
            seconds(&Config::lan(), 1000, 990),
            seconds(&Config::lan(), 100, 90),
            seconds(&Config::local(), 10, 10),
            seconds(&Config::wan(), 100, 50),
        ];
        assert_eq!(bounds, [5282, 4484, 1791, 16_900]);
    }

    #[test]
    fn local_health_lengthens_the_bound_only_where_members_are_down() {
        let steady = Config { awareness: false, ..Config::lan() };
        let more = |live| quiet(&Config::lan(), 1000, live).bound - quiet(&steady, 1000, live).bound;
        assert_eq!(more(1000), Duration::from_secs(7), "one probe may be under way");
        assert_eq!(more(990), Duration::from_secs(7 + 2 * 7 * 10));
    }

    #[test]
    fn no_interval_is_shorter_than_a_dial_that_stays_unanswered() {
        let bound = |interval| {
            let interval = Duration::from_secs(interval);
            quiet(&Config { reconnect_interval: interval, ..Config::lan() }, 200, 190).bound
        };
        assert_eq!(Config::lan().stream_timeout, Duration::from_secs(10));
        assert!(bound(1) >= bound(10) && bound(1) < bound(20));
    }

    #[test]
    fn the_failed_are_remembered_long_enough_unless_it_is_short_or_nearly_all_are_down() {
        let too_soon = |config: &Config, nodes, live| forgets_too_soon(config, nodes, live).is_some();
        let short = Config { reconnect_timeout: Duration::from_secs(60), ..Config::lan() };
        assert!(!too_soon(&Config::lan(), 1000, 990) && !too_soon(&Config::wan(), 100, 50));
        assert!(too_soon(&short, 5, 5) && too_soon(&Config::lan(), 1000, 10));
    }

    #[test]
    fn each_part_can_be_seen_in_the_bound() {
        let bound = |config: Config| quiet(&config, 200, 190).bound;
        let base = bound(Config::lan());
        let twice = |change: fn(&mut Config)| {
            let mut config = Config::lan();
            change(&mut config);
            bound(config)
        };
        assert!(twice(|c| c.probe_interval *= 2) > base + Duration::from_secs(400));
        assert!(twice(|c| c.reconnect_interval *= 2) > base + Duration::from_secs(600));
        assert_eq!(twice(|c| c.gossip_to_dead *= 2), base + Duration::from_secs(30));
        assert!(twice(|c| c.push_pull_interval *= 2) > base + Duration::from_secs(600));
        assert!(twice(|c| c.suspicion_max_mult *= 2) > base + Duration::from_secs(100));
        assert!(
            twice(|c| c.stream_timeout = Duration::from_millis(500)) > base,
            "streams that fail cost time"
        );
        let shed = Config { queue_messages_max: 100, ..Config::lan() };
        let loud = quiet(&Config::lan(), 1000, 990).bound;
        assert!(quiet(&shed, 1000, 990).bound > loud, "gossip that is shed is no help");
    }

    #[test]
    fn it_says_why_it_does_not_apply() {
        let rtt = Duration::from_millis(1);
        assert_eq!(not_applicable(&Config::lan(), 0.01, rtt), None);
        let no_sync = Config { anti_entropy: AntiEntropy::Off, ..Config::lan() };
        assert!(not_applicable(&no_sync, 0.0, rtt).unwrap().contains("anti-entropy"));
        let no_dial = Config { reconnect: false, ..Config::lan() };
        assert!(not_applicable(&no_dial, 0.0, rtt).unwrap().contains("reconnect"));
        assert!(not_applicable(&Config::lan(), 0.5, rtt).is_some());
        let lonely = Config { stream_probe: false, ..Config::local() };
        assert_eq!(not_applicable(&Config::local(), 0.01, rtt), None);
        let why = not_applicable(&lonely, 0.05, rtt).unwrap();
        assert!(why.contains("one probe in 55 of a live member fails"), "{why}");
        assert!(not_applicable(&Config::lan(), 0.0, Duration::from_secs(1)).is_some());
    }
}
