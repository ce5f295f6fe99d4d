//! Deliveries: what has travelled reaches a process, or waits for one that does not read.

use rumormill_core::error::StreamFailure;
use rumormill_core::io::{Command, Input, StreamInput};

use super::World;
use super::stage::{LEAVE, What, socket};
use super::streams::Step;
use crate::network::Carried;
use crate::scenario::FaultKind;
use crate::sightings::Sight;
use crate::trace::End;
use crate::truth::Presence;

impl World<'_> {
    /// Something planned or under way is due.
    #[inline]
    pub(super) fn parcel(&mut self, index: u32) {
        let parcel = self.stage.parcels.get(index);
        let (what, from, to, sent) = (parcel.what, parcel.from, parcel.to, parcel.sent);
        let bytes = parcel.bytes.len();
        match what {
            What::Datagram | What::Stream { .. } => {
                let carried = if what == What::Datagram { Carried::Datagram } else { Carried::Segment };
                let now = self.stage.now;
                let cut = self.stage.network.cuts.dropped_in_flight((from, to), sent, now, carried);
                if let Some(fault) = cut {
                    if let What::Stream { connection, generation, side, .. } = what {
                        let connection = self.stage.connections.get(connection);
                        connection.stalled[usize::from(side)] |= connection.generation == generation;
                    }
                    self.stage.did(fault, "in_flight_dropped");
                    self.stage.watch_end(index, End::Dropped(fault));
                } else if self.waits(index, what, to, bytes) {
                    return;
                } else {
                    self.deliver(index);
                }
            }
            What::Leave => self.deliver(index),
            What::Start => self.start_late(to),
            What::Work(index) => self.begin_work(index as usize),
            What::Rekey(index) => self.change_keys(index as usize),
            What::Fault(fault) => self.begin_fault(fault as usize),
            What::End(fault) => self.end_fault(fault as usize),
            What::Return { fault, life } => {
                let truth = &self.stage.truth;
                let same = truth.presence(to) == Presence::Down && truth.life(to) == life;
                let kind = &self.scenario.faults[fault as usize].kind;
                if let (true, FaultKind::Crash { back, .. }) = (same, kind) {
                    self.come_back(to, back, fault as usize);
                }
            }
            What::Rejoin { .. } | What::CallBack { .. } => {
                if self.stage.conditions.is_paused(to) {
                    let waits = self.stage.conditions.receive(to, index, 0, usize::MAX);
                    debug_assert!(waits, "what takes no room finds some");
                    return;
                }
                self.deliver(index);
            }
        }
        self.stage.parcels.give_back(index);
    }

    /// Whether something that arrived waits for its process: then it is kept, or lost for want of room.
    #[inline]
    fn waits(&mut self, index: u32, what: What, to: u32, bytes: usize) -> bool {
        let stage = &mut self.stage;
        if !stage.conditions.holds_receipts(to) || self.nodes[to as usize].is_none() {
            return false;
        }
        // The machine answers a first segment itself: its listening socket has a backlog.
        if matches!(what, What::Stream { step: Step::Syn, .. }) {
            return false;
        }
        let room = if what == What::Datagram { bytes } else { 0 };
        if !stage.conditions.receive(to, index, room, stage.receive_buffer) {
            stage.network.deeds.overflowed += 1;
            stage.watch_end(index, End::Overflows);
            stage.parcels.give_back(index);
        } else {
            stage.watch_end(index, End::Waits);
        }
        true
    }

    /// What has waited for a process reaches it, in order, before anything else does.
    pub(super) fn release_receipts(&mut self, node: u32) {
        for index in self.stage.conditions.take_inbox(node) {
            self.deliver(index);
            self.stage.parcels.give_back(index);
        }
    }

    /// What has waited for a process is gone with it.
    pub(super) fn drop_waiting(&mut self, node: u32) {
        drop(self.stage.conditions.take_held(node));
        if let Some(recorder) = &mut self.stage.recorder {
            recorder.forget_held(node);
        }
        for index in self.stage.conditions.take_inbox(node) {
            self.stage.watch_end(index, End::Gone);
            self.stage.parcels.give_back(index);
        }
    }

    /// A parcel reaches its process.
    #[inline(always)]
    fn deliver(&mut self, index: u32) {
        let parcel = self.stage.parcels.get(index);
        let (what, from, to, damaged) = (parcel.what, parcel.from, parcel.to, parcel.damaged);
        let (sender, receiver) = (parcel.sender, parcel.receiver);
        let bytes = std::mem::take(&mut parcel.bytes);
        match what {
            What::Datagram => {
                let stage = &mut self.stage;
                if stage.address[to as usize] == receiver && self.nodes[to as usize].is_some() {
                    stage.meter.load.received += u64::from(stage.meter.metered(stage.now));
                    let foreign = !stage.meter.views.together(from, to);
                    stage.watch_end(index, End::Arrives);
                    stage.invariants.label.given(stage.now, to, damaged, foreign);
                    self.feed(to, Input::Packet { from: socket(sender), bytes: &bytes });
                    self.stage.invariants.label.taken(self.stage.now, to);
                } else {
                    stage.watch_end(index, End::Gone);
                }
            }
            What::Stream { connection, generation, side, step } => {
                self.stage.watch_end(index, End::Arrives);
                self.stream_step(connection, generation, usize::from(side), step, &bytes);
            }
            What::Leave => self.feed(to, Input::Command { id: LEAVE, command: Command::Leave }),
            What::Rejoin { life } => self.rejoin(to, life),
            What::CallBack { life, token } => self.call_back(to, life, token),
            What::Start | What::Work(_) | What::Rekey(_) => {}
            What::Fault(_) | What::End(_) | What::Return { .. } => {}
        }
        self.stage.parcels.get(index).bytes = bytes;
    }

    fn rejoin(&mut self, node: u32, life: u32) {
        if self.stage.truth.is_up(node) && self.stage.truth.life(node) == life {
            self.try_join(node);
        }
    }

    fn stream_step(&mut self, index: u32, generation: u32, side: usize, step: Step, bytes: &[u8]) {
        let connection = self.stage.connections.get(index);
        if connection.generation != generation || connection.stalled[side] {
            return;
        }
        let (end, other) = (connection.ends[side], connection.ends[1 - side]);
        if step == Step::Syn {
            if self.nodes[end.node as usize].is_some() {
                self.stage.connections.accept(index);
                self.stage.send(index, 0, Step::Connected, &[]);
            } else {
                self.stage.send(index, 0, Step::Refused, &[]);
            }
            return;
        }
        if !end.open {
            return;
        }
        let peer = socket(self.stage.address[other.node as usize]);
        let input = match step {
            Step::Connected => {
                self.stage.send(index, 1, Step::Accepted, &[]);
                StreamInput::Opened { peer }
            }
            Step::Accepted => StreamInput::Opened { peer },
            Step::Frame => StreamInput::Frame(bytes),
            Step::Closed => {
                self.stage.connections.get(index).ends[side].heard_last = true;
                if end.said_last {
                    self.stage.connections.end(index, side);
                }
                StreamInput::Closed
            }
            Step::Refused | Step::Lost | Step::Syn => {
                self.stage.connections.end(index, side);
                let refused = step == Step::Refused;
                if let Some(lookout) = &mut self.stage.lookout {
                    lookout.saw(if refused { Sight::StreamRefused } else { Sight::StreamLost });
                }
                StreamInput::Failed(if refused { StreamFailure::Refused } else { StreamFailure::Lost })
            }
        };
        self.feed(end.node, Input::Stream { id: end.id, input });
    }
}
