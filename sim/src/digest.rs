//! The trace digest: 128 bits over every input that every node was given, in order.

use std::net::{IpAddr, SocketAddr};

use rumormill_core::error::StreamFailure;
use rumormill_core::io::{Command, Input, KeyAction, StreamId, StreamInput};
use xxhash_rust::xxh3::Xxh3;

/// Bytes that are hashed at once, unless one input has more.
const BATCH_BYTES: usize = 4096;
/// Bytes before an input's own: when, where, what, and how many follow.
const HEAD_BYTES: usize = 25;

/// A running digest (XXH3-128 of one long byte string, little-endian throughout).
#[derive(Default)]
pub struct TraceDigest {
    state: Xxh3,
    /// What has not been hashed yet, up to `filled`: many short strings cost more than a long one.
    waiting: Vec<u8>,
    filled: usize,
    inputs: u64,
}

impl TraceDigest {
    /// The digest of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one input: when, at which node, what.
    #[inline]
    pub fn add(&mut self, time: u64, node: u32, input: &Input<'_>) {
        self.inputs += 1;
        match input {
            Input::Tick => self.record(time, node, 0, 0, &[]),
            Input::Packet { from, bytes } => self.record(time, node, 1, address_word(*from), bytes),
            Input::Stream { id, input } => self.add_stream(time, node, *id, input),
            Input::Command { id, command } => self.add_command(time, node, id.0, command),
        }
    }

    fn add_stream(&mut self, time: u64, node: u32, id: StreamId, input: &StreamInput<'_>) {
        let id = match id {
            StreamId::Ours(n) => u64::from(n),
            StreamId::Theirs(n) => u64::from(n) | 1 << 32,
        };
        match input {
            StreamInput::Opened { peer } => {
                self.record(time, node, 2, id, &address_word(*peer).to_le_bytes());
            }
            StreamInput::Frame(bytes) => self.record(time, node, 3, id, bytes),
            StreamInput::Closed => self.record(time, node, 4, id, &[]),
            StreamInput::Failed(failure) => {
                let code = match failure {
                    StreamFailure::Refused => 0,
                    StreamFailure::TimedOut => 1,
                    StreamFailure::Lost => 2,
                    _ => 3,
                };
                self.record(time, node, 5, id, &[code]);
            }
        }
    }

    fn add_command(&mut self, time: u64, node: u32, id: u64, command: &Command) {
        match command {
            Command::Join { addresses, replay } => {
                let mut words: Vec<u8> =
                    addresses.iter().flat_map(|a| address_word(*a).to_le_bytes()).collect();
                words.extend(replay.then_some(1));
                self.record(time, node, 6, id, &words);
            }
            Command::Leave => self.record(time, node, 7, id, &[]),
            Command::SetTags(tags) => self.record(time, node, 8, id, &tags.to_meta()),
            Command::ForceLeave { name, prune } => {
                self.record(time, node, 9, id << 1 | u64::from(*prune), name.as_bytes());
            }
            Command::UserEvent(event) => {
                let parts = [event.name.as_bytes(), &[0, event.coalesce.into()], &event.payload];
                self.record(time, node, 10, id, &parts.concat());
            }
            Command::Query(query) => {
                let timeout = query.timeout.map_or(0, |timeout| timeout.as_nanos() as u64);
                let flags = [0, query.ack.into(), query.relay_factor];
                let mut parts = [query.name.as_bytes(), &flags, &timeout.to_le_bytes()].concat();
                query.nodes.iter().for_each(|node| parts.extend_from_slice(node.as_bytes()));
                for filter in &query.tags {
                    parts.extend_from_slice(filter.tag.as_bytes());
                    parts.extend_from_slice(filter.expression.as_bytes());
                }
                parts.extend_from_slice(&query.payload);
                self.record(time, node, 11, id, &parts);
            }
            Command::Respond { query, payload } => {
                let parts = [&query.ltime.0.to_le_bytes()[..], &query.id.to_le_bytes(), payload];
                self.record(time, node, 12, id, &parts.concat());
            }
            Command::Decline { query } => {
                let parts = [&query.ltime.0.to_le_bytes()[..], &query.id.to_le_bytes()];
                self.record(time, node, 14, id, &parts.concat());
            }
            Command::Keys { action, relay_factor } => {
                let (what, key) = match action {
                    KeyAction::Install(key) => (0, key.expose()),
                    KeyAction::Use(key) => (1, key.expose()),
                    KeyAction::Remove(key) => (2, key.expose()),
                    KeyAction::List => (3, &[][..]),
                };
                self.record(time, node, 13, id, &[&[what, *relay_factor], key].concat());
            }
        }
    }

    #[inline]
    fn record(&mut self, time: u64, node: u32, kind: u8, detail: u64, bytes: &[u8]) {
        let end = self.filled + HEAD_BYTES + bytes.len();
        let Some(room) = self.waiting.get_mut(self.filled..end) else {
            return self.record_after_flush(time, node, kind, detail, bytes);
        };
        let (head, body) = room.split_at_mut(HEAD_BYTES);
        head[..8].copy_from_slice(&time.to_le_bytes());
        head[8..12].copy_from_slice(&node.to_le_bytes());
        head[12] = kind;
        head[13..21].copy_from_slice(&detail.to_le_bytes());
        head[21..].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        body.copy_from_slice(bytes);
        self.filled = end;
    }

    /// What waits is hashed, and there is room again.
    #[cold]
    fn record_after_flush(&mut self, time: u64, node: u32, kind: u8, detail: u64, bytes: &[u8]) {
        self.state.update(&self.waiting[..self.filled]);
        self.filled = 0;
        self.waiting.resize(BATCH_BYTES.max(HEAD_BYTES + bytes.len()), 0);
        self.record(time, node, kind, detail, bytes);
    }

    /// Inputs added.
    #[must_use]
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// The digest so far, as 32 hex digits.
    #[must_use]
    pub fn text(&self) -> String {
        let mut state = self.state.clone();
        state.update(&self.waiting[..self.filled]);
        format!("{:032x}", state.digest128())
    }
}

/// The simulator's addresses are IPv4, so that address and port fit a word.
#[inline]
fn address_word(address: SocketAddr) -> u64 {
    match address.ip() {
        IpAddr::V4(v4) => u64::from(u32::from(v4)) << 16 | u64::from(address.port()),
        IpAddr::V6(v6) => u128::from(v6) as u64 ^ u64::from(address.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(inputs: &[(u64, u32, Input<'_>)]) -> String {
        let mut digest = TraceDigest::new();
        for (time, node, input) in inputs {
            digest.add(*time, *node, input);
        }
        digest.text()
    }

    #[test]
    fn when_where_what_and_order_all_count() {
        let from = "10.0.0.1:7946".parse().unwrap();
        let packet = |bytes| Input::Packet { from, bytes };
        let base = digest(&[(1, 0, Input::Tick), (2, 1, packet(b"ab"))]);
        assert_eq!(base, digest(&[(1, 0, Input::Tick), (2, 1, packet(b"ab"))]));
        assert_ne!(base, digest(&[(1, 0, Input::Tick), (3, 1, packet(b"ab"))]));
        assert_ne!(base, digest(&[(1, 0, Input::Tick), (2, 2, packet(b"ab"))]));
        assert_ne!(base, digest(&[(1, 0, Input::Tick), (2, 1, packet(b"aB"))]));
        assert_ne!(base, digest(&[(2, 1, packet(b"ab")), (1, 0, Input::Tick)]));
        assert_eq!(base.len(), 32);
    }
}
