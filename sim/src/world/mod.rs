//! One run: nodes, the network between them, the faults that befall them, and what is measured.

pub(crate) mod ahead;
mod applications;
pub(crate) mod bench;
mod conditions;
mod faults;
mod groups;
mod hear;
mod lives;
mod lookout;
mod parcels;
mod stage;
mod streams;
pub(crate) mod watch;
mod work;

use std::sync::Arc;

use rumormill_core::id::{Identity, Incarnation, NodeName, SharedIdentity};
use rumormill_core::io::{Input, Outbox};
use rumormill_core::keyring::Keyring;
use rumormill_core::tags::Tags;
use rumormill_core::time::nanos;
use rumormill_core::{Birth, Config, Node, Restore, Roster, Seed, Snapshot};

use crate::application::Desk;
use crate::digest::TraceDigest;
use crate::draws::Draws;
use crate::faults::{Plan, end_of, link_rules};
use crate::film::Recorder;
use crate::invariants::{Invariants, quiet};
use crate::metrics::Meter;
use crate::network::{self, Network};
use crate::queue::{EventQueue, Slab};
use crate::record::{FaultEffect, RunRecord, Sample};
use crate::scenario::{FaultKind, Scenario, Start, Variant, WorkloadKind};
use crate::sightings::Sightings;
use crate::truth::{Presence, Truth, node_name};
use applications::{Applications, Factory};
use conditions::Conditions;
use faults::Course;
use groups::Group;
use lookout::Lookout;
use stage::{Stage, What};
use streams::Connections;
use work::Work;
pub(crate) use work::{EVENT_NAME, QUERY_NAME};

/// Set in a queue entry that wakes a node up; the other bits are the node's number.
const WAKE: u32 = 1 << 31;

/// One run of one variant (its index in [`Scenario::variants`]): equal arguments, equal bytes, on any machine. Uses one thread.
///
/// # Panics
/// When the scenario has no such variant.
#[must_use]
pub fn run(scenario: &Scenario, variant: usize, seed: u64) -> RunRecord {
    run_with(scenario, variant, seed, &mut |_| {})
}

/// The same, telling now and then how many seconds have been simulated.
///
/// # Panics
/// When the scenario has no such variant.
pub fn run_with(scenario: &Scenario, variant: usize, seed: u64, progress: &mut dyn FnMut(f64)) -> RunRecord {
    World::new(scenario, &scenario.variants[variant], seed).run(progress)
}

/// The same, and which states the run reached on its way. Takes four bytes more for each pair of nodes, 400 MB for ten thousand: it is meant
/// for small clusters.
///
/// # Panics
/// When the scenario has no such variant.
#[must_use]
pub fn run_seen(scenario: &Scenario, variant: usize, seed: u64) -> (RunRecord, Sightings) {
    let mut world = World::new(scenario, &scenario.variants[variant], seed);
    world.stage.lookout = Some(Box::new(Lookout::new(scenario.cluster.nodes as usize)));
    // How probes were answered is seen too.
    world.outbox = Outbox::new();
    let mut seen = None;
    let record = world.run_then(true, &mut |_| {}, |world| seen = world.seen());
    (record, seen.unwrap_or_default())
}

/// The measured time of a run without the quiet time after it: figures and expectations are those of [`run`], invariant 7 is not judged, the
/// digest and the facts of the other invariants end sooner.
///
/// # Panics
/// When the scenario has no such variant.
#[must_use]
pub fn run_measured(scenario: &Scenario, variant: usize, seed: u64) -> RunRecord {
    World::new(scenario, &scenario.variants[variant], seed).run_then(false, &mut |_| {}, |_| {})
}

/// The same as [`run_with`], with a recorder that has up to so many changes of the measured time.
///
/// # Panics
/// When the scenario has no such variant.
pub(crate) fn run_filmed(
    scenario: &Scenario,
    variant: usize,
    seed: u64,
    changes_max: usize,
    progress: &mut dyn FnMut(f64),
) -> (RunRecord, Recorder) {
    let mut world = World::new(scenario, &scenario.variants[variant], seed);
    let group = world.group.clone();
    world.stage.meter.film = Some(Box::new(Recorder::new(group.clone(), changes_max)));
    let mut film = None;
    let record = world.run_then(true, progress, |world| film = world.stage.meter.film.take());
    (record, film.map_or_else(|| Recorder::new(group, 0), |film| *film))
}

/// The same as [`run`] with an application beside each node for which the factory has one. What they found, the desk has.
pub(crate) fn run_with_applications<'s>(
    scenario: &'s Scenario,
    variant: usize,
    seed: u64,
    factory: &'s mut Factory<'s>,
    desk: &'s mut Desk,
) -> RunRecord {
    let mut world = World::new(scenario, &scenario.variants[variant], seed);
    world.applications = Some(Applications::new(world.nodes.len(), seed, factory, desk));
    world.stage.applications = true;
    world.run(&mut |_| {})
}

struct World<'s> {
    scenario: &'s Scenario,
    variant: &'s Variant,
    config: Arc<Config>,
    groups: Vec<Group>,
    /// Each node's group.
    group: Vec<u16>,
    seed: u64,
    nodes: Vec<Option<Node>>,
    snapshots: Vec<Snapshot>,
    /// The keys that a node had when it ended; a keyring file outlives its process.
    keyrings: Vec<Option<Keyring>>,
    outbox: Outbox,
    plan: Plan,
    courses: Vec<Course>,
    stage: Stage,
    /// Those of a user of the library.
    applications: Option<Applications<'s>>,
}

impl<'s> World<'s> {
    fn new(scenario: &'s Scenario, variant: &'s Variant, seed: u64) -> Self {
        let count = scenario.cluster.nodes as usize;
        let (groups, group) = groups::groups(scenario, variant);
        let config = groups[0].config.clone();
        let draws = Draws::new(seed);
        let network = Network::new(
            draws,
            network::over(&variant.travel, &scenario.network.travel),
            link_rules(scenario),
            count,
        );
        let mut stage = Stage {
            now: 0,
            draws,
            queue: EventQueue::new(),
            parcels: Slab::new(),
            network,
            truth: Truth::new(count),
            meter: Meter::new(
                count,
                nanos(scenario.warmup),
                nanos(scenario.duration),
                config.probe_interval.as_secs_f64(),
            ),
            invariants: Invariants::new(
                count,
                &config,
                (corrupts(scenario, variant), changes_keys(scenario)),
            ),
            digest: TraceDigest::new(),
            connections: Connections::new(count),
            conditions: Conditions::new(count),
            receive_buffer: scenario.network.receive_buffer as usize,
            link_faults: 0,
            address: (0..count as u32).collect(),
            owner: (0..count as u32).collect(),
            armed: vec![u64::MAX; count],
            due: vec![u64::MAX; count],
            joining: vec![None; count],
            stopping: Vec::new(),
            effects: effects(scenario),
            work: Work::new(scenario),
            recorder: None,
            applications: false,
            lookout: None,
        };
        stage.meter.views.divide(group.clone());
        let plan = Plan::new(scenario, seed);
        let courses = scenario.faults.iter().map(|_| Course::default()).collect();
        let nodes = (0..count).map(|_| None).collect();
        let snapshots = (0..count).map(|_| Snapshot::default()).collect();
        Self {
            scenario,
            variant,
            config,
            groups,
            group,
            seed,
            nodes,
            snapshots,
            keyrings: vec![None; count],
            outbox: Outbox::new().without_answered_probes(),
            plan,
            courses,
            stage,
            applications: None,
        }
    }

    fn run(self, progress: &mut dyn FnMut(f64)) -> RunRecord {
        self.run_then(true, progress, |_| {})
    }

    /// Runs to the end, with or without the quiet time, and hands itself over before it is taken down.
    fn run_then(
        mut self,
        quiet: bool,
        progress: &mut dyn FnMut(f64),
        last: impl FnOnce(&mut Self),
    ) -> RunRecord {
        self.schedule_faults();
        self.schedule_workloads();
        self.start();
        let end = nanos(self.scenario.duration);
        self.metered(end, progress);
        self.stage.now = end;
        if let Some(applications) = &mut self.applications {
            applications.end();
        }
        self.end_work();
        if let Some(film) = &mut self.stage.meter.film {
            film.end();
        }
        let mut values = self.stage.meter.values(&self.stage.truth);
        if values.contains_key("event.sent") {
            let lost = self.nodes.iter().flatten().map(|node| node.counters().events_lost).sum::<u64>();
            values.insert("event.lost".into(), Sample { value: lost as f64, censored: false });
        }
        self.end_faults();
        if quiet {
            self.quiet_time(end, progress);
        }
        last(&mut self);
        self.record(values)
    }

    /// What the run has reached, where that was asked for.
    fn seen(&mut self) -> Option<Sightings> {
        let mut lookout = self.stage.lookout.take()?;
        self.nodes.iter().flatten().for_each(|process| lookout.ended(process));
        Some(lookout.over(self.stage.network.deeds.overflowed))
    }

    fn metered(&mut self, end: u64, progress: &mut dyn FnMut(f64)) {
        let mut told = 0;
        while let Some((time, what)) = self.stage.queue.pop_until(end) {
            self.advance(time);
            if time >= told {
                progress(time as f64 / 1e9);
                told = time + 1_000_000_000;
            }
            self.one_event(time, what);
        }
        self.advance(end + 1);
    }

    #[inline]
    fn advance(&mut self, time: u64) {
        let stage = &mut self.stage;
        if stage.meter.has_point_before(time) {
            stage.meter.advance(time, &stage.truth, &stage.network);
        }
    }

    /// Invariant 7: goes on without faults until all have agreed for the hold, or the bound is reached.
    fn quiet_time(&mut self, end: u64, progress: &mut dyn FnMut(f64)) {
        let (loss, latency) = self.stage.network.worst();
        let round_trip = std::time::Duration::from_nanos(latency.saturating_mul(2));
        let why = quiet::not_applicable(&self.config, loss, round_trip);
        let (nodes, live) = (self.scenario.cluster.nodes, self.stage.truth.up());
        let limits = quiet::quiet(&self.config, nodes, live);
        let why = why
            .or_else(|| quiet::forgets_too_soon(&self.config, nodes, live).filter(|_| !self.stage.is_calm()))
            .or_else(|| self.split_knowledge(limits.bound))
            .or_else(|| self.split_keys());
        if let Some(why) = why {
            return self.stage.invariants.quiet.does_not_apply(why);
        }
        let (bound, hold) = (end.saturating_add(nanos(limits.bound)), nanos(limits.hold));
        self.stage.invariants.quiet.remark(format!(
            "within {} s of quiet time, with a chance of at most {} to take longer by luck; ended early once all had agreed for {} s",
            limits.bound.as_secs(),
            quiet::FAILURE_PROBABILITY,
            limits.hold.as_secs()
        ));
        let mut calm_since = self.stage.is_calm().then_some(end);
        let (mut told, mut up) = (0, self.stage.truth.up());
        while let Some((time, what)) = self.stage.queue.pop_until(bound) {
            if calm_since.is_some_and(|since| time >= since + hold) {
                break;
            }
            if time >= told {
                progress(time as f64 / 1e9);
                told = time + 1_000_000_000;
            }
            self.one_event(time, what);
            // A node that was outvoted about its name may have been the only link between the others.
            if std::mem::replace(&mut up, self.stage.truth.up()) != self.stage.truth.up()
                && let Some(why) = self.split_knowledge(limits.bound)
            {
                return self.stage.invariants.quiet.does_not_apply(why);
            }
            calm_since = if self.stage.is_calm() { calm_since.or(Some(time)) } else { None };
        }
        self.stage.check_quiet();
    }

    fn record(self, values: std::collections::BTreeMap<String, Sample>) -> RunRecord {
        let mut record = RunRecord {
            variant: self.variant.name.clone(),
            seed: self.seed,
            digest: self.stage.digest.text(),
            steps: self.stage.digest.inputs(),
            node_hours: 0.0,
            distributions: std::collections::BTreeMap::default(),
            values,
            ratios: std::collections::BTreeMap::new(),
            load_by_kind: std::collections::BTreeMap::default(),
            network: self.stage.network.deeds.by_name(),
            series: crate::record::Series::default(),
            faults: self.stage.effects,
            invariants: self.stage.invariants.outcomes(),
        };
        self.stage.meter.fill(&mut record);
        record
    }

    fn start(&mut self) {
        let late: Vec<u32> = self.plan.joiners.iter().flatten().copied().collect();
        let first: Vec<u32> = (0..self.scenario.cluster.nodes).filter(|n| !late.contains(n)).collect();
        match self.scenario.cluster.start {
            Start::Converged => {
                for group in 0..self.groups.len() {
                    let nodes =
                        first.iter().copied().filter(|n| usize::from(self.group[*n as usize]) == group);
                    let nodes: Vec<u32> = nodes.collect();
                    // An identity is announced with incarnation 1; every table of a group shares it.
                    let members = nodes.iter().map(|n| (self.identity(*n), Incarnation(1)));
                    let roster = Arc::new(Roster::new(members, &Seed::simulated(self.seed, u64::MAX, 0)));
                    for node in &nodes {
                        let restore = Restore { roster: roster.clone(), ..Restore::default() };
                        self.birth(*node, restore, &nodes, false);
                    }
                }
            }
            Start::Join => {
                for node in &first {
                    self.birth(*node, Restore::default(), &[], true);
                }
                for node in first.into_iter().filter(|n| *n != 0) {
                    self.join(node, vec![0]);
                }
            }
            Start::JoinStaggered { gap } => {
                for (place, node) in (0u64..).zip(first) {
                    let at = nanos(gap).saturating_mul(place);
                    self.stage.plan(at, What::Start, node, node, &[]);
                }
            }
        }
    }

    fn identity(&self, node: u32) -> SharedIdentity {
        let name = NodeName::new(&node_name(node)).unwrap_or_else(|_| unreachable!("digits make a name"));
        Arc::new(Identity {
            name,
            addr: stage::socket(self.stage.address[node as usize]),
            meta: Box::default(),
            versions: self.config.versions,
        })
    }

    /// A process starts that believes in the members of its roster: `believed` has their numbers. `change`: others have to learn
    /// of it.
    fn birth(&mut self, node: u32, restore: Restore, believed: &[u32], change: bool) {
        let stage = &mut self.stage;
        stage.set_presence(node, Presence::Up);
        if change {
            stage.truth.changed(stage.now);
        }
        let life = stage.truth.life(node);
        stage.connections.born(node);
        stage.armed[node as usize] = u64::MAX;
        let identity = self.identity(node);
        let roster = restore.roster.clone();
        let Group { config, keyring } = &self.groups[usize::from(self.group[node as usize])];
        let birth = Birth {
            name: identity.name.clone(),
            addr: identity.addr,
            tags: &Tags::new(),
            seed: Seed::simulated(self.seed, u64::from(node), u64::from(life)),
            keyring: self.keyrings[node as usize].take().unwrap_or_else(|| keyring.clone()),
            restore,
        };
        let born = Node::new(config.clone(), birth, self.stage.conditions.local(node, self.stage.now));
        let Ok(born) = born else { return };
        if let Some(lookout) = &mut self.stage.lookout {
            let known = roster.iter().map(|(member, _)| (&*member.name, member.addr));
            lookout.born(node, known);
        }
        let stage = &mut self.stage;
        stage.meter.born(node, believed.iter().copied(), stage.now, change);
        stage.invariants.own.born(node, born.incarnation());
        stage.invariants.incarnations.announced(node, born.incarnation());
        stage.after(node, &born, false);
        self.nodes[node as usize] = Some(born);
        self.application_starts(node);
    }

    /// Gives a node an input and carries out what it wants.
    #[inline]
    fn feed(&mut self, node: u32, input: Input<'_>) {
        let Some(process) = &mut self.nodes[node as usize] else { return };
        let stage = &mut self.stage;
        stage.digest.add(stage.now, node, &input);
        if let Some(recorder) = &mut stage.recorder {
            let due = process.deadline().map(|(_, due)| due);
            recorder.input(stage.now, node, &input, due, process.health());
        }
        let tick = matches!(input, Input::Tick);
        let outputs =
            rumormill_core::step(process, input, stage.conditions.local(node, stage.now), &mut self.outbox);
        for output in outputs {
            if let Some(applications) = &mut self.applications {
                applications.hear(node, process, stage, &output);
            }
            stage.carry_out(node, output);
        }
        stage.after(node, process, tick);
        if let Some(lookout) = &mut stage.lookout {
            lookout.stepped(process);
        }
        if !self.stage.work.is_idle() {
            self.answer_and_end();
        }
        while let Some(node) = self.stage.stopping.pop() {
            self.stop(node);
        }
        if self.applications.is_some() {
            self.carry_out_wishes();
        }
    }

    #[inline(always)]
    fn one_event(&mut self, time: u64, what: u32) {
        self.stage.now = time;
        self.look_ahead();
        if what & WAKE == 0 {
            return self.parcel(what);
        }
        let node = what & !WAKE;
        if self.stage.armed[node as usize] != time {
            return;
        }
        self.stage.armed[node as usize] = u64::MAX;
        // A process that stands still wakes up when it goes on.
        if self.stage.conditions.is_paused(node) {
            return;
        }
        if self.stage.due[node as usize] <= time {
            self.feed(node, Input::Tick);
        } else {
            self.stage.arm_again(node);
        }
    }
}

/// Whether the network damages anything, now or during a fault.
fn corrupts(scenario: &Scenario, variant: &Variant) -> bool {
    let links = scenario.network.links.iter().map(|link| &link.travel);
    let faults = scenario.faults.iter().filter_map(|fault| match &fault.kind {
        FaultKind::Link { travel, .. } => Some(travel),
        _ => None,
    });
    let all = [&scenario.network.travel, &variant.travel].into_iter().chain(links).chain(faults);
    all.filter_map(|travel| travel.corrupt).any(|chance| chance > 0.0)
}

fn changes_keys(scenario: &Scenario) -> bool {
    scenario.workloads.iter().any(|workload| matches!(workload.kind, WorkloadKind::Keys { .. }))
}

/// What the faults of a scenario have done before it begins.
pub(crate) fn effects(scenario: &Scenario) -> Vec<FaultEffect> {
    let end = nanos(scenario.duration);
    let effect = |(index, fault): (usize, &crate::scenario::Fault)| FaultEffect {
        index,
        kind: fault.kind.name().to_owned(),
        name: fault.name.clone(),
        times: 0,
        at: nanos(fault.at) as f64 / 1e9,
        until: end_of(fault, nanos(fault.at), end).map(|t| t as f64 / 1e9),
        nodes: Vec::new(),
        aimed: 0,
        did: std::collections::BTreeMap::default(),
        may_be_idle: fault.may_be_idle || fault.off,
    };
    scenario.faults.iter().enumerate().map(effect).collect()
}

#[cfg(test)]
mod tests;
