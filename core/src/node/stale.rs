//! Updates that say nothing new, dismissed before they are read: in a busy cluster nearly all of them.

use super::Node;
use crate::id::{Slot, same_bytes};
use crate::members::{Claim, Known, Members, Verdict};
use crate::wire::{Glance, Kind, Messages};

impl Node {
    /// Passes over the stale updates that come next. A function of its own, so that its loop finds room in the registers.
    #[inline(never)]
    pub(super) fn pass_over_stale(&self, messages: &mut Messages<'_>) {
        messages.pass_over(|glance| self.is_stale(glance));
    }

    /// Whether an update is sound, and one that this node knows already or does not believe any more. When in doubt it is
    /// not: then it is read, and the rules decide.
    #[inline(always)]
    fn is_stale(&self, glance: &Glance<'_>) -> bool {
        let Some((slot, known)) = self.members.look_up(glance.name) else { return false };
        if slot == Members::ME {
            return false;
        }
        if glance.kind == Kind::Alive {
            return self.is_stale_alive(*glance, slot, known);
        }
        let Some(accuser) = glance.accuser() else { return false };
        let claim = match glance.kind {
            Kind::Suspect => Claim::Suspect,
            // A death that the member itself announces is a leave.
            _ if same_bytes(accuser, glance.name) => Claim::Left,
            _ => Claim::Dead,
        };
        match self.verdict(&known, claim, glance.incarnation) {
            Verdict::Ignore => true,
            Verdict::Confirm => !self.suspicions.hopes(slot),
            Verdict::Apply | Verdict::Raise => false,
        }
    }

    #[inline(never)]
    fn is_stale_alive(&self, glance: Glance<'_>, slot: Slot, known: Known) -> bool {
        self.verdict(&known, Claim::Alive, glance.incarnation) == Verdict::Ignore
            && self.members.addr(slot).is_some_and(|addr| glance.announces(addr))
    }
}
