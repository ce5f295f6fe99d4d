//! Whose name is it? A node whose name is claimed from another address asks the members, and stops when most know the other.

use alloc::vec::Vec;
use core::time::Duration;

use super::Node;
use super::queries::Draft;
use crate::events::Purpose;
use crate::events::internal::{ConflictReply, Internal, Verdict, Vote, encode};
use crate::id::NodeName;
use crate::io::{Event, Outbox};
use crate::members::Members;

/// Time between the beginnings of two votes. Claims come with each gossip of the other's; Serf asks at every one.
const BETWEEN_VOTES: Duration = Duration::from_secs(60);

impl Node {
    /// Somebody else claims this node's name (facts 2.11).
    pub(super) fn ask_whose_name_it_is(&mut self, out: &mut Outbox) {
        let now = self.clock;
        let recent = self.queries.voted.is_some_and(|voted| now < voted + BETWEEN_VOTES);
        if !self.config.name_conflict_vote || recent || self.queries.outvoted || self.members.others_up() == 0
        {
            return;
        }
        let under_way = |purpose: &Purpose| matches!(purpose, Purpose::Vote(_));
        if self.queries.asked.values().any(|question| under_way(&question.purpose)) {
            return;
        }
        let me = self.members.me().clone();
        let draft = Draft::internal(Internal::Conflict, me.name.as_bytes());
        // A node too busy to ask asks at the next claim.
        if self.pose(Purpose::Vote(Vote::default()), &draft, now, out).is_ok() {
            self.queries.voted = Some(now);
        }
    }

    /// What to answer who asks where a name lives: nothing, when this node bears it or does not know it. Serf's members say
    /// "nobody" where they do not know, which its asker counts against itself (Q23).
    pub(super) fn whereabouts_of(&self, name: &[u8]) -> Option<Vec<u8>> {
        let name = core::str::from_utf8(name).ok().filter(|name| NodeName::check(name).is_ok())?;
        let slot = self.members.find(name).filter(|slot| *slot != Members::ME)?;
        let (_, addr) = self.members.whereabouts(slot)?;
        Some(encode(&ConflictReply { addr }))
    }

    pub(super) fn end_vote(&mut self, vote: Vote, out: &mut Outbox) {
        if let Verdict::Stop(reason) = vote.verdict()
            && !self.queries.outvoted
            && !broken!(self.config, NoVote)
        {
            self.queries.outvoted = true;
            out.event(Event::MustStop { reason: &reason });
        }
    }
}
