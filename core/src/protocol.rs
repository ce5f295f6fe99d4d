//! The protocol as a manual: what each rule does, where it comes from, and which settings and counters go with it.
//!
//! Nothing here is code. Each page stands for a room behind [`step`](crate::step); the messages are in [`wire`](crate::wire), the settings in
//! [`Config`](crate::Config), what is counted in [`Counters`](crate::counters::Counters), what the application hears in
//! [`Event`](crate::io::Event). Sources: SWIM (Das, Gupta, Motivala, DSN 2002), Lifeguard (Dadgar, Phillips, Currey, arXiv 1707.00788), Vivaldi
//! (Dabek, Cox, Kaashoek, Morris, SIGCOMM 2004), and the behaviour of HashiCorp's memberlist and Serf.
//!
//! | page | rule |
//! |---|---|
//! | [`claims`] | what is believed of a member when claims disagree |
//! | [`probing`] | how a silent member is noticed |
//! | [`suspicion`] | how long it has to refute |
//! | [`gossip`] | how news reaches everybody, and how it shares packets |
//! | [`exchanges`] | how what gossip missed is closed: full and delta anti-entropy, joining, reconnecting |
//! | [`statuses`] | alive, leaving, left, failed: intents and their Lamport times |
//! | [`user_events`] | telling everybody something, once |
//! | [`queries`] | asking everybody something |
//! | [`keys`] | sealing what is sent, and changing keys while it runs |
//! | [`coordinates`] | estimating round trips between members that never met |
//! | [`bounds`] | what is bounded, by what, and what is told when a bound is reached |

/// What is believed of a member when claims disagree (SWIM 4.2, memberlist).
///
/// A claim names a member and an incarnation, which only the member itself raises. A greater incarnation wins; at the same incarnation dead
/// beats suspect, and suspect beats alive. A member that is accused announces a greater incarnation (it *refutes*); having to is a sign of bad
/// local health. A death that the member itself announces is a leave. Unlike memberlist, whatever is accused at a greater incarnation of a
/// dead member raises what is stored, and the largest incarnation is not wrapped but counted as
/// [`unrefutable`](crate::counters::Counters::unrefutable).
///
/// A row has two lifetimes: the failure detector forgets the dead after `gossip_to_dead`, and from then on the rules for an unknown name apply;
/// the application keeps the failed for `reconnect_timeout` and those that left for `tombstone_timeout`. A name that is in use at one address is
/// not taken over from another: that is a [`Conflict`](crate::io::Event::Conflict), and the one whose name it is asks the cluster
/// (`name_conflict_vote`): if the majority of those that know the name know the other address, it is told to stop
/// ([`MustStop`](crate::io::Event::MustStop)). No reply is no verdict.
pub mod claims {}

/// How a silent member is noticed (SWIM 3.1, Lifeguard IV-A).
///
/// Every `probe_interval` a node pings one member, round-robin in random order, so that each is probed once a round. Without an ack within
/// `probe_timeout` it asks `indirect_checks` helpers to ping for it, and tries a stream beside them (`stream_probe`). Helpers say with a nack that they
/// live but had no answer (`nacks`). Whoever misses nacks blames itself: its local health worsens, and it probes more patiently
/// (`awareness`). Pinging a suspect carries the accusation (`buddy`), before the ping, so that the ack brings the refutation.
pub mod probing {}

/// How long a suspect has to refute (SWIM 4.2, Lifeguard IV-B).
///
/// At least `suspicion_mult * log(n) * probe_interval`. A suspicion begins with `suspicion_max_mult` times that, and independent confirmations
/// bring it down, the first ones most ([`suspicion_times`](crate::suspicion_times)). When it runs out the member is declared dead.
pub mod suspicion {}

/// How news reaches everybody (SWIM 4.1, memberlist), and how it shares packets.
///
/// Each message waits in the queue of its kind and is sent [`transmit_limit`](crate::transmit_limit) times by each node, on probes and acks where they have room, and
/// in rounds to `gossip_nodes` random members. The least sent goes first, then the longest, then the newest. Newer news about a member replaces older.
///
/// *Pacing* (`pacing`): with `tick` one round goes out each `gossip_interval` (memberlist). `paced`, what has not been sent once leaves at once, and a queue longer
/// than a packet is gone through once each interval, within `gossip_bytes_per_second`: the same transmissions, sooner.
///
/// *Packing* (`packing`): `strict` fills a packet with membership, then intents, queries, events (Serf), so that churn starves the rest. `fair` puts what a
/// node says of itself first and guarantees each queue a share; what is longer than a share saves up.
pub mod gossip {}

/// How what gossip missed is closed (memberlist's push/pull, Serf's merge).
///
/// Now and then ([`push_pull_period`](crate::push_pull_period)) a node exchanges with a random member. *Full*: both tables, whole. *Delta* (`anti_entropy = "delta"`): digests of all rows first,
/// then of buckets, then the rows of those buckets that differ; rows about which a node still gossips are left out. Versions are verified before anything is merged. What is dead there
/// becomes a suspicion here, so that a member that lives can refute. Clocks, statuses and how far each side has come with user events travel along.
///
/// A join and the dialling of a failed member (`reconnect`, one at a time) are always full. A join is one attempt at each address; trying again is the driver's.
pub mod exchanges {}

/// Alive, leaving, left, failed (Serf).
///
/// Whoever joins or leaves says so in an *intent*, stamped by the member clock (a Lamport clock). Of two intents about a member the one with the greater time
/// counts, however they arrive; one about a member that is not known waits for it (`intents_max`, `recent_intent_timeout`). A leaving member's death is a leave, any other a
/// failure. An operator may say of a failed member that it has left ([`ForceLeave`](crate::io::Command::ForceLeave)), and have it forgotten at once (`prune`). A live member refutes such a
/// leave with a join intent, and again whenever it finds itself shown as leaving. Unlike Serf, tables carry the status beside its time.
pub mod statuses {}

/// Telling everybody something, once (Serf's user events).
///
/// Limits are counted in Serf's encoding. An event carries the event clock, its origin, which life of the origin it is, and its number there. So a repeat
/// is known for certain, and a gap is seen: after `event_repair_delay` it is asked for, of a random member first and of the origin in the end, at doubling intervals; what
/// cannot be had is given up and counted. Exchanges tell how far each side has come, which shows what no later event reveals. With `event_repair` off, gossip alone carries them and what is
/// `event_buffer` Lamport times behind is taken for a repeat (Serf).
///
/// A node accepts an event of its application only while it can keep it until everybody has had time to ask for it; else it says [`Busy`](crate::error::CommandError::Busy). A joiner gets what
/// was sent before its join only when it asks for a replay. Bursts may be merged for the application by [`coalesce`](crate::coalesce).
pub mod user_events {}

/// Asking everybody something (Serf's queries).
///
/// A query is gossiped; whoever its filters mean (names, and tags by regular expression over bytes, bounded in length and size) acknowledges it if that is wanted, and its application may answer once before
/// the deadline, directly and through `relay_factor` random members. It ends at the deadline (`query_timeout_mult`), or as soon as every member
/// that was asked has answered or declined (a member whose application will not answer says so; Serf waits for the deadline). Names that begin with
/// `_rumor_` are the protocol's own: key commands and the vote about a name.
pub mod queries {}

/// Sealing what is sent (memberlist's keyring), and changing keys while it runs.
///
/// One cipher for a cluster (`cipher`); the header and the label are authenticated, not hidden. A nonce is 64 random bits drawn at birth and a counter, and fresh random bits when the counter is used up. The first
/// key seals, all are tried for opening. `verify_incoming` and `verify_outgoing` roll encryption out in three steps. Keys are changed by installing a new one everywhere, using it everywhere, removing the old
/// one ([`Command::Keys`](crate::io::Command::Keys)), each with every member's result; only where everything is sealed. Key material is wiped when dropped and never printed.
pub mod keys {}

/// Estimating round trips between members that never met (Vivaldi, as Serf has it).
///
/// Each direct ack carries its sender's coordinate, quantised; the prober moves its own a little so that the distance fits the round trip better. Coordinates or
/// round trips that make no sense are refused and counted, and a peer whose claims contradict all others cannot drag a node along. `Node::rtt` asks.
pub mod coordinates {}

/// What is bounded, by what, and what is told when a bound is reached.
///
/// | what | bound | counter |
/// |---|---|---|
/// | members | `members_max` | `members_shed` |
/// | broadcasts in one queue | `queue_messages_max` | `broadcasts_shed` |
/// | streams | `streams_max` | `streams_shed` |
/// | probes for others | `relays_max` | `relays_shed` |
/// | intents about unknown members | `intents_max` | `intents_shed` |
/// | user events kept, own and others' each | `event_buffer` | `busy` for own; others' oldest go |
/// | origins of user events | `event_origins_max` | `event_origins_shed` |
/// | gaps of an origin | half of `event_buffer` | `events_lost` |
/// | queries asked, and to answer | `queries_max` | `busy`, `queries_shed` |
/// | queries known again | `query_buffer` times, 256 each | `queries_repeated` |
/// | compiled filters | 32, of 64 KiB | none: the least used goes |
/// | keys | [`KEYS_MAX`](crate::keyring::KEYS_MAX) | an error |
/// | coordinates | one a member | - |
/// | a packet, a frame | `packet_bytes_max`, `frame_bytes_max` | `rejected_malformed` |
pub mod bounds {}
