//! What the application asks for: joining, leaving, new tags.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::{Life, Node};
use crate::deadlines::{Due, Timer};
use crate::error::{CommandError, StreamFailure};
use crate::id::{Identity, META_BYTES_MAX, canonical};
use crate::io::{Command, CommandId, Done, Outbox, State};
use crate::members::Members;
use crate::spread::Lane;
use crate::sync::Purpose;
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::{Accusation, Message};

/// A join under way: its addresses are tried one after the other.
#[derive(Clone, Debug)]
pub(super) struct Join {
    id: CommandId,
    pub(super) replay: bool,
    rest: vec::IntoIter<SocketAddr>,
    current: SocketAddr,
    reached: u32,
    failed: u32,
    last: Option<(SocketAddr, StreamFailure)>,
}

/// A broadcast about this node that a command waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnBroadcast {
    id: CommandId,
    timer: Timer,
    stage: BroadcastStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BroadcastStage {
    /// New tags are being sent.
    Tags,
    /// The leave intent of this number is being sent: the cluster sees the node leaving.
    Intent(u32),
    /// The leave is being sent.
    Leave,
    /// The leave was sent; the node stays a little, to relay and to answer.
    Propagate,
}

impl Node {
    pub(crate) fn on_command(&mut self, id: CommandId, command: Command, now: Instant, out: &mut Outbox) {
        if self.life == Life::Leaving {
            return out.completed(id, Err(CommandError::Leaving));
        }
        match command {
            Command::Join { addresses, replay } => self.join(id, addresses, replay, out),
            Command::Leave => self.leave(id, now, out),
            Command::SetTags(tags) => self.set_tags(id, &tags, now, out),
            Command::ForceLeave { name, prune } => self.force_leave(id, &name, prune, now, out),
            Command::UserEvent(request) => self.send_event(id, &request, now, out),
            Command::Query(request) => self.ask(id, &request, now, out),
            Command::Respond { query, payload } => self.respond(id, query, &payload, now, out),
            Command::Decline { query } => self.decline(id, query, now, out),
            Command::Keys { action, relay_factor } => self.keys(id, &action, relay_factor, now, out),
        }
    }

    /// Whether a join is under way that wants no earlier user events.
    pub(super) fn joins_without_replay(&self) -> bool {
        self.joins.iter().any(|join| !join.replay)
    }

    /// Whether some join under way wants earlier user events.
    pub(super) fn asks_for_replay(&self) -> bool {
        self.joins.iter().any(|join| join.replay)
    }

    /// Whether this join under way wants earlier user events.
    pub(super) fn joins_with_replay(&self, id: CommandId) -> bool {
        self.joins.iter().any(|join| join.id == id && join.replay)
    }

    fn join(&mut self, id: CommandId, addresses: Vec<SocketAddr>, replay: bool, out: &mut Outbox) {
        let Some(&current) = addresses.first() else {
            return out.completed(id, Err(CommandError::NoAddress));
        };
        self.joins.push(Join {
            id,
            replay,
            rest: addresses.into_iter(),
            current,
            reached: 0,
            failed: 0,
            last: None,
        });
        self.join_next(id, out);
    }

    /// Tries a join's next address, or completes it when there is none.
    fn join_next(&mut self, id: CommandId, out: &mut Outbox) {
        let deadline = self.clock + self.config.stream_timeout;
        loop {
            let Some(position) = self.joins.iter().position(|join| join.id == id) else { return };
            let join = &mut self.joins[position];
            let Some(address) = join.rest.next().map(canonical) else {
                let join = self.joins.swap_remove(position);
                let Join { reached, failed, .. } = join;
                if reached > 0 {
                    self.say_join(out);
                }
                let result = match join.last {
                    Some((last, reason)) if reached == 0 => {
                        Err(CommandError::NotJoined { tried: failed, last, reason })
                    }
                    _ => Ok(Done::Joined { reached, failed }),
                };
                return out.completed(id, result);
            };
            join.current = address;
            match self.open_stream(address, Purpose::Join(id), deadline, out) {
                Ok(_) => return,
                Err(reason) => self.note_join_failure(id, reason),
            }
        }
    }

    fn note_join_failure(&mut self, id: CommandId, reason: StreamFailure) {
        if let Some(join) = self.joins.iter_mut().find(|join| join.id == id) {
            join.failed += 1;
            join.last = Some((join.current, reason));
        }
    }

    /// An exchange for a join has ended.
    pub(super) fn join_exchange_over(
        &mut self,
        id: CommandId,
        result: Result<(), StreamFailure>,
        out: &mut Outbox,
    ) {
        match result {
            Ok(()) => {
                if let Some(join) = self.joins.iter_mut().find(|join| join.id == id) {
                    join.reached += 1;
                }
            }
            Err(reason) => self.note_join_failure(id, reason),
        }
        self.join_next(id, out);
    }

    fn leave(&mut self, id: CommandId, now: Instant, out: &mut Outbox) {
        self.complete_tags(Ok(Done::TagsSent), out);
        self.give_up_force_leaves(out);
        self.life = Life::Leaving;
        if self.members.others_up() == 0 || broken!(self.config, LeavesWithoutAWord) {
            self.members.set(Members::ME, State::Left, self.members.my_incarnation(), now);
            return out.completed(id, Ok(Done::Left));
        }
        let intent = self.say_leave(out);
        let timer = self.deadlines.arm(now + self.config.broadcast_timeout, Due::Broadcast);
        self.own_broadcast = Some(OwnBroadcast { id, timer, stage: BroadcastStage::Intent(intent) });
    }

    /// The intent was sent, or could not be sent often enough in time: the node goes.
    fn say_gone(&mut self, id: CommandId, now: Instant, out: &mut Outbox) {
        let incarnation = self.members.my_incarnation();
        self.members.set(Members::ME, State::Left, incarnation, now);
        let me = self.members.me().clone();
        // The author is the member itself: that is what makes it a leave (memberlist).
        self.tell(
            Members::ME,
            &Message::Dead(Accusation { incarnation, name: &me.name, from: &me.name }),
            out,
        );
        let timer = self.deadlines.arm(now + self.config.broadcast_timeout, Due::Broadcast);
        self.own_broadcast = Some(OwnBroadcast { id, timer, stage: BroadcastStage::Leave });
    }

    fn set_tags(&mut self, id: CommandId, tags: &Tags, now: Instant, out: &mut Outbox) {
        let meta = tags.to_meta();
        if meta.len() > META_BYTES_MAX {
            let (actual, allowed) = (meta.len(), META_BYTES_MAX);
            return out.completed(id, Err(CommandError::TagsTooLong { actual, allowed }));
        }
        // What waited is replaced by this announcement, which carries newer tags than the ones waited for.
        self.complete_tags(Ok(Done::TagsSent), out);
        let me = self.members.me();
        let identity = Identity { meta: meta.into(), ..Identity::clone(me) };
        self.members.set_identity(Members::ME, Arc::new(identity));
        if !broken!(self.config, TagsNotAnnounced) {
            self.announce_myself(self.members.my_incarnation().next(), out);
        }
        if self.members.others_up() == 0 {
            return out.completed(id, Ok(Done::TagsSent));
        }
        let timer = self.deadlines.arm(now + self.config.broadcast_timeout, Due::Broadcast);
        self.own_broadcast = Some(OwnBroadcast { id, timer, stage: BroadcastStage::Tags });
    }

    fn complete_tags(&mut self, result: Result<Done, CommandError>, out: &mut Outbox) {
        if let Some(own) = self.own_broadcast.take_if(|own| own.stage == BroadcastStage::Tags) {
            self.deadlines.cancel(own.timer);
            out.completed(own.id, result);
        }
    }

    /// Ends what waits for a broadcast about this node once it has left the queue: sent often enough, or replaced.
    pub(super) fn finish_own_broadcast(&mut self, now: Instant, out: &mut Outbox) {
        let Some(own) = self.own_broadcast else { return };
        let waits = match own.stage {
            BroadcastStage::Intent(number) => self.queue.lane(Lane::Intents).waits_for(number),
            _ => self.queue.members.waits_for(Members::ME.index),
        };
        if waits {
            return;
        }
        match own.stage {
            BroadcastStage::Tags => self.complete_tags(Ok(Done::TagsSent), out),
            BroadcastStage::Intent(_) => {
                self.deadlines.cancel(own.timer);
                self.say_gone(own.id, now, out);
            }
            BroadcastStage::Leave => {
                self.deadlines.cancel(own.timer);
                self.stay_a_little(own.id, now);
            }
            BroadcastStage::Propagate => {}
        }
    }

    fn stay_a_little(&mut self, id: CommandId, now: Instant) {
        let timer = self.deadlines.arm(now + self.config.leave_propagate_delay, Due::Broadcast);
        self.own_broadcast = Some(OwnBroadcast { id, timer, stage: BroadcastStage::Propagate });
    }

    pub(crate) fn on_broadcast_due(&mut self, now: Instant, out: &mut Outbox) {
        let Some(own) = self.own_broadcast.take() else { return };
        match own.stage {
            BroadcastStage::Tags => out.completed(own.id, Err(CommandError::BroadcastTimeout)),
            // Serf warns and leaves all the same; so do we.
            BroadcastStage::Intent(_) => self.say_gone(own.id, now, out),
            BroadcastStage::Leave => self.stay_a_little(own.id, now),
            BroadcastStage::Propagate => out.completed(own.id, Ok(Done::Left)),
        }
    }
}
