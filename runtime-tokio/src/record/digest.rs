//! What a core answered to an input, in a few bytes.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use rumormill_core::io::{Done, Event, Output, Outputs, StreamAction, StreamId};
use rumormill_core::{Due, Instant};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// A core's answer to one input: how many outputs, notes apart, and a digest of them and of the deadline after them.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Number of outputs.
    pub outputs: u32,
    /// XXH3-128 of all that they say, and of when and why the node next wants to be woken.
    pub digest: [u8; 16],
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} outputs, {:032x}", self.outputs, u128::from_be_bytes(self.digest))
    }
}

/// Makes digests; keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Digester(Vec<u8>);

impl Digester {
    pub(super) fn digest(&mut self, outputs: Outputs<'_>, deadline: Option<(Instant, Due)>) -> Answer {
        self.0.clear();
        let mut count = 0u32;
        // Notes change nothing, and a version that takes more of them answers as before.
        for output in outputs.filter(|output| !matches!(output, Output::Note(_))) {
            count = count.saturating_add(1);
            self.output(&output);
        }
        if let Some((at, due)) = deadline {
            self.number(at.as_nanos());
            self.text(format_args!("{due:?}"));
        }
        Answer { outputs: count, digest: xxh3_128(&self.0).to_be_bytes() }
    }

    fn output(&mut self, output: &Output<'_>) {
        match output {
            // What messages a packet or frame carries is in its bytes.
            Output::Packet { to, bytes, kinds: _ } => {
                self.tag(0);
                self.addr(*to);
                self.bytes(bytes);
            }
            Output::Stream { id, action } => self.stream(*id, action),
            Output::Event(event) => {
                self.tag(2);
                self.text(format_args!("{event:?}"));
                // Times are shown to the microsecond.
                if let Event::Query { deadline, .. } = event {
                    self.number(deadline.as_nanos());
                }
            }
            Output::Completed { id, result } => {
                self.tag(3);
                self.number(id.0);
                self.text(format_args!("{result:?}"));
                // Keys are not shown.
                if let Ok(Done::Keys(report)) = result {
                    for (key, _) in report.keys.iter().chain(&report.primaries) {
                        self.bytes(key.expose());
                    }
                }
            }
            Output::Note(_) => {}
        }
    }

    fn stream(&mut self, id: StreamId, action: &StreamAction<'_>) {
        self.tag(1);
        match id {
            StreamId::Ours(n) => self.number(u64::from(n) << 1),
            StreamId::Theirs(n) => self.number(u64::from(n) << 1 | 1),
        }
        match action {
            StreamAction::Open { to, deadline } => {
                self.tag(0);
                self.addr(*to);
                self.number(deadline.as_nanos());
            }
            StreamAction::Frame { bytes, kinds: _, last } => {
                self.tag(1);
                self.bytes(bytes);
                self.tag(u8::from(*last));
            }
            StreamAction::Close => self.tag(2),
        }
    }

    fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn addr(&mut self, addr: SocketAddr) {
        match addr.ip() {
            IpAddr::V4(ip) => self.bytes(&ip.octets()),
            IpAddr::V6(ip) => self.bytes(&ip.octets()),
        }
        self.number(addr.port().into());
        if let SocketAddr::V6(v6) = addr {
            self.number(v6.scope_id().into());
        }
    }

    fn text(&mut self, text: fmt::Arguments<'_>) {
        // Writing to memory does not fail. The zero ends it: no text shown has one.
        let _ = Bytes(&mut self.0).write_fmt(text);
        self.tag(0);
    }
}

struct Bytes<'a>(&'a mut Vec<u8>);

impl fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
