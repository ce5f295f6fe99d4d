//! Monotone counters of work done and of load shed: plain numbers that a driver reads when it likes.

/// What a node has counted since birth. Every field only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that passed decoding.
    pub packets_accepted: u64,
    /// Packets that were refused, whatever the reason.
    pub packets_rejected: u64,
    /// Refused packets and frames whose label was not ours.
    pub rejected_label: u64,
    /// Refused packets and frames of a wire version that we do not speak.
    pub rejected_version: u64,
    /// Refused packets and frames whose checksum did not match.
    pub rejected_checksum: u64,
    /// Refused packets and frames that broke any other rule of the wire.
    pub rejected_malformed: u64,
    /// Stream frames that passed decoding.
    pub frames_accepted: u64,
    /// Stream frames that were refused.
    pub frames_rejected: u64,
    /// Probes begun.
    pub probes: u64,
    /// Probes that ended without an answer of any kind.
    pub probes_failed: u64,
    /// Probes that only the stream fallback answered: a sign that UDP is broken on that path.
    pub probes_saved_by_stream: u64,
    /// Probes sent on behalf of others.
    pub relays: u64,
    /// Requests to probe for others that were dropped because `relays_max` were open.
    pub relays_shed: u64,
    /// Suspicions of other members that began here, from any source.
    pub suspicions: u64,
    /// Suspicions that ran out although fewer confirmations than expected had come (memberlist's `degraded.timeout`).
    pub suspicions_unconfirmed: u64,
    /// Accusations against this node that it refuted.
    pub refutations: u64,
    /// Accusations at the largest incarnation, which nothing can refute.
    pub unrefutable: u64,
    /// Claims of a member's name from an address that may not have it.
    pub conflicts: u64,
    /// Alive claims dropped because the member table was full (`members_max`).
    pub members_shed: u64,
    /// Broadcasts dropped because a queue was full (`queue_messages_max`).
    pub broadcasts_shed: u64,
    /// Push/pull exchanges that ended well, on either side.
    pub syncs: u64,
    /// Push/pull exchanges that failed, on either side.
    pub syncs_failed: u64,
    /// Push/pull exchanges refused because the versions do not match.
    pub syncs_refused: u64,
    /// Streams refused because `streams_max` were open.
    pub streams_shed: u64,
    /// User events delivered to the application, own ones included.
    pub events_delivered: u64,
    /// Copies of user events that were known already.
    pub events_repeated: u64,
    /// User events that were too old to deliver.
    pub events_old: u64,
    /// User events that were asked for and came (`event_repair`).
    pub events_repaired: u64,
    /// User events that were given up: their gap could not be closed.
    pub events_lost: u64,
    /// User events, queries and answers of the application that were refused because it outran the network.
    pub busy: u64,
    /// Origins of user events that were forgotten because `event_origins_max` were known.
    pub event_origins_shed: u64,
    /// Intents about unknown members that were dropped because `intents_max` waited.
    pub intents_shed: u64,
    /// Queries delivered to the application.
    pub queries_delivered: u64,
    /// Queries that were known already, or too old.
    pub queries_repeated: u64,
    /// Queries that were passed on but not delivered, because `queries_max` were open.
    pub queries_shed: u64,
    /// Answers to our queries that were taken.
    pub answers: u64,
    /// Answers that came twice, too late, or to nothing we asked.
    pub answers_refused: u64,
    /// Filters that are no usable expression, so that the query was not for us.
    pub filters_refused: u64,
    /// Refused packets and frames that no key of ours opens, or that are not sealed although they must be.
    pub rejected_seal: u64,
    /// Packets and frames that were taken although they are not sealed (`verify_incoming` off).
    pub accepted_unsealed: u64,
    /// Coordinates of peers that make no sense, or came with an impossible round trip.
    pub coordinates_refused: u64,
    /// Times that our own coordinate had to start again.
    pub coordinate_resets: u64,
    /// Delta exchanges whose digests were equal at once.
    pub syncs_equal: u64,
    /// Rows sent or merged because their bucket differed.
    pub delta_rows: u64,
    /// Inputs whose `now` lay before an earlier one; the earlier one was used.
    pub clock_went_back: u64,
}
