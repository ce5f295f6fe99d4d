//! What applications do: workloads begin, their commands are given, and what comes of them.

use rumormill_core::error::CommandError;
use rumormill_core::id::NodeName;
use rumormill_core::io::{Command, CommandId, Done, EventRequest, Input, KeyAction, QueryId, QueryRequest};
use rumormill_core::keyring::Key;
use rumormill_core::tags::Tags;
use rumormill_core::time::nanos;

use super::World;
use super::stage::{Stage, What};
use crate::draws::order;
use crate::faults::choose;
use crate::invariants::user_events::payload;
use crate::metrics::owed::NodeSet;
use crate::scenario::{Scenario, Selector, Workload, WorkloadKind};
use crate::sightings::Sight;
use crate::truth::node_name;

/// The first number of an application's command; smaller ones are the process's own.
const FIRST_COMMAND: u64 = 16;

/// Members that pass each answer about keys on: with one lost answer in a cluster of hundreds a step would have to be tried again.
const KEY_RELAYS: u8 = 3;

/// What workloads call their user events and their queries.
pub(crate) const EVENT_NAME: &str = "e";
pub(crate) const QUERY_NAME: &str = "q";

/// What a command that is under way belongs to.
#[derive(Clone, Copy, Debug)]
enum Under {
    /// A user event, its serial number.
    Event(u64),
    Query,
    Tags,
    /// A step of a change of keys, by its workload.
    Keys(usize),
}

/// A step of a change of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyStep {
    Install,
    Use,
    Remove,
}

/// A change of keys under way.
#[derive(Clone, Copy, Debug)]
struct Rotation {
    node: u32,
    step: KeyStep,
    began: u64,
}

/// Where one workload stands.
#[derive(Debug, Default)]
pub(super) struct Task {
    times: u32,
    drawn: Option<Vec<u32>>,
    rotation: Option<Rotation>,
    /// How often the cluster's key has been changed by it.
    rotations: u32,
}

/// Everything about applications that a run keeps.
#[derive(Debug, Default)]
pub(super) struct Work {
    keys: Vec<String>,
    tasks: Vec<Task>,
    under: std::collections::HashMap<u64, Under>,
    commands: u64,
    /// Queries that applications are to answer: node, which, bytes.
    pub(super) to_answer: Vec<(u32, QueryId)>,
    /// Bytes of an answer.
    answer: u32,
    /// Commands that have ended: node, number, how.
    pub(super) ended: Vec<(u32, u64, Result<Done, CommandError>)>,
}

impl Work {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let answers = scenario.workloads.iter().filter_map(|workload| match workload.kind {
            WorkloadKind::Query { answer, .. } => Some(answer),
            _ => None,
        });
        Self {
            keys: keys(&scenario.workloads),
            tasks: scenario.workloads.iter().map(|_| Task::default()).collect(),
            answer: answers.max().unwrap_or(0),
            ..Self::default()
        }
    }

    /// Whether no application has anything to do after a step.
    pub(super) const fn is_idle(&self) -> bool {
        self.to_answer.is_empty() && self.ended.is_empty()
    }

    fn command(&mut self, under: Under) -> u64 {
        let id = FIRST_COMMAND + self.commands;
        self.commands += 1;
        self.under.insert(id, under);
        id
    }
}

/// What tells a workload's draws from those of others: its name, or its kind and its place among the unnamed of that kind.
fn keys(workloads: &[Workload]) -> Vec<String> {
    let key = |(index, workload): (usize, &Workload)| {
        if !workload.name.is_empty() {
            return format!("workload {}", workload.name);
        }
        let same = |other: &&Workload| other.name.is_empty() && other.kind.name() == workload.kind.name();
        let place = workloads[..index].iter().filter(same).count();
        format!("workload {} {place}", workload.kind.name())
    };
    workloads.iter().enumerate().map(key).collect()
}

/// The key of this name, and of this generation of it: 0 is what nodes are born with.
pub(super) fn key_named(name: &str, generation: u32) -> Key {
    let digest = xxhash_rust::xxh3::xxh3_128(format!("{name} {generation}").as_bytes()).to_le_bytes();
    Key::new(&[digest, digest].concat()).unwrap_or_else(|_| unreachable!("32 bytes are a key"))
}

impl Stage {
    /// Whom something said at `from` now is owed to: the members of its group that are up, undisturbed and connected to it. Who is still joining
    /// is no member yet.
    fn owed_from(&self, from: u32) -> NodeSet {
        let cuts = self.network.cuts.any();
        let nodes = self.address.len() as u32;
        NodeSet::of(nodes, |node| {
            node != from
                && self.truth.is_up(node)
                && self.joining[node as usize].is_none()
                && !self.truth.is_disturbed(node)
                && self.meter.views.together(from, node)
                && !(cuts && self.network.cuts.apart(from, node))
        })
    }
}

impl World<'_> {
    /// Puts the first begin of every workload into the queue.
    pub(super) fn schedule_workloads(&mut self) {
        for (index, workload) in self.scenario.workloads.iter().enumerate() {
            if !workload.off && workload.at <= self.scenario.duration {
                self.stage.plan(nanos(workload.at), What::Work(index as u32), 0, 0, &[]);
            }
        }
    }

    /// A workload begins, or begins again.
    pub(super) fn begin_work(&mut self, index: usize) {
        let scenario = self.scenario;
        let workload = &scenario.workloads[index];
        let end = nanos(scenario.duration);
        let until = workload.until.map_or(end, nanos).min(end);
        let next = workload.every.map(|every| self.stage.now.saturating_add(nanos(every)));
        if let Some(at) = next.filter(|at| *at < until) {
            self.stage.plan(at, What::Work(index as u32), 0, 0, &[]);
        }
        match &workload.kind {
            WorkloadKind::Event { from, size, burst } => {
                for node in self.workers(index, from) {
                    (0..*burst).for_each(|_| self.send_event(node, *size));
                }
            }
            WorkloadKind::Query { from, to, size, ack, relay_factor, timeout, .. } => {
                let meant = to.as_ref().map(|to| self.meant(index, to));
                for node in self.workers(index, from) {
                    let request = QueryRequest {
                        name: QUERY_NAME.into(),
                        payload: payload(u64::from(node), *size),
                        ack: *ack,
                        relay_factor: *relay_factor,
                        timeout: *timeout,
                        nodes: meant
                            .iter()
                            .flatten()
                            .filter_map(|n| NodeName::new(&node_name(*n)).ok())
                            .collect(),
                        tags: Vec::new(),
                    };
                    self.ask(node, request, meant.as_deref());
                }
            }
            WorkloadKind::Tags { nodes, size } => {
                for node in self.workers(index, nodes) {
                    self.announce(node, index, *size);
                }
            }
            WorkloadKind::Keys { from, .. } => {
                if let Some(node) = self.workers(index, from).first().copied() {
                    self.begin_rotation(index, node);
                }
            }
        }
        self.stage.work.tasks[index].times += 1;
    }

    /// The nodes of a workload that can do it: up, and not standing still. Drawn once, unless anew each time.
    fn workers(&mut self, index: usize, selector: &Selector) -> Vec<u32> {
        let task = &self.stage.work.tasks[index];
        let repick = self.scenario.workloads[index].repick;
        let drawn = match &task.drawn {
            Some(drawn) if !repick => drawn.clone(),
            _ => {
                let repetition = if repick { task.times } else { 0 };
                let order = self.work_order(index, "nodes", repetition);
                choose(selector, &order, &self.scenario.cluster.zones, |n| self.stage.truth.is_up(n))
            }
        };
        self.stage.work.tasks[index].drawn = Some(drawn.clone());
        let able = |n: &u32| {
            self.stage.truth.is_up(*n)
                && self.nodes[*n as usize].is_some()
                && !self.stage.conditions.is_paused(*n)
        };
        drawn.into_iter().filter(able).collect()
    }

    /// The nodes that a query means, by name.
    fn meant(&self, index: usize, selector: &Selector) -> Vec<u32> {
        let order = self.work_order(index, "others", 0);
        choose(selector, &order, &self.scenario.cluster.zones, |_| true)
    }

    fn work_order(&self, index: usize, role: &str, repetition: u32) -> Vec<u32> {
        let key = format!("{} {role} {repetition}", self.stage.work.keys[index]);
        order(self.seed, &key, self.scenario.cluster.nodes)
    }

    fn command(&mut self, node: u32, id: u64, command: Command) {
        self.feed(node, Input::Command { id: CommandId(id), command });
    }

    fn send_event(&mut self, node: u32, size: u32) {
        let serial = self.stage.invariants.user_events.next();
        let payload = payload(serial, size);
        let id = self.stage.work.command(Under::Event(serial));
        // It is owed from this moment on, whatever the node does within the same step.
        let owed = self.stage.owed_from(node);
        let (now, metered) = (self.stage.now, self.stage.meter.metered(self.stage.now));
        self.stage.meter.said.event_sent(serial, owed, now, metered);
        let event = EventRequest { name: EVENT_NAME.into(), payload, coalesce: false };
        self.command(node, id, Command::UserEvent(event));
    }

    fn ask(&mut self, node: u32, request: QueryRequest, meant: Option<&[u32]>) {
        let id = self.stage.work.command(Under::Query);
        let mut owed = self.stage.owed_from(node);
        owed.insert(node);
        if let Some(meant) = meant {
            owed = NodeSet::of(self.scenario.cluster.nodes, |n| meant.contains(&n) && owed.clone().remove(n));
        }
        let (now, metered) = (self.stage.now, self.stage.meter.metered(self.stage.now));
        self.stage.meter.said.asked(id, owed, now, metered);
        self.command(node, id, Command::Query(request));
    }

    fn announce(&mut self, node: u32, index: usize, size: u32) {
        let id = self.stage.work.command(Under::Tags);
        let value = format!("{:0width$}", self.stage.work.tasks[index].times, width = size as usize);
        let tags = Tags::from_iter([("work", value)]);
        let owed = self.stage.owed_from(node);
        let (now, metered) = (self.stage.now, self.stage.meter.metered(self.stage.now));
        self.stage.meter.said.announced(node, tags.to_meta(), owed, now, metered);
        self.command(node, id, Command::SetTags(tags));
    }

    fn begin_rotation(&mut self, index: usize, node: u32) {
        let now = self.stage.now;
        let task = &mut self.stage.work.tasks[index];
        if task.rotation.is_none() {
            task.rotation = Some(Rotation { node, step: KeyStep::Install, began: now });
            task.rotations += 1;
            self.change_keys(index);
        }
    }

    /// Gives the command of a rotation's present step, if its node can; else later.
    pub(super) fn change_keys(&mut self, index: usize) {
        let Some(Rotation { node, step, .. }) = self.stage.work.tasks[index].rotation else { return };
        if !self.stage.truth.is_up(node) || self.stage.conditions.is_paused(node) {
            return self.try_keys_again(index);
        }
        let name = self.scenario.cluster.key.clone().unwrap_or_default();
        let generation = self.stage.work.tasks[index].rotations;
        let (new, old) = (key_named(&name, generation), key_named(&name, generation - 1));
        let action = match step {
            KeyStep::Install => KeyAction::Install(new),
            KeyStep::Use => KeyAction::Use(new),
            KeyStep::Remove => KeyAction::Remove(old),
        };
        let id = self.stage.work.command(Under::Keys(index));
        self.command(node, id, Command::Keys { action, relay_factor: KEY_RELAYS });
    }

    fn try_keys_again(&mut self, index: usize) {
        let WorkloadKind::Keys { retry, .. } = self.scenario.workloads[index].kind else { return };
        let at = self.stage.now.saturating_add(nanos(retry));
        if at < nanos(self.scenario.duration) {
            self.stage.plan(at, What::Rekey(index as u32), 0, 0, &[]);
        }
    }

    fn keys_changed(&mut self, index: usize, done: bool) {
        let now = self.stage.now;
        let Some(rotation) = &mut self.stage.work.tasks[index].rotation else { return };
        if !done {
            return self.try_keys_again(index);
        }
        if let Some(lookout) = &mut self.stage.lookout {
            lookout.saw(match rotation.step {
                KeyStep::Install => Sight::KeyInstalled,
                KeyStep::Use => Sight::KeyUsed,
                KeyStep::Remove => Sight::KeyRemoved,
            });
        }
        rotation.step = match rotation.step {
            KeyStep::Install => KeyStep::Use,
            KeyStep::Use => KeyStep::Remove,
            KeyStep::Remove => {
                let began = rotation.began;
                self.stage.meter.said.rotated(began, now, true);
                self.stage.work.tasks[index].rotation = None;
                return;
            }
        };
        self.change_keys(index);
    }

    /// The measured time is over: rotations that have not ended never will.
    pub(super) fn end_work(&mut self) {
        let now = self.stage.now;
        for task in &mut self.stage.work.tasks {
            if let Some(rotation) = task.rotation.take() {
                self.stage.meter.said.rotated(rotation.began, now, false);
            }
        }
    }

    /// After a step: applications answer queries, and what they wanted has come of it.
    pub(super) fn answer_and_end(&mut self) {
        while let Some((node, query)) = self.stage.work.to_answer.pop() {
            let payload = payload(u64::from(node), self.stage.work.answer);
            let id = self.stage.work.commands + FIRST_COMMAND;
            self.stage.work.commands += 1;
            self.command(node, id, Command::Respond { query, payload });
        }
        while let Some((_, id, result)) = self.stage.work.ended.pop() {
            let metered = self.stage.meter.metered(self.stage.now);
            match self.stage.work.under.remove(&id) {
                Some(Under::Event(serial)) if result.is_err() => {
                    self.stage.meter.said.event_refused(serial, metered);
                }
                Some(Under::Query) => self.stage.meter.said.query_over(id),
                Some(Under::Keys(index)) => self.keys_changed(index, matches!(result, Ok(Done::Keys(_)))),
                Some(Under::Event(_) | Under::Tags) | None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What applications had set about by each second: how often, and who of all.
    fn schedule(scenario: &Scenario, variant: usize) -> Vec<Vec<(u32, Option<Vec<u32>>)>> {
        let mut world = World::new(scenario, &scenario.variants[variant], 1);
        world.schedule_faults();
        world.schedule_workloads();
        world.start();
        let by_second = |second: u64| {
            world.metered(second * 1_000_000_000, &mut |_| {});
            world.stage.work.tasks.iter().map(|task| (task.times, task.drawn.clone())).collect()
        };
        (1..=60).map(by_second).collect()
    }

    #[test]
    fn variants_of_one_seed_have_the_same_workload_and_one_that_is_off_leaves_the_others_alone() {
        let text = |off: bool| {
            format!(
                "name = \"w\"\nduration = \"60s\"\n[cluster]\nnodes = 12\n[network]\nloss = 0.05\n\
                 [[variant]]\nname = \"a\"\n\
                 [[variant]]\nname = \"b\"\nconfig = {{ gossip_nodes = 1, buddy = false, pacing = \"tick\" }}\n\
                 [[fault]]\nat = \"20s\"\nkind = \"crash\"\nnodes = {{ pick = 3 }}\n\
                 [[workload]]\nat = \"1s\"\nkind = \"event\"\nfrom = {{ pick = 2 }}\nevery = \"3s\"\nrepick = true\n\
                 [[workload]]\nat = \"2s\"\nkind = \"query\"\nfrom = {{ pick = 1 }}\nevery = \"5s\"\nrepick = true\noff = {off}\n\
                 [[workload]]\nat = \"5s\"\nkind = \"tags\"\nnodes = {{ pick = 3 }}\nevery = \"7s\"\nrepick = true\n"
            )
        };
        let parse =
            |off| Scenario::parse(&text(off), "w.toml", &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        let scenario = parse(false);
        let whole = schedule(&scenario, 0);
        assert_eq!(whole, schedule(&scenario, 1));
        assert_eq!(whole[59].iter().map(|(times, _)| *times).collect::<Vec<_>>(), [20, 12, 8]);
        let who: std::collections::BTreeSet<_> = whole.iter().map(|second| &second[0].1).collect();
        assert!(who.len() > 5, "others each time: {who:?}");
        let without = schedule(&parse(true), 0);
        for (all, some) in whole.iter().zip(&without) {
            assert_eq!((&all[0], &all[2]), (&some[0], &some[2]));
            assert_eq!(some[1], (0, None));
        }
    }
}
