//! Settings of the core: every protocol variant, and every bound that a small cluster can reach.

use std::time::Duration;

use rumormill_core::Config;
use rumormill_core::config::{AntiEntropy, Cipher, Confirmations, LogBase, Pacing, Packing};

use super::Kind;
use crate::fuzz::words::Words;
use crate::scenario::Scenario;

/// A setting whose values are these; the first is the one that tells most.
macro_rules! setting {
    ($name:ident: $($value:expr),+) => {
        Kind {
            name: stringify!($name),
            add: |scenario: &mut Scenario, words: &mut Words<'_>| {
                scenario.cluster.config.$name = words.one_of([$($value),+]);
            },
        }
    };
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The settings that are drawn. Missing are those that would say nothing in a small cluster (`frame_bytes_max`), or that
/// deny what the invariants ask for (`members_max` below the number of nodes).
pub(crate) const SETTINGS: [Kind; 50] = [
    setting!(anti_entropy: AntiEntropy::Delta, AntiEntropy::Delta, AntiEntropy::Delta, AntiEntropy::Off),
    setting!(awareness: false),
    setting!(awareness_max: 1, 2, 16),
    setting!(awareness_scales_timeout: true),
    setting!(nacks: false),
    setting!(buddy: false),
    setting!(stream_probe: false),
    setting!(indirect_checks: 0, 1, 8),
    setting!(suspicion: false),
    setting!(suspicion_mult: 1, 2, 8),
    setting!(suspicion_max_mult: 1, 2, 12),
    setting!(suspicion_confirmations: Confirmations::Exactly(0), Confirmations::Exactly(1), Confirmations::Exactly(3)),
    setting!(suspicion_log_base: LogBase::Two, LogBase::E),
    setting!(retransmit_log_base: LogBase::Two, LogBase::E),
    setting!(retransmit_mult: 1, 2, 8),
    setting!(gossip_nodes: 0, 1, 8),
    setting!(gossip_to_dead: Duration::ZERO, ms(1000), ms(5000), ms(120_000)),
    setting!(dead_reclaim: ms(500), ms(5000)),
    setting!(pacing: Pacing::Tick),
    setting!(packing: Packing::Strict),
    setting!(gossip_bytes_per_second: 2000, 20_000),
    setting!(packet_updates_max: 1, 6),
    setting!(packet_bytes_max: 1200, 9000),
    setting!(queue_messages_max: 16, 16, 64),
    setting!(push_pull_interval: ms(2000), ms(5000), ms(90_000)),
    setting!(stream_timeout: ms(1000), ms(3000)),
    setting!(streams_max: 3, 4),
    setting!(frame_bytes_max: 4096),
    setting!(relays_max: 1, 2),
    setting!(reconnect: false),
    setting!(reconnect_interval: ms(1000), ms(5000)),
    setting!(reconnect_timeout: ms(10_000), ms(40_000), ms(7_200_000)),
    setting!(tombstone_timeout: ms(1000), ms(20_000)),
    setting!(broadcast_timeout: ms(100), ms(500)),
    setting!(leave_propagate_delay: Duration::ZERO, ms(5000)),
    setting!(event_buffer: 16, 64),
    setting!(event_repair: false),
    setting!(event_repair_delay: ms(20), ms(5000)),
    setting!(query_buffer: 16),
    setting!(queries_max: 1, 2),
    setting!(query_timeout_mult: 1, 64),
    setting!(intents_max: 16),
    setting!(recent_intent_timeout: ms(1000)),
    setting!(name_conflict_vote: false),
    setting!(coordinates: false),
    setting!(cipher: Cipher::ChaCha20Poly1305),
    setting!(verify_incoming: false),
    Kind { name: "verify_outgoing", add: verify_outgoing },
    Kind { name: "label", add: label },
    Kind { name: "faster", add: faster },
];

/// Nodes that seal nothing have to take what is not sealed; and then keys of their own would keep no zones apart.
fn verify_outgoing(scenario: &mut Scenario, _: &mut Words<'_>) {
    if scenario.cluster.zones.iter().any(|zone| zone.key.is_some()) {
        return;
    }
    scenario.cluster.config.verify_outgoing = false;
    scenario.cluster.config.verify_incoming = false;
}

fn label(scenario: &mut Scenario, words: &mut Words<'_>) {
    let length = words.one_of([1, 20, 255]);
    scenario.cluster.config.label = "l".repeat(length);
}

/// Probes and gossip in a hurry: several times as much happens.
fn faster(scenario: &mut Scenario, words: &mut Words<'_>) {
    let Config { probe_interval, probe_timeout, gossip_interval, .. } = &mut scenario.cluster.config;
    let by = words.one_of([2, 3]);
    *probe_interval /= by;
    *probe_timeout /= by;
    *gossip_interval /= by;
}
