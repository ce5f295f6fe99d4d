//! Rules that can be broken on purpose, to see that somebody notices: the cargo feature `sabotage`, which no default build and no package has.
//!
//! A rule's place asks `broken!(config, Rule)`. Without the feature the answer is always no, known when the
//! program is built: neither the question nor the setting is left in it.

/// Whether the node with this configuration breaks a rule.
#[cfg(feature = "sabotage")]
macro_rules! broken {
    ($config:expr, $rule:ident) => {
        $config.sabotage == $crate::sabotage::Sabotage::$rule
    };
}

/// No rule is ever broken.
#[cfg(not(feature = "sabotage"))]
macro_rules! broken {
    ($config:expr, $rule:ident) => {
        $crate::sabotage::never(stringify!($rule))
    };
}

/// The answer about every rule: a function, so that conditions are read as if they asked.
#[cfg(not(feature = "sabotage"))]
#[inline(always)]
pub(crate) const fn never(_rule: &str) -> bool {
    false
}

/// The enum with its names and the rules in words, each said once.
#[cfg(feature = "sabotage")]
macro_rules! sabotages {
    ($($rule:ident, $name:literal, $says:literal;)*) => {
        /// A rule of the protocol that a node breaks (feature `sabotage`): each variant says the rule that does not hold any more.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum Sabotage {
            /// All rules hold.
            #[default]
            #[serde(rename = "none")]
            None,
            $(#[doc = $says] #[serde(rename = $name)] $rule,)*
        }

        impl Sabotage {
            /// Every rule that can be broken, in the order of the rooms.
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            /// Its name in scenario files: `config = { sabotage = "no-refutation" }`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    Self::None => "none",
                    $(Self::$rule => $name,)*
                }
            }

            /// The rule that is broken, in words.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self {
                    Self::None => "All rules hold.",
                    $(Self::$rule => $says,)*
                }
            }
        }
    };
}

#[cfg(feature = "sabotage")]
sabotages! {
    NoIndirectProbe, "no-indirect-probe", "Helpers are asked when a ping has no answer in time.";
    NoRelayedAck, "no-relayed-ack", "A helper passes the ack on to who asked.";
    NoStreamProbe, "no-stream-probe", "A stream is tried when a ping has no answer in time.";
    NoNacks, "no-nacks", "A helper says when the member does not answer it either.";
    AnyAckAnswers, "any-ack-answers", "Only the ack with a probe's own number answers it.";
    HalfIsProbed, "half-is-probed", "Every member that is alive or suspect gets its turn.";
    TheDeadAreProbed, "the-dead-are-probed", "Only members that are alive or suspect are probed.";
    NoBuddy, "no-buddy", "The ping of a suspect tells it that it is accused.";
    HealthNeverWorsens, "health-never-worsens", "Failed probes and own refutations make a node more patient.";
    HealthNeverImproves, "health-never-improves", "Answered probes make a node less patient again.";
    SuspicionNeverEnds, "suspicion-never-ends", "A suspicion that runs out declares the member dead.";
    SuspicionEndsAtOnce, "suspicion-ends-at-once", "A suspected member has time to refute.";
    SuspicionIgnoresSize, "suspicion-ignores-size", "That time grows with the logarithm of the cluster's size.";
    NoConfirmations, "no-confirmations", "Independent accusers shorten a suspicion.";
    SuspicionNeedsNewer, "suspicion-needs-newer", "A suspicion of the known incarnation wins over alive.";
    OldAliveBelieved, "old-alive-believed", "Only a newer incarnation undoes a suspicion or a death.";
    OldAccusationBelieved, "old-accusation-believed", "What is said against an older incarnation counts for nothing.";
    LeftTakenForDead, "left-taken-for-dead", "A death that the member itself announces is a leave.";
    NoRefutation, "no-refutation", "An accused member outbids the accusation.";
    RefutesWithTheSame, "refutes-with-the-same", "A refutation has a higher incarnation than the accusation.";
    RefutesTooLow, "refutes-too-low", "A refutation outbids an accusation that is ahead of the member's own incarnation, too.";
    RefutationWaits, "refutation-waits", "A node's own refutation goes before all other news.";
    OldIncarnationAtBirth, "old-incarnation-at-birth", "A node's next life begins with a higher incarnation.";
    NameTakenFromAnywhere, "name-taken-from-anywhere", "A living member's name is not taken from another address.";
    ForgottenNameIsKept, "forgotten-name-is-kept", "A name that the detector has forgotten may come back from anywhere.";
    NoVote, "no-vote", "A node stops when most members know its name at another address.";
    SuspicionsNotTold, "suspicions-not-told", "A suspicion is news for all.";
    DeathsNotTold, "deaths-not-told", "A death is news for all.";
    JoinsNotTold, "joins-not-told", "A new member is news for all.";
    NoGossip, "no-gossip", "Waiting news is gossiped.";
    DeadHearNothing, "dead-hear-nothing", "The recently dead are gossiped to, so that they can refute.";
    SentOnce, "sent-once", "News is sent many times.";
    LimitIgnoresSize, "limit-ignores-size", "News is sent more often in a larger cluster.";
    SentWithoutEnd, "sent-without-end", "News that was sent often enough is dropped.";
    QueueUnbounded, "queue-unbounded", "A queue holds no more than its bound.";
    PacketOneTooLong, "packet-one-too-long", "A packet has no byte more than its budget.";
    ByteRateIgnored, "byte-rate-ignored", "Gossip keeps to its byte rate.";
    TickFiresOnce, "tick-fires-once", "A tick answers everything that is due.";
    ClockGoesBack, "clock-goes-back", "A node's time never goes back.";
    LifetimeIgnored, "lifetime-ignored", "The failure detector forgets the dead after a while.";
    NeverReaped, "never-reaped", "A failed member is removed in the end.";
    ReapedTooEarly, "reaped-too-early", "A failed member is remembered for reconnect_timeout, so that it can be dialled.";
    StreamTimeoutIgnored, "stream-timeout-ignored", "A stream that stays silent is given up.";
    RowsNotMerged, "rows-not-merged", "An exchange's rows are taken.";
    RowsLeftOut, "rows-left-out", "A full exchange has every row.";
    DeadRowsKill, "dead-rows-kill", "A dead row of an exchange is a suspicion only.";
    NoExchange, "no-exchange", "Members exchange tables now and then.";
    NoMarks, "no-marks", "An exchange says how far each origin's events have come.";
    DeltaAlwaysEqual, "delta-always-equal", "A delta exchange sees that tables differ.";
    DeltaWithoutRows, "delta-without-rows", "A delta exchange sends the rows that differ.";
    NoReconnect, "no-reconnect", "Failed members are dialled again.";
    LeavesWithoutAWord, "leaves-without-a-word", "Who leaves says so first.";
    LeaverReportedFailed, "leaver-reported-failed", "Who left is not reported failed.";
    LeaverRefutes, "leaver-refutes", "Who leaves refutes nothing any more.";
    OldIntentBelieved, "old-intent-believed", "Of two intents the one with the later Lamport time counts.";
    LeaveNotRefuted, "leave-not-refuted", "A member that stays refutes a leave told of it.";
    EventClockIgnoresOthers, "event-clock-ignores-others", "What is sent is stamped after all that was heard.";
    EventClockGoesBack, "event-clock-goes-back", "A Lamport clock never goes back.";
    EventsTwice, "events-twice", "A user event is delivered once.";
    EventNotQueued, "event-not-queued", "An accepted user event is gossiped.";
    NoRepair, "no-repair", "A gap in an origin's events is asked for.";
    PullsUnanswered, "pulls-unanswered", "Who misses events gets them.";
    NeverBusy, "never-busy", "Events that cannot be kept long enough are refused when they are sent.";
    FiltersIgnored, "filters-ignored", "Only who is meant answers a query.";
    AnsweredTwice, "answered-twice", "A query is answered once.";
    NoRelayedAnswer, "no-relayed-answer", "Members pass answers on where they are asked to.";
    QueryEndsEarly, "query-ends-early", "A query is open until all have answered.";
    QueryNeverEnds, "query-never-ends", "A query ends when its time is over.";
    TagsNotAnnounced, "tags-not-announced", "New tags are announced.";
    KeyNotInstalled, "key-not-installed", "An installed key opens what others seal with it.";
    RemovedKeyKept, "removed-key-kept", "A removed key opens nothing.";
    UnsealedAccepted, "unsealed-accepted", "Where there are keys, nothing unsealed is taken.";
    LabelsIgnored, "labels-ignored", "Nodes with different labels take nothing from each other.";
    MembersMaxIgnored, "members-max-ignored", "The member table has a bound.";
    StreamsMaxIgnored, "streams-max-ignored", "The open streams have a bound.";
}

#[cfg(feature = "sabotage")]
impl core::fmt::Display for Sabotage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
