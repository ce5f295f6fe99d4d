//! A probe that failed, put together again from its packets.

use super::case::Case;
use crate::trace::{Carrier, Cause, Entry, Fate, Packet, Said, What};

/// What a packet of a probe is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// From the prober to the target.
    Ping,
    /// The target's answer to it.
    Ack,
    /// From the prober to a helper.
    Request,
    /// From a helper to the target.
    HelperPing,
    /// The target's answer to a helper.
    HelperAck,
    /// The answer that a helper passes on.
    Relayed,
    /// A helper has had no answer.
    Nack,
    /// A segment between prober and target.
    Stream,
}

impl Role {
    /// In words.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Ack => "ack",
            Self::Request => "request to a helper",
            Self::HelperPing => "helper's ping",
            Self::HelperAck => "ack to a helper",
            Self::Relayed => "ack passed on",
            Self::Nack => "nack",
            Self::Stream => "stream segment",
        }
    }
}

/// A part of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) role: Role,
    /// The packet's number.
    pub(super) packet: u32,
    /// The helper, where one takes part.
    pub(super) helper: Option<u32>,
}

/// A probe that failed.
#[derive(Clone, Debug)]
pub(super) struct Probe<'a> {
    pub(super) prober: u32,
    /// The entry that says so.
    pub(super) failed: &'a Entry,
    /// When the ping should have left.
    pub(super) began: u64,
    /// Its packets, in order.
    pub(super) pieces: Vec<Piece>,
}

/// The last probe of the subject by that node that failed up to a moment.
pub(super) fn failed_probe<'a>(case: &Case<'a>, prober: u32, until: u64) -> Option<Probe<'a>> {
    let failed = case.last(prober, until, |entry| matches!(entry.what, What::ProbeFailed { .. }))?;
    let subject = case.verdict.subject;
    let is_ping = |packet: &Packet| {
        packet.from == prober
            && packet.to == subject
            && packet.wanted <= failed.time
            && packet.carrier == Carrier::Datagram
            && !matches!(packet.cause, Cause::Packet(_))
    };
    let (ping, began, seq) = case.packets().rev().find_map(|(number, packet)| {
        let seq = packet.said.iter().find_map(|said| match said {
            Said::Ping { seq, target } if *target == Some(subject) => Some(*seq),
            _ => None,
        })?;
        is_ping(packet).then_some((number, packet.wanted, seq))
    })?;
    let mut probe = Probe { prober, failed, began, pieces: Vec::new() };
    probe.gather(case, ping, seq);
    Some(probe)
}

impl Probe<'_> {
    fn gather(&mut self, case: &Case<'_>, ping: u32, seq: u32) {
        let (prober, subject) = (self.prober, case.verdict.subject);
        let mut helpers: Vec<u32> = Vec::new();
        for (number, packet) in case.packets() {
            if packet.wanted < self.began || packet.wanted > self.failed.time {
                continue;
            }
            let (from, to) = (packet.from, packet.to);
            let has = |is: &dyn Fn(&Said) -> bool| packet.said.iter().any(is);
            let ack = has(&|said| matches!(said, Said::Ack { seq: s, .. } if *s == seq));
            let role = if number == ping {
                Some((Role::Ping, None))
            } else if let Carrier::Segment(_) = packet.carrier {
                let between = [from, to].contains(&prober) && [from, to].contains(&subject);
                between.then_some((Role::Stream, None))
            } else if from == prober && has(&|said| matches!(said, Said::PingReq { seq: s, .. } if *s == seq))
            {
                helpers.push(to);
                Some((Role::Request, Some(to)))
            } else if ack && (from, to) == (subject, prober) {
                Some((Role::Ack, None))
            } else if ack && to == prober {
                Some((Role::Relayed, Some(from)))
            } else if to == prober && has(&|said| matches!(said, Said::Nack { seq: s, .. } if *s == seq)) {
                Some((Role::Nack, Some(from)))
            } else {
                self.of_helper(packet, &helpers)
            };
            if let Some((role, helper)) = role {
                self.pieces.push(Piece { role, packet: number, helper });
            }
        }
    }

    /// What goes on between a helper and the target because of the prober's request.
    fn of_helper(&self, packet: &Packet, helpers: &[u32]) -> Option<(Role, Option<u32>)> {
        let Cause::Packet(cause) = packet.cause else { return None };
        let before = self.pieces.iter().find(|piece| piece.packet == cause)?;
        match before.role {
            Role::Request if before.helper == Some(packet.from) && helpers.contains(&packet.from) => {
                let pings = packet.said.iter().any(|said| matches!(said, Said::Ping { .. }));
                pings.then_some((Role::HelperPing, Some(packet.from)))
            }
            Role::HelperPing => Some((Role::HelperAck, before.helper)),
            _ => None,
        }
    }

    /// The helpers that were asked, in order.
    pub(super) fn helpers(&self) -> Vec<u32> {
        let asked = self.pieces.iter().filter(|piece| piece.role == Role::Request);
        asked.filter_map(|piece| piece.helper).collect()
    }

    /// The last piece of one helper's part: where it broke off.
    pub(super) fn last_of(&self, helper: u32) -> Option<Piece> {
        self.pieces
            .iter()
            .rev()
            .find(|piece| piece.helper == Some(helper) && piece.role != Role::Nack)
            .copied()
    }

    /// The last piece that has a role.
    pub(super) fn piece(&self, role: Role) -> Option<Piece> {
        self.pieces.iter().rev().find(|piece| piece.role == role).copied()
    }
}

/// How much later than its own latency says a packet has to be to count as late (ns).
const LATE: u64 = 10_000_000;

/// Whether the network did something to a packet that an exception would undo: lost it, cut it off, or held it up.
pub(super) fn suffered(packet: &Packet) -> bool {
    match packet.fate {
        Fate::Lost { .. } | Fate::TooLong | Fate::Cut(_) | Fate::DroppedInFlight(_) => packet.key.is_some(),
        Fate::Arrives(_) => packet.key.is_some() && packet.extra >= LATE,
        Fate::Waiting | Fate::Nobody | Fate::Spared(_) | Fate::Overflowed | Fate::Gone => false,
    }
}

/// The fault that did it, if one did.
pub(super) const fn culprit(packet: &Packet) -> Option<usize> {
    match packet.fate {
        Fate::Cut(fault) | Fate::DroppedInFlight(fault) => Some(fault),
        Fate::Lost { fault, .. } => fault,
        _ => None,
    }
}
