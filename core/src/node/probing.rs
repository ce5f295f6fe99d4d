//! The prober's ticks: pick a member, ping it, ask helpers, conclude (SWIM 3.1, Lifeguard IV-A and IV-C).

use alloc::vec::Vec;

use super::Node;
use super::spreading::Opened;
use crate::deadlines::Due;
use crate::detect::InFlight;
use crate::io::{Note, Outbox, ProbePath, State, Via};
use crate::sync::Purpose;
use crate::time::Instant;
use crate::wire::{Accusation, Message};

/// The protocol version from which a member answers pings over streams.
const STREAM_PING_VERSION: u8 = 3;
/// The protocol version from which a helper sends nacks.
const NACK_VERSION: u8 = 4;

impl Node {
    pub(crate) fn on_probe_due(&mut self, now: Instant, out: &mut Outbox) {
        self.periodic.probe = None;
        if let Some(current) = self.prober.current() {
            if current.end > now {
                // Bad local health stretches this probe over more than one interval; the next waits its turn.
                return;
            }
            self.conclude_probe(now, out);
        }
        let target = if broken!(self.config, TheDeadAreProbed) {
            let any = self.members.choose_reachable(1, &mut self.rng).first().copied();
            any.and_then(|slot| Some((slot, self.members.known(slot)?)))
        } else {
            self.members.next_probe(&mut self.rng)
        };
        let Some((slot, known)) = target else { return };
        if broken!(self.config, HalfIsProbed) && slot.index % 2 == 1 {
            return;
        }
        let patience = if self.config.awareness_scales_timeout {
            self.health.stretched(self.config.probe_timeout)
        } else {
            self.config.probe_timeout
        };
        let seq = self.prober.next_seq();
        let end = now + self.health.stretched(self.config.probe_interval);
        self.counters.probes += 1;
        self.prober.begin(InFlight {
            slot,
            incarnation: known.incarnation,
            seq,
            sent: now,
            end,
            nacks_expected: 0,
            nacks: Vec::new(),
            stream: None,
            timeout: Some(self.deadlines.arm(now + patience, Due::ProbeTimeout)),
            end_timer: None,
        });
        let Some((name, addr)) = self.members.whereabouts(slot) else { return };
        let mut packet = Opened::new(&self.wire, out);
        let buddy = known.state == State::Suspect && self.config.buddy && !broken!(self.config, NoBuddy);
        if buddy && let Some(target) = self.members.identity(slot) {
            // Buddy: the accused learns of it from the very packet that tests it, before the ping, so that its ack carries the refutation.
            let (incarnation, from) = (known.incarnation, self.members.me().name.as_str());
            let accusation = Accusation { incarnation, name: &target.name, from };
            packet.add(&self.wire, &Message::Suspect(accusation), out);
        }
        packet.add_ping(&self.wire, seq, name, out);
        self.finish(packet, addr, !buddy, out);
    }

    /// No direct ack in time: helpers ask, and a stream tries beside them.
    pub(crate) fn on_probe_timeout(&mut self, out: &mut Outbox) {
        let Some(probe) = self.prober.current_mut() else { return };
        probe.timeout = None;
        let (slot, seq, end) = (probe.slot, probe.seq, probe.end);
        // Most probes are answered by now and never need it: `end` lies behind every time-out.
        probe.end_timer = Some(self.deadlines.arm(end, Due::ProbeEnd));
        let Some(target) = self.members.identity(slot).cloned() else { return };
        let k = if broken!(self.config, NoIndirectProbe) { 0 } else { self.config.indirect_checks.into() };
        let mut nacks_expected = 0;
        for helper in self.members.choose_alive(k, Some(slot), &mut self.rng) {
            let Some(helper) = self.members.identity(helper).cloned() else { continue };
            let nack = self.config.nacks && helper.versions.protocol_max >= NACK_VERSION;
            nacks_expected += u8::from(nack);
            let request = Message::PingReq { seq, target: &target.name, addr: target.addr, nack };
            self.send(helper.addr, &[request], true, out);
        }
        let fallback = self.config.stream_probe
            && target.versions.protocol_max >= STREAM_PING_VERSION
            && !broken!(self.config, NoStreamProbe);
        let stream =
            if fallback { self.open_stream(target.addr, Purpose::Probe(seq), end, out).ok() } else { None };
        if let Some(probe) = self.prober.current_mut() {
            probe.nacks_expected = nacks_expected;
            probe.stream = stream;
        }
    }

    #[inline]
    pub(super) fn probe_succeeded(
        &mut self,
        mut probe: InFlight,
        path: ProbePath,
        now: Instant,
        out: &mut Outbox,
    ) {
        self.disarm(&mut probe, out);
        if !broken!(self.config, HealthNeverImproves) {
            self.health.improve();
        }
        if path == ProbePath::Stream {
            self.counters.probes_saved_by_stream += 1;
        }
        if out.notes_answered_probes()
            && let Some(subject) = self.members.identity(probe.slot)
        {
            out.note(Note::ProbeAnswered { subject, after: now.since(probe.sent), path });
        }
    }

    pub(crate) fn on_probe_end(&mut self, now: Instant, out: &mut Outbox) {
        if let Some(probe) = self.prober.current_mut() {
            probe.end_timer = None;
        }
        self.conclude_probe(now, out);
    }

    /// The probe's time is over, and nobody has heard from the member.
    fn conclude_probe(&mut self, now: Instant, out: &mut Outbox) {
        let Some(mut probe) = self.prober.end() else { return };
        self.disarm(&mut probe, out);
        self.counters.probes_failed += 1;
        self.health.worsen(probe.blame(), &self.config);
        let Some(target) = self.members.identity(probe.slot).cloned() else { return };
        let incarnation = probe.incarnation;
        let known = self.members.known(probe.slot);
        let accuses = known.is_some_and(|known| {
            matches!(known.state, State::Alive | State::Suspect) && known.incarnation <= incarnation
        });
        out.note(Note::ProbeFailed {
            subject: &target,
            incarnation,
            accuses,
            nacks_expected: probe.nacks_expected,
            nacks: probe.nacks.len() as u8,
        });
        let me = self.members.me().clone();
        let suspect = Accusation { incarnation, name: &target.name, from: &me.name };
        self.heard_suspect(&suspect, Via::Own, now, out);
    }

    /// Cancels what a finished probe still waits for.
    #[inline]
    fn disarm(&mut self, probe: &mut InFlight, out: &mut Outbox) {
        for timer in [probe.timeout.take(), probe.end_timer.take()].into_iter().flatten() {
            self.deadlines.cancel(timer);
        }
        if let Some(id) = probe.stream.take() {
            self.drop_stream(id, out);
        }
    }
}
