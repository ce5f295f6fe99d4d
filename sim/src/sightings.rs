//! What a run reached: states worth reaching, counted, so that a campaign of random runs can tell whether it was vacuous.
//!
//! They are no part of a [`RunRecord`](crate::RunRecord): collecting them changes nothing, and costs only where it is asked for
//! ([`world::run_seen`](crate::world::run_seen)).

use rumormill_core::counters::Counters;

/// A state worth reaching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Sight {
    /// A probe was answered after `probe_timeout`, late or through a helper.
    IndirectProbe,
    /// A probe was answered over a stream alone.
    StreamProbe,
    /// A probe failed and lacked nacks of its helpers.
    NacksMissed,
    /// A node's local health was worse than 0.
    HealthWorse,
    /// A suspect was told of the suspicion by the ping that probed it.
    BuddyPing,
    /// A suspicion was confirmed by another member.
    SuspicionConfirmed,
    /// A suspicion ran out, and its subject was declared dead.
    SuspicionRanOut,
    /// One ran out with fewer confirmations than were expected.
    SuspicionUnconfirmed,
    /// A member refuted an accusation.
    Refutation,
    /// A member that was held to be dead proved alive.
    DeathUndone,
    /// A member's name was claimed from another address.
    NameClaimed,
    /// A node was outvoted about its name, and had to stop.
    Outvoted,
    /// The name of a dead, left or forgotten member was taken over from another address.
    NameReclaimed,
    /// A member that the failure detector had forgotten was met again.
    ForgottenMet,
    /// A member was heard to leave.
    LeaveHeard,
    /// A member that had left or failed was forgotten for good.
    MemberReaped,
    /// A failed member was dialled.
    FailedDialled,
    /// One was alive, and known to be after that exchange.
    Reconnected,
    /// A delta exchange found digests equal.
    DeltaEqual,
    /// A delta exchange sent rows that differed.
    DeltaRows,
    /// A push/pull exchange failed.
    SyncFailed,
    /// A stream broke because the process at its other end was gone.
    StreamLost,
    /// A stream was refused because no process listened.
    StreamRefused,
    /// A join was tried again.
    JoinRetried,
    /// A node came back without what it knew.
    RestartLost,
    /// A node came back from its snapshot.
    RestartSnapshot,
    /// A node came back at another address.
    RestartMoved,
    /// A broadcast was dropped because its queue was full.
    BroadcastShed,
    /// A stream was refused because `streams_max` were open.
    StreamShed,
    /// A probe for another was refused because `relays_max` were open.
    RelayShed,
    /// An origin of user events was forgotten because `event_origins_max` were known.
    OriginShed,
    /// A query was not delivered because `queries_max` were open.
    QueryShed,
    /// An application was told `Busy`.
    Busy,
    /// A user event was missed, asked for, and came.
    EventRepaired,
    /// A user event was given up.
    EventGivenUp,
    /// A query was answered.
    QueryAnswered,
    /// A query was acknowledged.
    QueryAcked,
    /// An answer was passed on by a third member.
    AnswerRelayed,
    /// An answer came twice or too late.
    AnswerRefused,
    /// All members installed a new key.
    KeyInstalled,
    /// All members sealed with a new key.
    KeyUsed,
    /// All members removed the old key.
    KeyRemoved,
    /// Bytes were refused because no key opens them.
    SealRefused,
    /// Bytes were refused because of their label.
    LabelRefused,
    /// Bytes were refused because of their checksum.
    ChecksumRefused,
    /// Bytes were taken although they were not sealed.
    UnsealedAccepted,
    /// A node's clock went back.
    ClockWentBack,
    /// A receive buffer had no room.
    BufferOverflowed,
}

impl Sight {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Every one, in order.
    pub const ALL: [Self; 48] = [
        Self::IndirectProbe,
        Self::StreamProbe,
        Self::NacksMissed,
        Self::HealthWorse,
        Self::BuddyPing,
        Self::SuspicionConfirmed,
        Self::SuspicionRanOut,
        Self::SuspicionUnconfirmed,
        Self::Refutation,
        Self::DeathUndone,
        Self::NameClaimed,
        Self::Outvoted,
        Self::NameReclaimed,
        Self::ForgottenMet,
        Self::LeaveHeard,
        Self::MemberReaped,
        Self::FailedDialled,
        Self::Reconnected,
        Self::DeltaEqual,
        Self::DeltaRows,
        Self::SyncFailed,
        Self::StreamLost,
        Self::StreamRefused,
        Self::JoinRetried,
        Self::RestartLost,
        Self::RestartSnapshot,
        Self::RestartMoved,
        Self::BroadcastShed,
        Self::StreamShed,
        Self::RelayShed,
        Self::OriginShed,
        Self::QueryShed,
        Self::Busy,
        Self::EventRepaired,
        Self::EventGivenUp,
        Self::QueryAnswered,
        Self::QueryAcked,
        Self::AnswerRelayed,
        Self::AnswerRefused,
        Self::KeyInstalled,
        Self::KeyUsed,
        Self::KeyRemoved,
        Self::SealRefused,
        Self::LabelRefused,
        Self::ChecksumRefused,
        Self::UnsealedAccepted,
        Self::ClockWentBack,
        Self::BufferOverflowed,
    ];

    /// Its name, for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IndirectProbe => "probe answered late or through a helper",
            Self::StreamProbe => "probe saved by a stream",
            Self::NacksMissed => "nacks missed",
            Self::HealthWorse => "local health raised",
            Self::BuddyPing => "suspect told by its ping",
            Self::SuspicionConfirmed => "suspicion confirmed",
            Self::SuspicionRanOut => "suspicion ran out",
            Self::SuspicionUnconfirmed => "suspicion ran out unconfirmed",
            Self::Refutation => "refutation",
            Self::DeathUndone => "dead member alive again",
            Self::NameClaimed => "name claimed elsewhere",
            Self::Outvoted => "outvoted about a name",
            Self::NameReclaimed => "name reclaimed from another address",
            Self::ForgottenMet => "forgotten member met again",
            Self::LeaveHeard => "leave heard",
            Self::MemberReaped => "member reaped",
            Self::FailedDialled => "failed member dialled",
            Self::Reconnected => "failed member reconnected",
            Self::DeltaEqual => "delta digests equal",
            Self::DeltaRows => "delta repair",
            Self::SyncFailed => "push/pull failed",
            Self::StreamLost => "stream lost",
            Self::StreamRefused => "stream refused",
            Self::JoinRetried => "join retried",
            Self::RestartLost => "restart with lost state",
            Self::RestartSnapshot => "restart from a snapshot",
            Self::RestartMoved => "restart at a new address",
            Self::BroadcastShed => "broadcast shed",
            Self::StreamShed => "stream shed",
            Self::RelayShed => "probe for another shed",
            Self::OriginShed => "event origin shed",
            Self::QueryShed => "query shed",
            Self::Busy => "application told busy",
            Self::EventRepaired => "event repaired",
            Self::EventGivenUp => "event given up",
            Self::QueryAnswered => "query answered",
            Self::QueryAcked => "query acknowledged",
            Self::AnswerRelayed => "answer relayed",
            Self::AnswerRefused => "answer twice or too late",
            Self::KeyInstalled => "key installed by all",
            Self::KeyUsed => "key used by all",
            Self::KeyRemoved => "key removed by all",
            Self::SealRefused => "seal refused",
            Self::LabelRefused => "label refused",
            Self::ChecksumRefused => "checksum refused",
            Self::UnsealedAccepted => "unsealed bytes accepted",
            Self::ClockWentBack => "clock went back",
            Self::BufferOverflowed => "receive buffer overflowed",
        }
    }
}

/// How often one run reached each state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sightings {
    counts: [u64; Sight::COUNT],
}

impl Default for Sightings {
    fn default() -> Self {
        Self { counts: [0; Sight::COUNT] }
    }
}

impl Sightings {
    /// How often.
    #[must_use]
    pub const fn count(&self, sight: Sight) -> u64 {
        self.counts[sight as usize]
    }

    /// So many more times.
    pub(crate) const fn add(&mut self, sight: Sight, times: u64) {
        let count = &mut self.counts[sight as usize];
        *count = count.saturating_add(times);
    }

    /// What a node has counted by the end of its life, or of the run.
    pub(crate) fn add_life(&mut self, counters: &Counters) {
        let counted = [
            (Sight::StreamProbe, counters.probes_saved_by_stream),
            (Sight::SuspicionUnconfirmed, counters.suspicions_unconfirmed),
            (Sight::DeltaEqual, counters.syncs_equal),
            (Sight::DeltaRows, counters.delta_rows),
            (Sight::SyncFailed, counters.syncs_failed),
            (Sight::BroadcastShed, counters.broadcasts_shed),
            (Sight::StreamShed, counters.streams_shed),
            (Sight::RelayShed, counters.relays_shed),
            (Sight::OriginShed, counters.event_origins_shed),
            (Sight::QueryShed, counters.queries_shed),
            (Sight::Busy, counters.busy),
            (Sight::EventRepaired, counters.events_repaired),
            (Sight::EventGivenUp, counters.events_lost),
            (Sight::AnswerRefused, counters.answers_refused),
            (Sight::SealRefused, counters.rejected_seal),
            (Sight::LabelRefused, counters.rejected_label),
            (Sight::ChecksumRefused, counters.rejected_checksum),
            (Sight::UnsealedAccepted, counters.accepted_unsealed),
            (Sight::ClockWentBack, counters.clock_went_back),
        ];
        for (sight, times) in counted {
            self.add(sight, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_sight_is_listed_once_in_order_and_has_a_name_of_its_own() {
        for (place, sight) in Sight::ALL.into_iter().enumerate() {
            assert_eq!(sight as usize, place);
        }
        let names: HashSet<&str> = Sight::ALL.into_iter().map(Sight::name).collect();
        assert_eq!(names.len(), Sight::COUNT);
    }

    #[test]
    fn what_lives_have_counted_adds_up() {
        let mut seen = Sightings::default();
        let counters = Counters { delta_rows: 3, busy: 1, ..Counters::default() };
        seen.add_life(&counters);
        seen.add_life(&counters);
        seen.add(Sight::Busy, 1);
        assert_eq!((seen.count(Sight::DeltaRows), seen.count(Sight::Busy)), (6, 3));
        assert_eq!(seen.count(Sight::Refutation), 0);
    }
}
