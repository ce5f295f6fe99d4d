//! Invariant 7: how long quiet time may take until all agree.

use std::time::Duration;

use rumormill_core::Config;
use rumormill_core::config::AntiEntropy;

/// Chance that a run without a defect exceeds the bound.
pub const FAILURE_PROBABILITY: f64 = 1e-6;

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
    if !config.suspicion {
        return Duration::ZERO;
    }
    let scale = config.suspicion_log_base.log(f64::from(nodes.max(1))).max(1.0);
    let factor = scale * f64::from(config.suspicion_mult) * f64::from(config.suspicion_max_mult);
    config.probe_interval.mul_f64(factor)
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
    if worst_loss > 0.25 || (worst_loss > 0.0 && !config.suspicion) {
        return Some(format!("a loss of {worst_loss} declares live members dead all the time"));
    }
    if worst_round_trip >= config.probe_timeout {
        return Some(
            "a round trip may take longer than probe_timeout: live members fail probes all the time".into(),
        );
    }
    None
}

/// The bound for `nodes` nodes of which `live` are up.
///
/// Each part is exceeded with at most a quarter of [`FAILURE_PROBABILITY`], shared over all pairs of nodes; with
/// `tail = ln(4 * pairs / 1e-6)`, an event of rate 1 per unit waits longer than `tail` units with that chance.
/// * Detection: a live member probes another one per interval, stretched by at most `awareness_max`, and meets a given dead one
///   after two rounds of the table at the latest; with many live members sooner, at rate `live / nodes` per interval.
///   The probe itself takes one more (stretched) interval, then the longest suspicion runs.
/// * Reconnection: in each `reconnect_interval` the cluster dials each failed member about once, so at rate `1 - 1/e` at least
///   one dial happens; a dial that a lost stream spoils takes `stream_timeout` and counts for nothing, hence the factor 2.
/// * Reclaim: a name that moved to a new address is accepted once its old row is forgotten (`gossip_to_dead`).
/// * Closing: what gossip missed spreads by push/pull every scaled interval with a random partner: `log2(n)` rounds to reach half
///   of the cluster, `tail` rounds for the last pair, twice that for exchanges that fail; deaths that came by push/pull are suspicions first.
#[must_use]
pub fn quiet(config: &Config, nodes: u32, live: u32) -> Quiet {
    let n = f64::from(nodes.max(2));
    let tail = (4.0 * n * n / FAILURE_PROBABILITY).ln();
    let probe = config.probe_interval.as_secs_f64()
        * if config.awareness { f64::from(config.awareness_max) } else { 1.0 };
    let rounds = (tail * n / f64::from(live.max(1))).min(2.0 * n);
    let suspicion = longest_suspicion(config, nodes).as_secs_f64();
    let stream = config.stream_timeout.as_secs_f64();
    let detection = probe * (rounds + 1.0) + suspicion;
    let dial = config.reconnect_interval.as_secs_f64() / (1.0 - (-1f64).exp());
    let reconnection = 2.0 * dial * tail + stream;
    let reclaim = config.gossip_to_dead.as_secs_f64() + dial;
    let scale = if nodes > 32 { (n.log2() - 5.0).ceil() + 1.0 } else { 1.0 };
    let exchange = config.push_pull_interval.as_secs_f64() * scale + stream;
    let closing = 2.0 * exchange * (n.log2() + tail) + suspicion;
    let hold = (2.0 * suspicion).max(2.0 * config.probe_interval.as_secs_f64());
    Quiet {
        // Whole seconds: the last bit of a logarithm must not decide anything.
        bound: Duration::from_secs((detection + reconnection + reclaim + closing).ceil() as u64),
        hold: Duration::from_secs(hold.ceil() as u64),
    }
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
    fn it_says_why_it_does_not_apply() {
        let rtt = Duration::from_millis(1);
        assert_eq!(not_applicable(&Config::lan(), 0.01, rtt), None);
        let no_sync = Config { anti_entropy: AntiEntropy::Off, ..Config::lan() };
        assert!(not_applicable(&no_sync, 0.0, rtt).unwrap().contains("anti-entropy"));
        let no_dial = Config { reconnect: false, ..Config::lan() };
        assert!(not_applicable(&no_dial, 0.0, rtt).unwrap().contains("reconnect"));
        assert!(not_applicable(&Config::lan(), 0.5, rtt).is_some());
        assert!(not_applicable(&Config::lan(), 0.0, Duration::from_secs(1)).is_some());
    }
}
