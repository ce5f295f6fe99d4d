//! A node: one value of each room, its birth, and what can be read of it.

mod claims;
mod commands;
mod conflicts;
mod coordinates;
mod delta;
mod exchange;
mod intents;
mod keys;
mod messages;
mod probing;
mod queries;
mod responses;
mod snapshot;
mod spreading;
mod stale;
mod streaming;
mod user_events;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use foldhash::fast::FixedState;

use crate::config::{AntiEntropy, Config, Pacing};
use crate::counters::Counters;
use crate::deadlines::{Deadlines, Due, Timer};
use crate::detect::{Health, Prober, Relays, Suspicions};
use crate::error::BirthError;
use crate::events::{EventLog, LamportClocks, Queries};
use crate::id::{Identity, Incarnation, META_BYTES_MAX, NodeName, SharedIdentity, canonical};
use crate::io::{Outbox, State, Status};
use crate::keyring::Keyring;
use crate::members::{Known, Members, Roster};
use crate::rng::{Purpose, Rng, Seed};
use crate::spread::{Lanes, Pace, QueueDepths};
use crate::sync::{Streams, push_pull_period};
use crate::tags::Tags;
use crate::time::{Instant, nanos};
use crate::wire::{Clocks, Wire};
use commands::{Join, OwnBroadcast};
use coordinates::Coordinates;
use intents::Intents;
pub use snapshot::Snapshot;

/// Who a node is when it is born, and what it knows.
#[derive(Clone, Debug)]
pub struct Birth<'a> {
    /// Its name, unique in the cluster.
    pub name: NodeName,
    /// The address it advertises: where it receives packets and streams.
    pub addr: SocketAddr,
    /// Its tags.
    pub tags: &'a Tags,
    /// Where its randomness starts.
    pub seed: Seed,
    /// Its keys; with [`Keyring::empty`] it seals nothing and takes nothing that is sealed.
    pub keyring: Keyring,
    /// What it knew before.
    pub restore: Restore,
}

/// What a node knows at birth: from a snapshot, or as a simulator's converged start. Emits no events.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    /// Its last incarnation; it starts with the next one. 0 when it is not known.
    pub incarnation: Incarnation,
    /// Members believed alive; shared, so that giving it costs nothing. One of the node's own name is skipped.
    pub roster: Arc<Roster>,
    /// Members that had failed: shown as failed, and dialled until `reconnect_timeout` has passed since birth. Of a name
    /// that is in the roster too, the roster counts; more than `members_max` are dropped and counted.
    pub failed: Vec<(SharedIdentity, Incarnation)>,
    /// The largest Lamport times that its former life saw; 0 when they are not known. Older events and queries are not delivered.
    pub clocks: Clocks,
}

/// A member as a node sees it.
#[derive(Clone, Copy, Debug)]
pub struct MemberView<'a> {
    /// Who.
    pub identity: &'a SharedIdentity,
    /// Its incarnation.
    pub incarnation: Incarnation,
    /// The failure detector's opinion.
    pub state: State,
    /// The application's view.
    pub status: Status,
}

/// Where a node stands between birth and its last packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    /// It has said that it leaves; it answers, but refutes nothing any more.
    Leaving,
}

/// Offsets of the grids that periodic work keeps to, drawn at birth.
#[derive(Clone, Copy, Debug)]
struct Phases {
    probe: Instant,
    gossip: Instant,
    reconnect: Instant,
    /// How long the first periodic exchange waits.
    sync: Duration,
}

/// Timers of periodic work, armed only while there is something to do.
#[derive(Clone, Copy, Debug, Default)]
struct Periodic {
    probe: Option<Timer>,
    gossip: Option<Timer>,
    sync: Option<Timer>,
    reconnect: Option<Timer>,
    repair: Option<Timer>,
}

/// One node of a cluster: the whole protocol's state, advanced by [`step`](crate::step) alone.
///
/// What every step touches comes first and lies together, in whole cache lines: with thousands of nodes in one process, each
/// line counts.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Node {
    pub(crate) config: Arc<Config>,
    clock: Instant,
    periodic: Periodic,
    health: Health,
    life: Life,
    /// Whether force-leaves are under way: every step asks.
    force_leaving: bool,
    /// Whether it knew nobody at birth, and no exchange has ended since.
    newcomer: bool,
    own_broadcast: Option<OwnBroadcast>,
    pub(crate) deadlines: Deadlines,
    pub(crate) wire: Wire,
    members: Members,
    queue: Lanes,
    suspicions: Suspicions,
    pub(crate) counters: Counters,
    prober: Prober,
    clocks: LamportClocks,
    phases: Phases,
    pace: Pace,
    rng: Rng,
    relays: Relays,
    streams: Streams,
    joins: Vec<Join>,
    events: Box<EventLog>,
    intents: Box<Intents>,
    /// `None` without `Config::coordinates`.
    coordinates: Option<Box<Coordinates>>,
    queries: Box<Queries>,
}

impl Node {
    /// A node that begins to live at `now`. It does nothing before it knows somebody: restored, joined, or joining.
    ///
    /// The configuration and the roster may be shared with any number of other nodes.
    ///
    /// # Errors
    /// [`BirthError`] when a setting is out of bounds, the address cannot be advertised, the tags are too long, or the keys
    /// do not fit the cipher or come with a predictable seed.
    pub fn new(config: impl Into<Arc<Config>>, birth: Birth<'_>, now: Instant) -> Result<Self, BirthError> {
        let config: Arc<Config> = config.into();
        config.check()?;
        let addr = canonical(birth.addr);
        if addr.ip().is_unspecified() || addr.port() == 0 {
            return Err(BirthError::Address(addr));
        }
        if !birth.keyring.is_empty() && birth.seed.is_simulated() && !config.simulation {
            return Err(BirthError::SimulatedSeed);
        }
        let wire = Wire::with_keys(&settings_of_wire(&config), birth.keyring, &birth.seed)?;
        let meta = birth.tags.to_meta();
        if meta.len() > META_BYTES_MAX {
            return Err(BirthError::Meta { actual: meta.len(), allowed: META_BYTES_MAX });
        }
        let versions = config.versions;
        let me = Arc::new(Identity { name: birth.name, addr, meta: meta.into(), versions });
        let before = birth.restore.incarnation;
        let same = before.0 > 0 && broken!(config, OldIncarnationAtBirth);
        let incarnation = if same { before } else { before.next() };
        let newcomer = birth.restore.roster.is_empty();
        let mut event_seed = birth.seed.stream(Purpose::Events);
        let (life, event_hasher) =
            (crate::id::Life(event_seed.u32()), FixedState::with_seed(event_seed.u64()));
        let members = Members::new(me, incarnation, &birth.seed, birth.restore.roster, now);
        let phases = Phases::draw(&config, &birth.seed, members.n_swim(), now);
        let mut rng = birth.seed.stream(Purpose::Protocol);
        let mut node = Self {
            wire,
            deadlines: Deadlines::default(),
            counters: Counters::default(),
            clock: now,
            prober: Prober::starting(rng.u32()),
            rng,
            members,
            queue: Lanes::new(),
            pace: Pace::new(),
            relays: Relays::new(),
            suspicions: Suspicions::new(),
            health: Health::default(),
            streams: Streams::new(),
            phases,
            periodic: Periodic::default(),
            joins: Vec::new(),
            own_broadcast: None,
            life: Life::Running,
            force_leaving: false,
            clocks: LamportClocks::restored(birth.restore.clocks),
            events: Box::new(EventLog::new(life, event_hasher, birth.restore.clocks.event)),
            newcomer,
            intents: Box::default(),
            coordinates: coordinates::born(config.coordinates, &birth.seed),
            queries: Box::new(Queries::new(birth.restore.clocks.query)),
            config,
        };
        node.remember_failed(birth.restore.failed, now);
        node.arm_periodic(now);
        Ok(node)
    }

    /// A copy that goes its own way: same state and same past, but every later draw comes from `seed`. For tools that ask "what if";
    /// `Node` is not `Clone`, because two nodes with one stream of draws would repeat each other's choices, and later nonces.
    ///
    /// What was drawn at birth or is under way stays as it is: the phases of periodic work, the hash of the name index, the order
    /// of the present round of probes. Equal inputs and equal seeds give equal outputs.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a seed starts one stream of draws, so it is used up")]
    pub fn fork(&self, seed: Seed) -> Self {
        Self {
            config: self.config.clone(),
            wire: self.wire.fork(&seed),
            deadlines: self.deadlines.clone(),
            counters: self.counters,
            clock: self.clock,
            rng: seed.stream(Purpose::Protocol),
            members: self.members.clone(),
            queue: self.queue.clone(),
            pace: self.pace,
            prober: self.prober.clone(),
            relays: self.relays.clone(),
            suspicions: self.suspicions.clone(),
            health: self.health.clone(),
            streams: self.streams.clone(),
            phases: self.phases,
            periodic: self.periodic,
            joins: self.joins.clone(),
            own_broadcast: self.own_broadcast,
            life: self.life,
            force_leaving: self.force_leaving,
            clocks: self.clocks,
            events: self.events.clone(),
            newcomer: self.newcomer,
            intents: self.intents.clone(),
            coordinates: self.coordinates.as_ref().map(|own| Box::new(own.fork(&seed))),
            queries: self.queries.clone(),
        }
    }

    /// When and why the node next wants [`Input::Tick`](crate::io::Input::Tick); `None` while it has nothing to do.
    #[must_use]
    #[inline]
    pub fn deadline(&self) -> Option<(Instant, Due)> {
        self.deadlines.next()
    }

    /// Asks the processor for the parts of this node that nearly every step touches, and goes on at once. For a driver of
    /// thousands of nodes that knows some events ahead whose turn it will be. Nobody is asked without the feature `prefetch`.
    #[inline]
    pub fn prefetch(&self) {
        use crate::prefetch::ask;
        ask(&self.config);
        ask(&self.deadlines);
        ask(&self.wire);
        self.deadlines.prefetch();
        self.members.prefetch();
        ask(&self.queue);
        ask(&self.suspicions);
        ask(&self.counters);
    }

    /// Asks the processor for what those parts point to, as far as this packet or, without one, most other inputs touch it.
    /// Reads the node: to be called some events after [`Node::prefetch`], when that has come.
    #[inline]
    pub fn prefetch_tables(&self, packet: Option<&[u8]>) {
        use crate::prefetch::{ask, ask_for_all};
        match packet {
            Some(bytes) => {
                ask_for_all(bytes, 4);
                if bytes.len() > messages::SEVERAL_UPDATES_BYTES {
                    self.members.prefetch_rows();
                }
            }
            None => {
                ask(&self.rng);
                self.queue.members.prefetch();
            }
        }
    }

    /// This node as it announces itself.
    #[must_use]
    pub fn identity(&self) -> &SharedIdentity {
        self.members.me()
    }

    /// This node's own incarnation.
    #[must_use]
    #[inline]
    pub fn incarnation(&self) -> Incarnation {
        self.members.my_incarnation()
    }

    /// The node's settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Every member, this node first, then in an order that is the same for the same history.
    pub fn members(&self) -> impl Iterator<Item = MemberView<'_>> {
        self.members.iter().map(|(identity, known)| view(identity, known))
    }

    /// Grows whenever what [`Node::members`] tells an application changes: a member that is new or gone, or another identity,
    /// incarnation or status of one. For drivers that keep a copy of the list.
    #[must_use]
    pub const fn members_revision(&self) -> u64 {
        self.members.revision()
    }

    /// The member of that name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<MemberView<'_>> {
        let slot = self.members.find(name)?;
        Some(view(self.members.identity(slot)?, self.members.known(slot)?))
    }

    /// Since when the failure detector has the opinion of a member that it has ([`MemberView::state`]; of one that it has forgotten:
    /// since its death or leave). `None` for a name that is not known.
    #[must_use]
    pub fn member_since(&self, name: &str) -> Option<Instant> {
        self.members.find(name).map(|slot| self.members.changed(slot))
    }

    /// Members that the failure detector knows, this node and the recently dead included: `n` of its formulas.
    #[must_use]
    pub fn estimated_size(&self) -> u32 {
        self.members.n_swim()
    }

    /// Members that are alive or suspect, this node apart.
    #[must_use]
    pub fn others_up(&self) -> u32 {
        self.members.others_up()
    }

    /// Local health: 0 is healthy, `awareness_max - 1` the worst.
    #[must_use]
    pub const fn health(&self) -> u8 {
        self.health.score()
    }

    /// Broadcasts that wait to be sent often enough.
    #[must_use]
    #[inline]
    pub fn queue_depth(&self) -> usize {
        self.queue.len()
    }

    /// Broadcasts that wait to be sent often enough, by queue.
    #[must_use]
    pub fn queue_depths(&self) -> QueueDepths {
        self.queue.depths()
    }

    /// Suspicions whose timers run at this node.
    #[must_use]
    pub fn open_suspicions(&self) -> usize {
        self.members.n_suspect() as usize
    }

    /// The node's keys; empty when it seals nothing.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        self.wire.keyring()
    }

    /// The node's three Lamport clocks: what it stamps next.
    #[must_use]
    pub const fn clocks(&self) -> Clocks {
        self.clocks.now()
    }

    /// What the node has counted since birth.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    #[inline]
    pub(crate) fn advance_clock(&mut self, now: Instant) -> Instant {
        if now < self.clock && !broken!(self.config, ClockGoesBack) {
            self.counters.clock_went_back += 1;
        } else {
            self.clock = now;
        }
        self.clock
    }

    /// After every change: arms the periodic work that has become necessary, and ends what has been waited for.
    #[inline]
    pub(crate) fn settle(&mut self, now: Instant, out: &mut Outbox) {
        if self.own_broadcast.is_some() {
            self.finish_own_broadcast(now, out);
        }
        if self.force_leaving {
            self.finish_force_leaves(out);
        }
        let Periodic { probe, gossip, sync, reconnect, .. } = &self.periodic;
        // What is armed stays so; most steps have nothing to arm.
        if probe.is_none()
            || !self.queue.is_empty() && (gossip.is_none() || self.config.pacing == Pacing::Paced)
            || sync.is_none() && self.config.anti_entropy != AntiEntropy::Off
            || reconnect.is_none() && self.members.n_failed() > 0
        {
            self.arm_periodic(now);
        }
    }

    fn arm_periodic(&mut self, now: Instant) {
        let Self { periodic, deadlines, phases, config, members, queue, pace, wire, .. } = self;
        if periodic.probe.is_none() && members.others_up() > 0 {
            let at = now.next_on_grid(phases.probe, config.probe_interval);
            periodic.probe = Some(deadlines.arm(at, Due::Probe));
        }
        if periodic.gossip.is_none()
            && !queue.is_empty()
            && config.gossip_nodes > 0
            && members.reachable() > 0
        {
            let at = pace.next(queue, wire.packet_room(), phases.gossip, config, now);
            periodic.gossip = Some(deadlines.arm(at, Due::Gossip));
        } else if let Some(timer) =
            periodic.gossip.filter(|_| config.pacing == Pacing::Paced && queue.has_unsent())
        {
            // What has not been sent yet does not wait for the round that is planned.
            let at = pace.next(queue, wire.packet_room(), phases.gossip, config, now);
            if deadlines.at(timer) > at {
                deadlines.move_to(timer, at);
            }
        }
        if periodic.sync.is_none() && config.anti_entropy != AntiEntropy::Off && members.others_up() > 0 {
            periodic.sync = Some(deadlines.arm(now + phases.sync, Due::Sync));
            phases.sync = push_pull_period(config.push_pull_interval, members.n_swim());
        }
        if periodic.reconnect.is_none() && config.reconnect && members.n_failed() > 0 {
            let at = now.next_on_grid(phases.reconnect, config.reconnect_interval);
            periodic.reconnect = Some(deadlines.arm(at, Due::Reconnect));
        }
    }
}

impl Phases {
    fn draw(config: &Config, seed: &Seed, n: u32, now: Instant) -> Self {
        let mut rng = seed.stream(Purpose::Phases);
        let mut within = |period: Duration| Duration::from_nanos(rng.below_u64(nanos(period)));
        Self {
            probe: now + within(config.probe_interval),
            gossip: now + within(config.gossip_interval),
            reconnect: now + within(config.reconnect_interval),
            sync: within(push_pull_period(config.push_pull_interval, n)),
        }
    }
}

/// What the wire is made from: the configuration, if all rules hold.
fn settings_of_wire(config: &Config) -> Cow<'_, Config> {
    let mut settings = Cow::Borrowed(config);
    if broken!(config, UnsealedAccepted) {
        settings.to_mut().verify_incoming = false;
    }
    if broken!(config, LabelsIgnored) {
        settings.to_mut().label.clear();
    }
    settings
}

const fn view(identity: &SharedIdentity, known: Known) -> MemberView<'_> {
    MemberView { identity, incarnation: known.incarnation, state: known.state, status: known.status }
}

#[cfg(test)]
mod tests;
