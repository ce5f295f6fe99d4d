//! Every setting of the protocol, with its unit, range, default and what it trades.
//!
//! Plain SWIM, memberlist and Lifeguard are settings of one [`Config`], not forks of the code.

mod duration_text;

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::Versions;
use crate::time::nanos;
pub use duration_text::{DurationError, format_duration, parse_duration};

/// What a periodic or joining node exchanges over a stream to close what gossip left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AntiEntropy {
    /// Nothing periodic; a join still exchanges everything.
    Off,
    /// The whole member table both ways (memberlist's push/pull).
    Full,
    /// Digests first, then only the rows that differ. A join still exchanges everything.
    Delta,
}

/// When waiting news leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pacing {
    /// One batch to each of `gossip_nodes` at each gossip tick (memberlist).
    Tick,
    /// News that has not been sent yet leaves at once, and a queue of more than one batch is sent as often as it takes to be
    /// gone through once each `gossip_interval`; within `gossip_bytes_per_second`, each message as often as with ticks.
    Paced,
}

/// How waiting news shares a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    /// Membership first, then intents, queries, events, each with what the ones before leave (Serf).
    Strict,
    /// This node's own refutation first, then each queue its share of the packet, and what one leaves to the others.
    Fair,
}

/// The cipher that seals packets and frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cipher {
    /// AES-128-GCM, AES-192-GCM or AES-256-GCM, by the length of the key.
    AesGcm,
    /// ChaCha20-Poly1305, for machines without AES instructions; keys of 32 bytes.
    #[serde(rename = "chacha20-poly1305")]
    ChaCha20Poly1305,
}

/// The logarithm in the formulas for retransmission and suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogBase {
    /// Base 2.
    #[serde(rename = "2")]
    Two,
    /// The natural logarithm, as the SWIM paper has it.
    #[serde(rename = "e")]
    E,
    /// Base 10, as memberlist and the Lifeguard paper have it.
    #[serde(rename = "10")]
    Ten,
}

impl LogBase {
    /// log(x) in this base.
    #[must_use]
    pub fn log(self, x: f64) -> f64 {
        match self {
            Self::Two => libm::log2(x),
            Self::E => libm::log(x),
            Self::Ten => libm::log10(x),
        }
    }
}

/// How many independent confirmations bring a suspicion down to its shortest time-out (Lifeguard's K).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum Confirmations {
    /// `suspicion_mult - 2`, and none in a cluster too small to give them (memberlist).
    Auto(Auto),
    /// This many, whatever the cluster's size. 0: the time-out is the minimum from the start.
    Exactly(u8),
}

/// The word `auto` in [`Confirmations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auto {
    /// Derived from other settings.
    Auto,
}

/// The settings of one node. All nodes of a cluster should have the same, names and label apart.
///
/// Durations are written as text in files: `"200ms"`, `"1m30s"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Time from the start of one probe to the start of the next. 1 ms to 1 h; default 1 s (WAN 5 s).
    /// Longer: less traffic, later detection.
    #[serde(with = "duration_text")]
    pub probe_interval: Duration,
    /// How long a direct ack may take before helpers and the stream probe are tried. 1 ms up to below
    /// `probe_interval`; default 500 ms (WAN 3 s, local 200 ms). Should exceed the 99th percentile of the round trip.
    #[serde(with = "duration_text")]
    pub probe_timeout: Duration,
    /// Helpers asked to probe a member that did not ack (SWIM's k). 0 to 32; default 3 (local 1).
    /// More: fewer false suspicions under loss, more traffic when many members are down.
    pub indirect_checks: u8,
    /// Whether a probe without a direct ack is also tried over a stream. Default true.
    /// It tells a dead member from a path that loses datagrams; off for plain SWIM.
    pub stream_probe: bool,
    /// Whether helpers are asked for nacks (Lifeguard's LHA-Probe), so that a node with a deaf network blames itself.
    /// Default true.
    pub nacks: bool,
    /// Local health (Lifeguard): a node that seems slow itself probes more patiently. Default true.
    pub awareness: bool,
    /// The score stays below this (memberlist's `AwarenessMaxMultiplier`), so waiting grows at most this many times.
    /// 1 to 64; default 8.
    pub awareness_max: u8,
    /// Whether local health stretches `probe_timeout` too, as the Lifeguard paper has it; memberlist stretches
    /// the interval alone. Default false.
    pub awareness_scales_timeout: bool,
    /// Whether pinging a suspect carries the accusation in that ping (Lifeguard's Buddy System). Default true.
    pub buddy: bool,
    /// Whether a failed probe makes a suspect first (SWIM's suspicion subprotocol) or is declared at once. Default true.
    pub suspicion: bool,
    /// Shortest suspicion, as a multiple of `log(n) * probe_interval` (Lifeguard's alpha). 1 to 100; default 4 (WAN 6,
    /// local 3). More: fewer false positives, later detection.
    pub suspicion_mult: u32,
    /// Longest suspicion, as a multiple of the shortest (Lifeguard's beta). 1 to 100; default 6; 1 is plain SWIM.
    pub suspicion_max_mult: u32,
    /// Confirmations that bring a suspicion from its longest to its shortest. `"auto"` or 0 to 32; default `"auto"`.
    pub suspicion_confirmations: Confirmations,
    /// The logarithm in the suspicion time-out. `"10"`, `"e"` or `"2"`; default `"10"`.
    pub suspicion_log_base: LogBase,
    /// Time between two gossip ticks of a node that has something to say. 1 ms to 1 h; default 200 ms (WAN 500 ms,
    /// local 100 ms).
    #[serde(with = "duration_text")]
    pub gossip_interval: Duration,
    /// Members told at each gossip tick. 0 to 64; default 3 (WAN 4). 0: news travels on probes alone, as in SWIM.
    pub gossip_nodes: u8,
    /// How long a dead member is still gossiped to, so that it can refute, and remembered by the failure
    /// detector. 0 to 24 h; default 30 s (WAN 60 s, local 15 s).
    #[serde(with = "duration_text")]
    pub gossip_to_dead: Duration,
    /// Times each broadcast is sent by each node, as a multiple of `ceil(log(n + 1))` (SWIM's lambda). 1 to 100;
    /// default 4 (local 2). More: fewer members missed by gossip, more traffic.
    pub retransmit_mult: u32,
    /// The logarithm in the retransmission limit. `"10"`, `"e"` or `"2"`; default `"10"`.
    pub retransmit_log_base: LogBase,
    /// When waiting news leaves: `"paced"` or `"tick"`; default `"paced"`.
    pub pacing: Pacing,
    /// Gossip that a node may send of its own accord, bytes per second; what rides on probes comes on top. 1024 to 10^9;
    /// default 1 000 000.
    pub gossip_bytes_per_second: u32,
    /// How waiting news shares a packet: `"fair"` or `"strict"`; default `"fair"`.
    pub packing: Packing,
    /// Largest packet, headers of UDP and IP apart. 1200 (the largest single message, with the longest label, must fit) to
    /// 65 507 bytes; default 1400.
    pub packet_bytes_max: u16,
    /// Most broadcasts in one packet. 0 is no limit beside the bytes; default 0; SWIM's experiments used 6.
    pub packet_updates_max: u8,
    /// Broadcasts that may wait in one queue; beyond, the most transmitted is dropped and counted. 16 to 1 048 576;
    /// default 4096.
    pub queue_messages_max: u32,
    /// What is exchanged periodically over streams. `"full"`, `"delta"` or `"off"`; default `"full"`.
    pub anti_entropy: AntiEntropy,
    /// Time between two exchanges that a node initiates, in a cluster of up to 32; beyond it grows with
    /// log2(n). 100 ms to 24 h; default 30 s (WAN 60 s, local 15 s).
    #[serde(with = "duration_text")]
    pub push_pull_interval: Duration,
    /// How long a stream may take, from opening to its last frame. 10 ms to 10 min; default 10 s (WAN 30 s, local 1 s).
    #[serde(with = "duration_text")]
    pub stream_timeout: Duration,
    /// Streams open at once, both ways together, an eighth of them for those that this node opens; more are refused and counted. 1 to 65 536; default 128.
    pub streams_max: u32,
    /// Largest stream frame, and so what a receiver must be ready to hold. 4096 to 16 777 216 bytes; default 65 536.
    pub frame_bytes_max: u32,
    /// Probes for other members that may be open at once; more are dropped and counted. 1 to 65 536; default 1024.
    pub relays_max: u32,
    /// Members in the table, dead ones included; more are ignored and counted. 2 to 16 777 216; default 1 048 576.
    pub members_max: u32,
    /// Whether failed members are dialled again now and then. Default true; without it no long partition heals.
    pub reconnect: bool,
    /// Time between two chances to dial a failed member; a chance is passed over while a dial goes on, for at most `stream_timeout`. 100 ms to
    /// 24 h; default 30 s.
    #[serde(with = "duration_text")]
    pub reconnect_interval: Duration,
    /// How long a failed member is remembered and dialled. 1 s to 30 days; default 24 h.
    #[serde(with = "duration_text")]
    pub reconnect_timeout: Duration,
    /// How long a member that left is remembered. 1 s to 30 days; default 24 h.
    #[serde(with = "duration_text")]
    pub tombstone_timeout: Duration,
    /// How long after its death a member's name may be taken over from another address; 0: only once the
    /// failure detector has forgotten it. 0 to 24 h; default 0.
    #[serde(with = "duration_text")]
    pub dead_reclaim: Duration,
    /// How long a leave or an update waits for its broadcast to be sent often enough. 10 ms to 10 min; default 5 s.
    #[serde(with = "duration_text")]
    pub broadcast_timeout: Duration,
    /// How long a leaving node stays after its broadcast went out, so that it can still be relayed and
    /// acknowledged. 0 to 10 min; default 1 s.
    #[serde(with = "duration_text")]
    pub leave_propagate_delay: Duration,
    /// Longest user event, bytes of name and payload, and of the whole in Serf's encoding. 32 to 9216; default 512.
    pub user_event_bytes_max: u16,
    /// User events kept for those that missed them, and Lamport times back that an event may be without repair (Serf's
    /// `EventBuffer`). 16 to 65 536; default 2048.
    pub event_buffer: u32,
    /// Origins of user events that are told apart; the one heard of longest ago is forgotten and counted. 16 to 1 048 576; default 4096.
    pub event_origins_max: u32,
    /// Whether gaps in an origin's user events are asked for. Default true; off is Serf: what gossip misses is gone.
    pub event_repair: bool,
    /// How long a gap may stay before it is asked for: gossip usually closes it. 1 ms to 1 min; default 500 ms (WAN 2 s, local 200 ms).
    #[serde(with = "duration_text")]
    pub event_repair_delay: Duration,
    /// Longest query, bytes in Serf's encoding. 32 to 9216; default 1024.
    pub query_bytes_max: u16,
    /// Longest answer to a query, bytes in Serf's encoding, its relay's header included. 32 to 9216; default 1024.
    pub response_bytes_max: u16,
    /// Lamport times back that a query may be, and be known again (Serf's `QueryBuffer`). 16 to 65 536; default 512.
    pub query_buffer: u32,
    /// Queries open at once, those asked here and those to answer here each; more are refused and counted. 1 to 65 536; default 1024.
    pub queries_max: u32,
    /// A query's default time-out as a multiple of `gossip_interval * ceil(log10(n + 1))`. 1 to 1000; default 16.
    pub query_timeout_mult: u32,
    /// Intents about members that are not known yet; more are dropped and counted. 16 to 1 048 576; default 4096.
    pub intents_max: u32,
    /// How long an intent about an unknown member is kept. 1 s to 24 h; default 5 min.
    #[serde(with = "duration_text")]
    pub recent_intent_timeout: Duration,
    /// Whether a node whose name is claimed elsewhere asks the cluster, and stops when the majority knows the other. Default true.
    pub name_conflict_vote: bool,
    /// Whether acks carry network coordinates (Vivaldi), so that `rtt` can be estimated between any two members. Default true.
    pub coordinates: bool,
    /// The cipher for a node that has keys: `"aes-gcm"` or `"chacha20-poly1305"`; default `"aes-gcm"`. One for the whole cluster.
    pub cipher: Cipher,
    /// Whether a node with keys refuses what is not sealed. Default true; off while encryption is being rolled out.
    pub verify_incoming: bool,
    /// Whether a node with keys seals what it sends. Default true; off while encryption is being rolled out.
    pub verify_outgoing: bool,
    /// Whether keys may be used with a simulated seed, whose nonces anybody can predict. Default false.
    pub simulation: bool,
    /// Cluster label: nodes with different labels accept nothing from each other. 0 to 255 bytes; default none.
    pub label: String,
    /// The version bytes this node announces. Default [`Versions::CURRENT`].
    pub versions: Versions,
    /// Whether [`Note`](crate::io::Note)s are given out. Never changes behaviour; default false.
    pub notes: bool,
    /// The rule that this node breaks (feature `sabotage`). Default none.
    #[cfg(feature = "sabotage")]
    pub sabotage: crate::Sabotage,
}

impl Default for Config {
    fn default() -> Self {
        Self::lan()
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Config {
    /// For members within one data centre: Serf's and memberlist's LAN defaults.
    #[must_use]
    pub fn lan() -> Self {
        Self {
            probe_interval: ms(1000),
            probe_timeout: ms(500),
            indirect_checks: 3,
            stream_probe: true,
            nacks: true,
            awareness: true,
            awareness_max: 8,
            awareness_scales_timeout: false,
            buddy: true,
            suspicion: true,
            suspicion_mult: 4,
            suspicion_max_mult: 6,
            suspicion_confirmations: Confirmations::Auto(Auto::Auto),
            suspicion_log_base: LogBase::Ten,
            gossip_interval: ms(200),
            gossip_nodes: 3,
            gossip_to_dead: ms(30_000),
            retransmit_mult: 4,
            retransmit_log_base: LogBase::Ten,
            pacing: Pacing::Paced,
            gossip_bytes_per_second: 1_000_000,
            packing: Packing::Fair,
            packet_bytes_max: 1400,
            packet_updates_max: 0,
            queue_messages_max: 4096,
            anti_entropy: AntiEntropy::Full,
            push_pull_interval: ms(30_000),
            stream_timeout: ms(10_000),
            streams_max: 128,
            frame_bytes_max: 65_536,
            relays_max: 1024,
            members_max: 1_048_576,
            reconnect: true,
            reconnect_interval: ms(30_000),
            reconnect_timeout: ms(86_400_000),
            tombstone_timeout: ms(86_400_000),
            dead_reclaim: Duration::ZERO,
            broadcast_timeout: ms(5_000),
            leave_propagate_delay: ms(1_000),
            user_event_bytes_max: 512,
            event_buffer: 2048,
            event_origins_max: 4096,
            event_repair: true,
            event_repair_delay: ms(500),
            query_bytes_max: 1024,
            response_bytes_max: 1024,
            query_buffer: 512,
            queries_max: 1024,
            query_timeout_mult: 16,
            intents_max: 4096,
            recent_intent_timeout: ms(300_000),
            name_conflict_vote: true,
            coordinates: true,
            cipher: Cipher::AesGcm,
            verify_incoming: true,
            verify_outgoing: true,
            simulation: false,
            label: String::new(),
            versions: Versions::CURRENT,
            notes: false,
            #[cfg(feature = "sabotage")]
            sabotage: crate::Sabotage::None,
        }
    }

    /// For members on different continents: Serf's and memberlist's WAN defaults.
    #[must_use]
    pub fn wan() -> Self {
        Self {
            probe_interval: ms(5_000),
            probe_timeout: ms(3_000),
            suspicion_mult: 6,
            gossip_interval: ms(500),
            gossip_nodes: 4,
            gossip_to_dead: ms(60_000),
            event_repair_delay: ms(2_000),
            push_pull_interval: ms(60_000),
            stream_timeout: ms(30_000),
            ..Self::lan()
        }
    }

    /// For members on one machine: Serf's and memberlist's local defaults.
    #[must_use]
    pub fn local() -> Self {
        Self {
            probe_timeout: ms(200),
            indirect_checks: 1,
            suspicion_mult: 3,
            gossip_interval: ms(100),
            gossip_to_dead: ms(15_000),
            event_repair_delay: ms(200),
            retransmit_mult: 2,
            push_pull_interval: ms(15_000),
            stream_timeout: ms(1_000),
            ..Self::lan()
        }
    }

    /// Checks every range, and the rules between settings.
    ///
    /// # Errors
    /// The first setting that is out of bounds: its name, its value, and what would be right.
    pub fn check(&self) -> Result<(), ConfigError> {
        const HOUR: Duration = ms(3_600_000);
        const DAY: Duration = ms(86_400_000);
        const MONTH: Duration = ms(30 * 86_400_000);
        let d = duration_in;
        let n = number_in;
        d("probe_interval", self.probe_interval, ms(1), HOUR)?;
        d("probe_timeout", self.probe_timeout, ms(1), HOUR)?;
        if self.probe_timeout >= self.probe_interval {
            return Err(ConfigError {
                field: "probe_timeout",
                value: format_duration(self.probe_timeout),
                bound: format!(
                    "less than probe_interval ({}), or helpers and the stream probe have no time",
                    format_duration(self.probe_interval)
                ),
            });
        }
        n("indirect_checks", self.indirect_checks.into(), 0, 32)?;
        n("awareness_max", self.awareness_max.into(), 1, 64)?;
        n("suspicion_mult", self.suspicion_mult.into(), 1, 100)?;
        n("suspicion_max_mult", self.suspicion_max_mult.into(), 1, 100)?;
        if let Confirmations::Exactly(k) = self.suspicion_confirmations {
            n("suspicion_confirmations", k.into(), 0, 32)?;
        }
        d("gossip_interval", self.gossip_interval, ms(1), HOUR)?;
        n("gossip_nodes", self.gossip_nodes.into(), 0, 64)?;
        d("gossip_to_dead", self.gossip_to_dead, Duration::ZERO, DAY)?;
        n("retransmit_mult", self.retransmit_mult.into(), 1, 100)?;
        n("packet_bytes_max", self.packet_bytes_max.into(), 1200, 65_507)?;
        n("queue_messages_max", self.queue_messages_max.into(), 16, 1_048_576)?;
        d("push_pull_interval", self.push_pull_interval, ms(100), DAY)?;
        d("stream_timeout", self.stream_timeout, ms(10), ms(600_000))?;
        n("streams_max", self.streams_max.into(), 1, 65_536)?;
        n("frame_bytes_max", self.frame_bytes_max.into(), 4096, 16_777_216)?;
        n("relays_max", self.relays_max.into(), 1, 65_536)?;
        n("members_max", self.members_max.into(), 2, 16_777_216)?;
        d("reconnect_interval", self.reconnect_interval, ms(100), DAY)?;
        d("reconnect_timeout", self.reconnect_timeout, ms(1_000), MONTH)?;
        d("tombstone_timeout", self.tombstone_timeout, ms(1_000), MONTH)?;
        d("dead_reclaim", self.dead_reclaim, Duration::ZERO, DAY)?;
        d("broadcast_timeout", self.broadcast_timeout, ms(10), ms(600_000))?;
        d("leave_propagate_delay", self.leave_propagate_delay, Duration::ZERO, ms(600_000))?;
        n("gossip_bytes_per_second", self.gossip_bytes_per_second.into(), 1024, 1_000_000_000)?;
        n("user_event_bytes_max", self.user_event_bytes_max.into(), 32, 9216)?;
        n("event_buffer", self.event_buffer.into(), 16, 65_536)?;
        n("event_origins_max", self.event_origins_max.into(), 16, 1_048_576)?;
        d("event_repair_delay", self.event_repair_delay, ms(1), ms(60_000))?;
        n("query_bytes_max", self.query_bytes_max.into(), 32, 9216)?;
        n("response_bytes_max", self.response_bytes_max.into(), 32, 9216)?;
        n("query_buffer", self.query_buffer.into(), 16, 65_536)?;
        n("queries_max", self.queries_max.into(), 1, 65_536)?;
        n("query_timeout_mult", self.query_timeout_mult.into(), 1, 1000)?;
        n("intents_max", self.intents_max.into(), 16, 1_048_576)?;
        d("recent_intent_timeout", self.recent_intent_timeout, ms(1_000), DAY)?;
        if self.label.len() > 255 {
            return Err(ConfigError {
                field: "label",
                value: format!("{} bytes", self.label.len()),
                bound: "at most 255 bytes".into(),
            });
        }
        if !self.versions.is_sane() {
            return Err(ConfigError {
                field: "versions",
                value: format!("{:?}", self.versions),
                bound: "protocol_min and protocol_max above 0, protocol_min at most protocol_max".into(),
            });
        }
        Ok(())
    }
}

/// A setting that cannot be: the operator's mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field} is {value}, but must be {bound}")]
pub struct ConfigError {
    /// The field of [`Config`].
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// What would be right.
    pub bound: String,
}

fn duration_in(
    field: &'static str,
    value: Duration,
    min: Duration,
    max: Duration,
) -> Result<(), ConfigError> {
    if nanos(value) >= nanos(min) && nanos(value) <= nanos(max) {
        return Ok(());
    }
    let bound = format!("from {} to {}", format_duration(min), format_duration(max));
    Err(ConfigError { field, value: format_duration(value), bound })
}

fn number_in(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ConfigError { field, value: format!("{value}"), bound: format!("from {min} to {max}") })
}
