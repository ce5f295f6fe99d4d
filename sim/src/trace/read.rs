//! Reading what packets say.

use rumormill_core::keyring::Keyring;
use rumormill_core::wire::{Message, Messages, Wire, WireError};
use rumormill_core::{Config, Seed};

use super::entry::{Carrier, Said};
use crate::truth::node_number;

/// Opens the packets of each group of nodes, with the keys that its nodes have at birth.
#[derive(Debug)]
pub(crate) struct Reader {
    wires: Vec<Wire>,
    /// Each node's group.
    group: Vec<u16>,
    opened: Vec<u8>,
}

impl Reader {
    /// A reader for groups of nodes, given each one's settings and keys.
    pub(crate) fn new<'g>(groups: impl Iterator<Item = (&'g Config, &'g Keyring)>, group: Vec<u16>) -> Self {
        let wire = |(config, keyring): (&Config, &Keyring)| {
            let seed = Seed::simulated(0, 0, 0);
            Wire::with_keys(config, keyring.clone(), &seed).unwrap_or_else(|_| Wire::new(config))
        };
        Self { wires: groups.map(wire).collect(), group, opened: Vec::new() }
    }

    /// Shows each message of a packet or frame that a node sends; whether all of it could be read.
    pub(super) fn read(
        &mut self,
        from: u32,
        carrier: Carrier,
        bytes: &[u8],
        mut show: impl FnMut(Said),
    ) -> bool {
        let mut opened = std::mem::take(&mut self.opened);
        let group = self.group.get(from as usize).map_or(0, |group| usize::from(*group));
        let Some(wire) = self.wires.get(group) else { return false };
        let messages: Result<Messages<'_>, WireError> = match carrier {
            Carrier::Datagram => wire.unseal_packet(bytes, &mut opened),
            Carrier::Segment(_) => wire.unseal_frame(bytes, &mut opened),
        };
        let mut sound = messages.is_ok();
        for message in messages.into_iter().flatten() {
            match message {
                Ok(message) => show(said(&message)),
                Err(_) => sound = false,
            }
        }
        self.opened = opened;
        sound
    }
}

fn said(message: &Message<'_>) -> Said {
    match message {
        Message::Ping { seq, target } => Said::Ping { seq: seq.0, target: node_number(target) },
        Message::PingReq { seq, target, .. } => Said::PingReq { seq: seq.0, target: node_number(target) },
        Message::Ack { seq, .. } => Said::Ack { seq: seq.0, target: None },
        Message::Nack { seq } => Said::Nack { seq: seq.0, target: None },
        Message::Alive(alive) => {
            Said::Alive { subject: node_number(alive.name), incarnation: alive.incarnation.0 }
        }
        Message::Suspect(it) => Said::Suspect {
            subject: node_number(it.name),
            incarnation: it.incarnation.0,
            accuser: node_number(it.from),
        },
        Message::Dead(it) => Said::Dead {
            subject: node_number(it.name),
            incarnation: it.incarnation.0,
            accuser: node_number(it.from),
        },
        Message::SyncRow(row) => Said::Row {
            subject: node_number(row.alive.name),
            incarnation: row.alive.incarnation.0,
            state: row.state,
        },
        other => Said::Other(other.kind()),
    }
}
