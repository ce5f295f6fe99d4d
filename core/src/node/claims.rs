//! What is claimed of members, and what follows when a claim wins: the row, its timer, the news, the event.

use alloc::sync::Arc;
use core::time::Duration;

use super::{Life, Node};
use crate::config::Packing;
use crate::deadlines::Due;
use crate::id::{Identity, Incarnation, NodeName, SharedIdentity, Slot};
use crate::io::{Event, Note, Outbox, Shed, State, Status, Via};
use crate::members::{Claim, Known, Members, Verdict, verdict};
use crate::spread::Lane;
use crate::time::Instant;
use crate::wire::{Accusation, Alive, Kind, Message};

impl Node {
    /// A member announces itself (facts: memberlist's alive rules).
    pub(super) fn heard_alive(&mut self, alive: &Alive<'_>, via: Via, now: Instant, out: &mut Outbox) {
        if !alive.versions.is_sane() {
            return;
        }
        let Some((slot, known)) = self.members.look_up(alive.name.as_bytes()) else {
            return self.meet(alive, via, now, out);
        };
        if slot == Members::ME {
            return self.heard_of_myself_alive(alive, via, out);
        }
        let moved = self.members.addr(slot) != Some(alive.addr);
        let may_move = match known.state {
            // A member that left, or whom the detector has forgotten, may come back from anywhere at any incarnation.
            State::Left => true,
            State::Forgotten => !broken!(self.config, ForgottenNameIsKept),
            State::Dead => {
                let wait = self.config.dead_reclaim;
                !wait.is_zero() && now.since(self.members.changed(slot)) > wait
            }
            State::Alive | State::Suspect => false,
        };
        if moved && !may_move && !broken!(self.config, NameTakenFromAnywhere) {
            return self.conflict(slot, alive, out);
        }
        let wins = self.verdict(&known, Claim::Alive, alive.incarnation) == Verdict::Apply;
        if !(wins || moved && alive.incarnation.0 > 0) {
            return;
        }
        let Some(identity) = self.members.identity(slot).cloned() else { return };
        self.stop_timer(slot);
        self.suspicions.end(slot);
        let retagged = identity.meta[..] != *alive.meta;
        let changed = moved || retagged || identity.versions != alive.versions;
        let identity = if changed { self.replace_identity(slot, alive, &identity) } else { identity };
        if moved || known.status != Status::Alive {
            self.forget_coordinate(slot);
        }
        self.members.set(slot, State::Alive, alive.incarnation, now);
        self.tell(slot, &Message::Alive(*alive), out);
        let incarnation = alive.incarnation;
        if out.notes() {
            let before = Some(known.state);
            out.note(Note::Applied { subject: &identity, before, state: State::Alive, incarnation, via });
        }
        if !known.status.is_up() {
            out.event(Event::Join { member: &identity, incarnation });
        } else if retagged {
            out.event(Event::Update { member: &identity });
        }
    }

    /// An unknown name announces itself.
    fn meet(&mut self, alive: &Alive<'_>, via: Via, now: Instant, out: &mut Outbox) {
        if verdict(None, Claim::Alive, alive.incarnation) != Verdict::Apply {
            return;
        }
        if self.members.n_serf() >= self.config.members_max && !broken!(self.config, MembersMaxIgnored) {
            self.counters.members_shed += 1;
            return out.note(Note::Shed(Shed::Member));
        }
        // The wire has checked the name.
        let Ok(name) = NodeName::new(alive.name) else { return };
        let identity =
            Arc::new(Identity { name, addr: alive.addr, meta: alive.meta.into(), versions: alive.versions });
        let incarnation = alive.incarnation;
        let slot = self.members.insert(identity.clone(), incarnation, now);
        self.recall_intent(slot, &identity.name);
        self.tell(slot, &Message::Alive(*alive), out);
        out.note(Note::Applied { subject: &identity, before: None, state: State::Alive, incarnation, via });
        out.event(Event::Join { member: &identity, incarnation });
    }

    fn replace_identity(&mut self, slot: Slot, alive: &Alive<'_>, old: &SharedIdentity) -> SharedIdentity {
        let identity = Arc::new(Identity {
            name: old.name.clone(),
            addr: alive.addr,
            meta: alive.meta.into(),
            versions: alive.versions,
        });
        self.members.set_identity(slot, identity.clone());
        identity
    }

    fn conflict(&mut self, slot: Slot, alive: &Alive<'_>, out: &mut Outbox) {
        self.counters.conflicts += 1;
        if let Some(member) = self.members.identity(slot) {
            out.event(Event::Conflict { member, claimed: alive.addr });
        }
        if slot == Members::ME {
            self.ask_whose_name_it_is(out);
        }
    }

    fn heard_of_myself_alive(&mut self, alive: &Alive<'_>, via: Via, out: &mut Outbox) {
        if self.life != Life::Running {
            return;
        }
        let me = self.members.me();
        if alive.addr != me.addr {
            return self.conflict(Members::ME, alive, out);
        }
        let own = self.members.my_incarnation();
        let same = me.meta[..] == *alive.meta && me.versions == alive.versions;
        if alive.incarnation < own || (alive.incarnation == own && same) {
            return;
        }
        self.refute(alive.incarnation, via, out);
    }

    /// Outbids an accusation, or an announcement of an earlier life (SWIM 4.2; Lifeguard: having to is a sign of bad health).
    fn refute(&mut self, accused: Incarnation, via: Via, out: &mut Outbox) {
        if broken!(self.config, NoRefutation) {
            return;
        }
        if accused.0 == u32::MAX {
            self.counters.unrefutable += 1;
            return;
        }
        let mut announced = self.members.my_incarnation().max(accused).next();
        if broken!(self.config, RefutesWithTheSame) {
            announced = accused;
        }
        if broken!(self.config, RefutesTooLow) {
            announced = self.members.my_incarnation().next();
        }
        self.counters.refutations += 1;
        self.health.worsen(1, &self.config);
        self.announce_myself(announced, out);
        out.note(Note::Refuted { accused, announced, via });
    }

    /// Queues an announcement of this node at a new incarnation.
    pub(super) fn announce_myself(&mut self, incarnation: Incarnation, out: &mut Outbox) {
        let now = self.clock;
        self.members.set(Members::ME, State::Alive, incarnation, now);
        let me = self.members.me().clone();
        let alive =
            Alive { incarnation, name: &me.name, addr: me.addr, meta: &me.meta, versions: me.versions };
        self.tell(Members::ME, &Message::Alive(alive), out);
    }

    /// Somebody accuses a member (facts: memberlist's suspect rules).
    pub(super) fn heard_suspect(
        &mut self,
        suspect: &Accusation<'_>,
        via: Via,
        now: Instant,
        out: &mut Outbox,
    ) {
        let Some((slot, known)) = self.members.look_up(suspect.name.as_bytes()) else { return };
        if slot == Members::ME {
            if self.defends_itself() && suspect.incarnation >= known.incarnation {
                self.refute(suspect.incarnation, via, out);
            }
            return;
        }
        match self.verdict(&known, Claim::Suspect, suspect.incarnation) {
            Verdict::Apply if self.config.suspicion => {
                self.begin_suspicion(slot, known.state, suspect, via, now, out);
            }
            Verdict::Apply => self.bury(slot, known.state, Claim::Dead, suspect, via, now, out),
            Verdict::Confirm => self.confirm_suspicion(slot, suspect, now, out),
            Verdict::Ignore | Verdict::Raise => {}
        }
    }

    fn begin_suspicion(
        &mut self,
        slot: Slot,
        before: State,
        suspect: &Accusation<'_>,
        via: Via,
        now: Instant,
        out: &mut Outbox,
    ) {
        self.stop_timer(slot);
        let incarnation = suspect.incarnation;
        self.members.set(slot, State::Suspect, incarnation, now);
        let (accuser, n) = (self.members.name_hash(suspect.from), self.members.n_swim());
        let n = if broken!(self.config, SuspicionIgnoresSize) { n.min(10) } else { n };
        let timeout = self.suspicions.begin(slot, accuser, &self.config, n, now);
        let timeout = if broken!(self.config, SuspicionEndsAtOnce) { Duration::ZERO } else { timeout };
        let timer = self.deadlines.arm(now + timeout, Due::Suspicion(slot));
        self.members.set_timer(slot, timer);
        self.counters.suspicions += 1;
        self.tell(slot, &Message::Suspect(*suspect), out);
        if let Some(subject) = self.members.identity(slot).filter(|_| out.notes()) {
            let before = Some(before);
            out.note(Note::Applied { subject, before, state: State::Suspect, incarnation, via });
            out.note(Note::Suspected { subject, incarnation, accuser: suspect.from, via, timeout });
        }
    }

    fn confirm_suspicion(&mut self, slot: Slot, suspect: &Accusation<'_>, now: Instant, out: &mut Outbox) {
        if broken!(self.config, NoConfirmations) {
            return;
        }
        let accuser = || self.members.name_hash(suspect.from);
        let Some(confirmed) = self.suspicions.confirm(slot, accuser, &self.config) else { return };
        if let Some(timer) = self.members.timer(slot) {
            self.deadlines.move_to(timer, confirmed.expires.max(now));
        }
        self.tell(slot, &Message::Suspect(*suspect), out);
        if let Some(subject) = self.members.identity(slot).filter(|_| out.notes()) {
            let confirmations = confirmed.count;
            out.note(Note::Confirmed { subject, accuser: suspect.from, confirmations });
        }
    }

    pub(crate) fn on_suspicion_expired(&mut self, slot: Slot, now: Instant, out: &mut Outbox) {
        self.members.take_timer(slot);
        if broken!(self.config, SuspicionNeverEnds) {
            return;
        }
        let Some(known) = self.members.known(slot).filter(|known| known.state == State::Suspect) else {
            return;
        };
        let me = self.members.me().clone();
        let Some(identity) = self.members.identity(slot).cloned() else { return };
        if self.suspicions.end(slot) {
            self.counters.suspicions_unconfirmed += 1;
        }
        let dead = Accusation { incarnation: known.incarnation, name: &identity.name, from: &me.name };
        self.bury(slot, known.state, Claim::Dead, &dead, Via::Own, now, out);
    }

    /// Somebody declares a member dead, or the member says that it leaves (facts: memberlist's dead rules).
    pub(super) fn heard_dead(&mut self, dead: &Accusation<'_>, via: Via, now: Instant, out: &mut Outbox) {
        let Some((slot, known)) = self.members.look_up(dead.name.as_bytes()) else { return };
        if slot == Members::ME {
            if self.defends_itself() && dead.incarnation >= known.incarnation {
                self.refute(dead.incarnation, via, out);
            }
            return;
        }
        let leaves = dead.from == dead.name && !broken!(self.config, LeftTakenForDead);
        let claim = if leaves { Claim::Left } else { Claim::Dead };
        match self.verdict(&known, claim, dead.incarnation) {
            Verdict::Apply => self.bury(slot, known.state, claim, dead, via, now, out),
            Verdict::Raise => self.members.set(slot, known.state, dead.incarnation, now),
            Verdict::Ignore | Verdict::Confirm => {}
        }
    }

    /// A member is dead or left from now on.
    #[expect(clippy::too_many_arguments, reason = "a claim with its context; each is used once")]
    fn bury(
        &mut self,
        slot: Slot,
        before: State,
        claim: Claim,
        dead: &Accusation<'_>,
        via: Via,
        now: Instant,
        out: &mut Outbox,
    ) {
        let Some(status) = self.members.known(slot).map(|known| known.status) else { return };
        self.stop_timer(slot);
        self.suspicions.end(slot);
        let incarnation = dead.incarnation;
        let state = if claim == Claim::Left { State::Left } else { State::Dead };
        self.members.set(slot, state, incarnation, now);
        let timer = self.deadlines.arm(now + self.config.gossip_to_dead, Due::Lifetime(slot));
        self.members.set_timer(slot, timer);
        self.tell(slot, &Message::Dead(*dead), out);
        let Some(member) = self.members.identity(slot) else { return };
        out.note(Note::Applied { subject: member, before: Some(before), state, incarnation, via });
        if state == State::Dead {
            out.note(Note::DeclaredDead { subject: member, incarnation, accuser: dead.from, via });
        }
        // A member that said that it leaves has left, whoever found it dead. One that was said to have left leaves only once.
        match self.members.known(slot).map(|known| known.status) {
            Some(Status::Left) if broken!(self.config, LeaverReportedFailed) => {
                out.event(Event::Failed { member, incarnation });
            }
            Some(Status::Left) if status != Status::Left => out.event(Event::Leave { member }),
            Some(Status::Failed) => out.event(Event::Failed { member, incarnation }),
            _ => {}
        }
    }

    /// A dead member is forgotten by the failure detector, and later reaped.
    pub(crate) fn on_lifetime_over(&mut self, slot: Slot, now: Instant, out: &mut Outbox) {
        self.members.take_timer(slot);
        let Some(known) = self.members.known(slot) else { return };
        let again = known.state == State::Forgotten;
        if broken!(self.config, LifetimeIgnored) {
            return;
        }
        if again && broken!(self.config, NeverReaped) {
            return;
        }
        if !again {
            self.members.set(slot, State::Forgotten, known.incarnation, now);
            let end = self.end_of_life(slot, known.status).max(now);
            let timer = self.deadlines.arm(end, Due::Lifetime(slot));
            self.members.set_timer(slot, timer);
            return;
        }
        // The row may get another member; what waits about this one must not be taken for news about that one.
        self.queue.members.remove(slot.index);
        self.forget_coordinate(slot);
        if let Some(member) = self.members.reap(slot) {
            out.event(Event::Reap { member: &member });
        }
    }

    /// When a member that is gone is reaped.
    fn end_of_life(&self, slot: Slot, status: Status) -> Instant {
        if broken!(self.config, ReapedTooEarly) {
            return self.members.changed(slot);
        }
        self.members.changed(slot)
            + match status {
                Status::Left => self.config.tombstone_timeout,
                Status::Failed | Status::Alive | Status::Leaving => self.config.reconnect_timeout,
            }
    }

    /// A failed member has left after all: it is remembered as long as those, counted from its death (Serf).
    pub(super) fn lifetime_changed(&mut self, slot: Slot, now: Instant) {
        let known = self.members.known(slot).filter(|known| known.state == State::Forgotten);
        if let Some((known, timer)) = known.zip(self.members.timer(slot)) {
            self.deadlines.move_to(timer, self.end_of_life(slot, known.status).max(now));
        }
    }

    /// The precedence of claims, as this node has it.
    #[inline(always)]
    pub(super) fn verdict(&self, known: &Known, claim: Claim, incarnation: Incarnation) -> Verdict {
        let (state, mut counts) = (known.state, incarnation);
        if broken!(self.config, SuspicionNeedsNewer)
            && claim == Claim::Suspect
            && incarnation <= known.incarnation
        {
            return Verdict::Ignore;
        }
        if broken!(self.config, OldAliveBelieved) && claim == Claim::Alive && state != State::Alive {
            counts = known.incarnation.next();
        }
        if broken!(self.config, OldAccusationBelieved) && matches!(claim, Claim::Suspect | Claim::Dead) {
            counts = incarnation.max(known.incarnation);
        }
        verdict(Some((state, known.incarnation)), claim, counts)
    }

    /// Whether accusations are refuted.
    fn defends_itself(&self) -> bool {
        self.life == Life::Running || broken!(self.config, LeaverRefutes)
    }

    pub(super) fn stop_timer(&mut self, slot: Slot) {
        if let Some(timer) = self.members.take_timer(slot) {
            self.deadlines.cancel(timer);
        }
    }

    /// Queues news about a member.
    pub(super) fn tell(&mut self, slot: Slot, message: &Message<'_>, out: &mut Outbox) {
        if slot != Members::ME && self.keeps_to_itself(message.kind()) {
            return;
        }
        // The end of the outbox serves as scratch memory: encoded there, copied to the queue, cut off again.
        let start = out.bytes.len();
        self.wire.encode(message, &mut out.bytes);
        let max = self.queue_max();
        let refutes = slot == Members::ME && !broken!(self.config, RefutationWaits);
        let first = refutes && self.config.packing == Packing::Fair;
        let news = &out.bytes[start..];
        let shed = self.queue.members.push_ranked(slot.index, message.kind(), news, max, first);
        out.bytes.truncate(start);
        self.note_shed_broadcasts(shed, out);
    }

    /// Queues a message of Serf's layer; gives its number in its queue.
    pub(super) fn spread(&mut self, lane: Lane, message: &Message<'_>, out: &mut Outbox) -> u32 {
        let start = out.bytes.len();
        self.wire.encode(message, &mut out.bytes);
        let max = self.queue_max();
        let (number, shed) = self.queue.push(lane, message.kind(), &out.bytes[start..], max);
        out.bytes.truncate(start);
        self.note_shed_broadcasts(shed, out);
        number
    }

    fn queue_max(&self) -> usize {
        if broken!(self.config, QueueUnbounded) {
            usize::MAX
        } else {
            self.config.queue_messages_max as usize
        }
    }

    /// Whether such news about others is not passed on: never, if all rules hold.
    #[inline(always)]
    fn keeps_to_itself(&self, kind: Kind) -> bool {
        if broken!(self.config, SuspicionsNotTold) {
            return kind == Kind::Suspect;
        }
        if broken!(self.config, DeathsNotTold) {
            return kind == Kind::Dead;
        }
        broken!(self.config, JoinsNotTold) && kind == Kind::Alive
    }

    fn note_shed_broadcasts(&mut self, shed: u32, out: &mut Outbox) {
        for _ in 0..shed {
            self.counters.broadcasts_shed += 1;
            out.note(Note::Shed(Shed::Broadcast));
        }
    }
}
