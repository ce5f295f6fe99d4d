//! Which claim about a member wins: the whole precedence relation of SWIM, in one function.

use crate::id::Incarnation;
use crate::io::State;

/// What is claimed of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It announced itself.
    Alive,
    /// Somebody's probe of it failed.
    Suspect,
    /// Somebody's suspicion of it ran out.
    Dead,
    /// It said that it leaves.
    Left,
}

/// What a claim does to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: it is old, or nothing new.
    Ignore,
    /// It wins: state and incarnation become the claim's.
    Apply,
    /// It is one more voice for the suspicion that runs.
    Confirm,
    /// The member stays dead or left, but at the claim's higher incarnation.
    Raise,
}

/// The precedence of claims (SWIM 4.2, with memberlist's distinction of dead and left).
///
/// An alive claim needs a higher incarnation than anything known, a suspicion or death at least the known one; death wins
/// over suspicion, suspicion over alive. Unlike memberlist's: a suspicion of a *newer* incarnation starts afresh,
/// because the member has refuted the old one meanwhile; a death of a newer incarnation raises what is known, so that no
/// alive claim between the two resurrects the member; and a dead member that turns out to have left is left.
pub(crate) const fn verdict(
    known: Option<(State, Incarnation)>,
    claim: Claim,
    incarnation: Incarnation,
) -> Verdict {
    let (state, known) = match known {
        None | Some((State::Forgotten, _)) => {
            return match claim {
                Claim::Alive if incarnation.0 > 0 => Verdict::Apply,
                _ => Verdict::Ignore,
            };
        }
        Some((state, known)) => (state, known.0),
    };
    let newer = incarnation.0 > known;
    if incarnation.0 < known {
        return Verdict::Ignore;
    }
    match (claim, state) {
        (Claim::Alive, _) if newer => Verdict::Apply,
        (Claim::Alive, _) => Verdict::Ignore,
        (Claim::Suspect, State::Alive) => Verdict::Apply,
        (Claim::Suspect, State::Suspect) if newer => Verdict::Apply,
        (Claim::Suspect, State::Suspect) => Verdict::Confirm,
        (Claim::Suspect, _) => Verdict::Ignore,
        (Claim::Dead | Claim::Left, State::Alive | State::Suspect) => Verdict::Apply,
        (Claim::Left, State::Dead) => Verdict::Apply,
        (Claim::Dead | Claim::Left, _) if newer => Verdict::Raise,
        (Claim::Dead | Claim::Left, _) => Verdict::Ignore,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Claim::{Alive, Dead, Left, Suspect};
    use Verdict::{Apply, Confirm, Ignore, Raise};

    const OLDER: usize = 0;
    const CLAIMS: [Claim; 4] = [Alive, Suspect, Dead, Left];

    /// Rows: the known state. Columns: the claim. Entries: at an older, the same and a newer incarnation.
    const TABLE: [(State, [[Verdict; 3]; 4]); 4] = [
        (
            State::Alive,
            [[Ignore, Ignore, Apply], [Ignore, Apply, Apply], [Ignore, Apply, Apply], [Ignore, Apply, Apply]],
        ),
        (
            State::Suspect,
            [
                [Ignore, Ignore, Apply],
                [Ignore, Confirm, Apply],
                [Ignore, Apply, Apply],
                [Ignore, Apply, Apply],
            ],
        ),
        (
            State::Dead,
            [
                [Ignore, Ignore, Apply],
                [Ignore, Ignore, Ignore],
                [Ignore, Ignore, Raise],
                [Ignore, Apply, Apply],
            ],
        ),
        (
            State::Left,
            [
                [Ignore, Ignore, Apply],
                [Ignore, Ignore, Ignore],
                [Ignore, Ignore, Raise],
                [Ignore, Ignore, Raise],
            ],
        ),
    ];

    #[test]
    fn every_pair_of_state_and_claim_at_every_relation_of_incarnations() {
        for (state, by_claim) in TABLE {
            for (claim, expected) in CLAIMS.into_iter().zip(by_claim) {
                for (relation, expected) in expected.into_iter().enumerate() {
                    for known in [1, 7, u32::MAX - 1] {
                        let claimed = Incarnation(known - 1 + relation as u32 - OLDER as u32);
                        let got = verdict(Some((state, Incarnation(known))), claim, claimed);
                        assert_eq!(got, expected, "{claim:?} {claimed:?} about {state:?} {known}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_unknown_or_forgotten_name_takes_only_an_announcement() {
        for known in [None, Some((State::Forgotten, Incarnation(9)))] {
            for claim in CLAIMS {
                for incarnation in [0, 1, u32::MAX] {
                    let expected = if claim == Alive && incarnation > 0 { Apply } else { Ignore };
                    assert_eq!(verdict(known, claim, Incarnation(incarnation)), expected);
                }
            }
        }
    }
}
