//! Updates that say nothing new, dismissed before they are read: in a busy cluster nearly all of them.

use super::Node;
use crate::members::{Claim, Found, Members, Verdict};
use crate::wire::{Kind, Unread};

impl Node {
    /// Whether a message is sound, and an update that this node knows already or does not believe any more. When in
    /// doubt it is not: then it is read, and the rules decide.
    #[inline]
    pub(super) fn is_stale(&self, message: Unread<'_>) -> bool {
        let Some(glance) = message.glance() else { return false };
        let Some(Found { slot, known, addr }) = self.members.look_up(glance.name) else { return false };
        if slot == Members::ME {
            return false;
        }
        let rules = |claim| self.verdict(&known, claim, glance.incarnation);
        if glance.kind == Kind::Alive {
            return rules(Claim::Alive) == Verdict::Ignore && glance.announces(addr);
        }
        let Some(accuser) = glance.accuser() else { return false };
        let claim = match glance.kind {
            Kind::Suspect => Claim::Suspect,
            // A death that the member itself announces is a leave.
            _ if accuser == glance.name => Claim::Left,
            _ => Claim::Dead,
        };
        match rules(claim) {
            Verdict::Ignore => true,
            Verdict::Confirm => !self.suspicions.hopes(slot),
            Verdict::Apply | Verdict::Raise => false,
        }
    }
}
