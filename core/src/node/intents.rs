//! Join and leave intents (facts 2.4), and force-leave (facts 2.6): what members and operators say of who is there.
//!
//! The failure detector says whether a member answers; intents say whether it means to stay. The member clock orders them:
//! of two intents about one member the one with the greater Lamport time counts, however they arrive.

use alloc::vec::Vec;

use super::{Life, Node};
use crate::deadlines::{Due, Timer};
use crate::error::CommandError;
use crate::events::{Early, EarlyIntents, Kept};
use crate::id::{LamportTime, NodeName, Slot};
use crate::io::{CommandId, Done, Event, Outbox, Status, Via};
use crate::members::Members;
use crate::spread::Lane;
use crate::time::Instant;
use crate::wire::{Intent, Message};

/// Force-leaves under way at once; more are refused as [`CommandError::Busy`].
pub(super) const FORCE_LEAVES_MAX: usize = 64;

/// What a node keeps about intents.
#[derive(Clone, Debug, Default)]
pub(super) struct Intents {
    early: EarlyIntents,
    /// Of the oldest early intent.
    expiry: Option<Timer>,
    force_leaves: Vec<ForceLeave>,
    /// The last join intent of this node, by its number in its queue.
    own: Option<u32>,
}

/// A force-leave whose intent is being sent.
#[derive(Clone, Copy, Debug)]
struct ForceLeave {
    id: CommandId,
    /// The intent's number in its queue.
    number: u32,
    timer: Timer,
}

impl Node {
    pub(super) fn heard_join_intent(
        &mut self,
        intent: &Intent<'_>,
        via: Via,
        now: Instant,
        out: &mut Outbox,
    ) {
        if self.apply_join_intent(intent, now) && via == Via::Gossip {
            self.spread(Lane::Intents, &Message::JoinIntent(*intent), out);
        }
    }

    pub(super) fn heard_leave_intent(
        &mut self,
        intent: &Intent<'_>,
        via: Via,
        now: Instant,
        out: &mut Outbox,
    ) {
        if self.apply_leave_intent(intent, now, out) && via == Via::Gossip {
            self.spread(Lane::Intents, &Message::LeaveIntent(*intent), out);
        }
    }

    /// Takes a join intent; whether it is news that others should hear.
    fn apply_join_intent(&mut self, intent: &Intent<'_>, now: Instant) -> bool {
        self.clocks.member.witness(intent.ltime);
        let Some((slot, status)) = self.member_status(intent.name) else {
            return self.keep_early(intent.name, intent.ltime, false, now);
        };
        if intent.ltime <= self.members.status_time(slot) {
            return false;
        }
        self.decide_join(slot, status, intent.ltime);
        true
    }

    /// A member joined as of that Lamport time: it does not leave any more, unless it is this node, which knows better.
    pub(super) fn decide_join(&mut self, slot: Slot, status: Status, ltime: LamportTime) {
        let stays = status == Status::Leaving && !(slot == Members::ME && self.life == Life::Leaving);
        self.members.set_status(slot, if stays { Status::Alive } else { status }, ltime);
    }

    /// Takes a leave intent; whether it is news that others should hear.
    fn apply_leave_intent(&mut self, intent: &Intent<'_>, now: Instant, out: &mut Outbox) -> bool {
        self.clocks.member.witness(intent.ltime);
        let Some((slot, status)) = self.member_status(intent.name) else {
            return self.keep_early(intent.name, intent.ltime, true, now);
        };
        if intent.ltime <= self.members.status_time(slot) && !broken!(self.config, OldIntentBelieved) {
            return false;
        }
        if slot == Members::ME && self.life == Life::Running {
            self.refute_leave(intent.ltime, out);
            return false;
        }
        self.decide_leave(slot, status, intent.ltime, now, out);
        if intent.prune && slot != Members::ME {
            self.prune(slot, intent.ltime, now, out);
        }
        true
    }

    pub(super) fn member_status(&self, name: &str) -> Option<(Slot, Status)> {
        let slot = self.members.find(name)?;
        Some((slot, self.members.known(slot)?.status))
    }

    /// A member leaves as of that Lamport time. The time is taken in any case: that is what ends the gossip about two leaves of
    /// one member (Consul issues 7960 and 8179).
    pub(super) fn decide_leave(
        &mut self,
        slot: Slot,
        status: Status,
        ltime: LamportTime,
        now: Instant,
        out: &mut Outbox,
    ) {
        let decided = match status {
            Status::Alive | Status::Leaving => Status::Leaving,
            Status::Failed | Status::Left => Status::Left,
        };
        self.members.set_status(slot, decided, ltime);
        if status != Status::Failed {
            return;
        }
        self.lifetime_changed(slot, now);
        if let Some(member) = self.members.identity(slot) {
            out.event(Event::Leave { member });
        }
    }

    /// Forgets a member at once, whatever it was. Serf waits 6 s first when the member is leaving, to see it go (Q21); what would be
    /// awaited, its death, needs no row.
    fn prune(&mut self, slot: Slot, ltime: LamportTime, now: Instant, out: &mut Outbox) {
        self.stop_timer(slot);
        self.suspicions.end(slot);
        self.queue.members.remove(slot.index);
        self.forget_coordinate(slot);
        let Some(member) = self.members.reap(slot) else { return };
        // The same intent comes again from others and must not be news again. Should the member come back, it is alive.
        self.keep_early(&member.name, ltime, false, now);
        out.event(Event::Reap { member: &member });
    }

    /// Says that this node stays, at a Lamport time after that of what was said of it. Without that intent a node whose leave was
    /// told by mistake would be shown as leaving for ever.
    pub(super) fn refute_leave(&mut self, heard: LamportTime, out: &mut Outbox) {
        if broken!(self.config, LeaveNotRefuted) {
            return;
        }
        if heard >= LamportTime::MAX {
            self.counters.unrefutable += 1;
            return;
        }
        self.say_join(out);
    }

    /// Tells the cluster that this node is here to stay: after a join, or against a leave intent.
    pub(super) fn say_join(&mut self, out: &mut Outbox) {
        if self.life != Life::Running {
            return;
        }
        let ltime = self.clocks.member.stamp();
        self.members.set_status(Members::ME, Status::Alive, ltime);
        self.spread_join(out);
    }

    /// Says the last join intent again, for members that have not heard it; not while it is being said.
    pub(super) fn repeat_join(&mut self, out: &mut Outbox) {
        if !self.intents.own.is_some_and(|own| self.queue.lane(Lane::Intents).waits_for(own)) {
            self.spread_join(out);
        }
    }

    fn spread_join(&mut self, out: &mut Outbox) {
        if self.members.others_up() == 0 {
            return;
        }
        let (ltime, me) = (self.members.status_time(Members::ME), self.members.me().clone());
        let intent = Intent { ltime, name: &me.name, prune: false };
        self.intents.own = Some(self.spread(Lane::Intents, &Message::JoinIntent(intent), out));
    }

    /// Says that this node leaves; the intent's number in its queue.
    pub(super) fn say_leave(&mut self, out: &mut Outbox) -> u32 {
        let ltime = self.clocks.member.stamp();
        self.members.set_status(Members::ME, Status::Leaving, ltime);
        let me = self.members.me().clone();
        self.spread(Lane::Intents, &Message::LeaveIntent(Intent { ltime, name: &me.name, prune: false }), out)
    }

    /// Keeps an intent about an unknown name; whether it is news.
    pub(super) fn keep_early(&mut self, name: &str, ltime: LamportTime, leaving: bool, now: Instant) -> bool {
        // The wire has checked the name.
        let Ok(name) = NodeName::new(name) else { return false };
        let max = self.config.intents_max as usize;
        match self.intents.early.keep(&name, Early { ltime, leaving }, max, now) {
            Kept::Yes => {
                self.arm_intent_expiry(now);
                true
            }
            Kept::Known => false,
            Kept::Full => {
                self.counters.intents_shed += 1;
                false
            }
        }
    }

    fn arm_intent_expiry(&mut self, now: Instant) {
        if let (None, Some(oldest)) = (self.intents.expiry, self.intents.early.oldest()) {
            let at = (oldest + self.config.recent_intent_timeout).max(now);
            self.intents.expiry = Some(self.deadlines.arm(at, Due::Intents));
        }
    }

    pub(crate) fn on_intents_due(&mut self, now: Instant) {
        self.intents.expiry = None;
        self.intents.early.expire(self.config.recent_intent_timeout, now);
        self.arm_intent_expiry(now);
    }

    /// A member was met: what was said of it before counts now.
    pub(super) fn recall_intent(&mut self, slot: Slot, name: &str) {
        if let Some(Early { ltime, leaving }) = self.intents.early.take(name) {
            self.members.set_status(slot, if leaving { Status::Leaving } else { Status::Alive }, ltime);
        }
    }

    pub(super) fn force_leave(
        &mut self,
        id: CommandId,
        name: &NodeName,
        prune: bool,
        now: Instant,
        out: &mut Outbox,
    ) {
        if self.intents.force_leaves.len() >= FORCE_LEAVES_MAX {
            self.counters.busy += 1;
            return out.completed(id, Err(CommandError::Busy("force-leaves")));
        }
        let intent = Intent { ltime: self.clocks.member.stamp(), name, prune };
        self.apply_leave_intent(&intent, now, out);
        if self.members.others_up() == 0 {
            return out.completed(id, Ok(Done::ForceLeft));
        }
        let number = self.spread(Lane::Intents, &Message::LeaveIntent(intent), out);
        let timer = self.deadlines.arm(now + self.config.broadcast_timeout, Due::ForceLeave(number));
        self.intents.force_leaves.push(ForceLeave { id, number, timer });
        self.force_leaving = true;
    }

    /// Completes the force-leaves whose intents have left the queue: sent often enough.
    pub(super) fn finish_force_leaves(&mut self, out: &mut Outbox) {
        let Self { intents, queue, deadlines, .. } = self;
        intents.force_leaves.retain(|under_way| {
            let waits = queue.lane(Lane::Intents).waits_for(under_way.number);
            if !waits {
                deadlines.cancel(under_way.timer);
                out.completed(under_way.id, Ok(Done::ForceLeft));
            }
            waits
        });
        self.force_leaving = !self.intents.force_leaves.is_empty();
    }

    pub(crate) fn on_force_leave_due(&mut self, number: u32, out: &mut Outbox) {
        let under_way = &mut self.intents.force_leaves;
        if let Some(position) = under_way.iter().position(|force_leave| force_leave.number == number) {
            out.completed(under_way.remove(position).id, Err(CommandError::BroadcastTimeout));
        }
    }

    /// The node leaves: its driver will not hear of anything else.
    pub(super) fn give_up_force_leaves(&mut self, out: &mut Outbox) {
        for under_way in core::mem::take(&mut self.intents.force_leaves) {
            self.deadlines.cancel(under_way.timer);
            out.completed(under_way.id, Err(CommandError::Leaving));
        }
    }

    /// Early intents that are kept.
    #[cfg(test)]
    pub(super) fn early_intents(&self) -> usize {
        self.intents.early.len()
    }
}
