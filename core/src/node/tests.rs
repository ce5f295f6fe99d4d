//! Stories of a few nodes in memory, named by the rule they pin.

use super::*;
use crate::error::CommandError;
use crate::io::{Command, CommandId, Done, Event, Input, Output, StreamAction, StreamId, StreamInput};
use crate::step;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);

/// A few nodes, a network without latency, and a clock. Verbs: `cut`, `run`, `command`, `kill`.
struct Net {
    nodes: Vec<Option<Node>>,
    now: Instant,
    outbox: Outbox,
    /// Datagrams and streams between these do not get through.
    cut_packets: Vec<(usize, usize)>,
    cut_streams: Vec<(usize, usize)>,
    /// What is under way: to which node, and what.
    wires: VecDeque<(usize, Delivery)>,
    /// The other end of each stream.
    ends: BTreeMap<(usize, StreamId), (usize, StreamId)>,
    minted: u32,
    events: Vec<Vec<String>>,
    completed: Vec<(CommandId, Result<Done, CommandError>)>,
    packets: u64,
    /// Whether each step gets an outbox that was never used before.
    clean_outbox: bool,
    /// Every output, in order.
    trace: Vec<String>,
}

enum Delivery {
    Packet(SocketAddr, Vec<u8>),
    Opened(StreamId, SocketAddr),
    Frame(StreamId, Vec<u8>),
    Failed(StreamId),
}

fn addr(i: usize) -> SocketAddr {
    ([10, 0, 0, i as u8], 7946).into()
}

fn name(i: usize) -> String {
    format!("n{i}")
}

fn known(n: usize) -> Vec<(SharedIdentity, Incarnation)> {
    (0..n)
        .map(|i| {
            let identity = Identity {
                name: NodeName::new(&name(i)).unwrap(),
                addr: addr(i),
                meta: [].into(),
                versions: crate::id::Versions::CURRENT,
            };
            (Arc::new(identity), Incarnation(1))
        })
        .collect()
}

fn born(i: usize, config: &Config, members: &[(SharedIdentity, Incarnation)], now: Instant) -> Node {
    let name = NodeName::new(&name(i)).unwrap();
    let seed = Seed::simulated(9, i as u64, 0);
    let roster = Arc::new(Roster::new(members.iter().cloned(), &seed));
    let restore = Restore { incarnation: Incarnation(0), roster };
    Node::new(config.clone(), Birth { name, addr: addr(i), tags: &Tags::new(), seed, restore }, now).unwrap()
}

impl Net {
    /// `n` nodes that know each other.
    fn converged(n: usize, config: &Config) -> Self {
        let members = known(n);
        Self::of((0..n).map(|i| Some(born(i, config, &members, Instant::ORIGIN))).collect())
    }

    /// `n` nodes that know nobody.
    fn strangers(n: usize, config: &Config) -> Self {
        Self::of((0..n).map(|i| Some(born(i, config, &[], Instant::ORIGIN))).collect())
    }

    fn of(nodes: Vec<Option<Node>>) -> Self {
        let events = nodes.iter().map(|_| Vec::new()).collect();
        Self {
            nodes,
            now: Instant::ORIGIN,
            outbox: Outbox::new(),
            cut_packets: Vec::new(),
            cut_streams: Vec::new(),
            wires: VecDeque::new(),
            ends: BTreeMap::new(),
            minted: 0,
            events,
            completed: Vec::new(),
            packets: 0,
            clean_outbox: false,
            trace: Vec::new(),
        }
    }

    fn node(&self, i: usize) -> &Node {
        self.nodes[i].as_ref().unwrap()
    }

    fn state(&self, at: usize, of: usize) -> Option<State> {
        self.node(at).member(&name(of)).map(|view| view.state)
    }

    fn cut(&mut self, a: usize, b: usize) {
        for pair in [(a, b), (b, a)] {
            self.cut_packets.push(pair);
            self.cut_streams.push(pair);
        }
    }

    fn kill(&mut self, i: usize) {
        self.nodes[i] = None;
    }

    fn command(&mut self, i: usize, id: u64, command: Command) {
        self.step(i, Input::Command { id: CommandId(id), command });
        self.deliver();
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = (0..self.nodes.len())
                .filter_map(|i| Some((self.nodes[i].as_ref()?.deadline()?.0, i)))
                .min()
                .filter(|(at, _)| *at <= end);
            let Some((at, i)) = due else { break };
            self.now = at.max(self.now);
            self.step(i, Input::Tick);
            let deadline = self.node(i).deadline();
            assert!(
                deadline.is_none_or(|(at, _)| at > self.now),
                "{deadline:?} is not after a tick at {:?}",
                self.now
            );
            self.deliver();
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        while let Some((to, delivery)) = self.wires.pop_front() {
            if self.nodes[to].is_none() {
                continue;
            }
            match delivery {
                Delivery::Packet(from, bytes) => self.step(to, Input::Packet { from, bytes: &bytes }),
                Delivery::Opened(id, peer) => {
                    self.step(to, Input::Stream { id, input: StreamInput::Opened { peer } });
                }
                Delivery::Frame(id, bytes) => {
                    self.step(to, Input::Stream { id, input: StreamInput::Frame(&bytes) });
                }
                Delivery::Failed(id) => {
                    let input = StreamInput::Failed(crate::error::StreamFailure::Refused);
                    self.step(to, Input::Stream { id, input });
                }
            }
        }
    }

    fn step(&mut self, i: usize, input: Input<'_>) {
        let node = self.nodes[i].as_mut().unwrap();
        let budget = usize::from(node.config.packet_bytes_max);
        if self.clean_outbox {
            self.outbox = Outbox::new();
        }
        for output in step(node, input, self.now, &mut self.outbox) {
            self.trace.push(format!("{i} {output:?}"));
            match output {
                Output::Packet { to, bytes, .. } => {
                    assert!(bytes.len() <= budget, "a packet of {} bytes", bytes.len());
                    self.packets += 1;
                    let to = (0..self.events.len()).find(|&j| addr(j) == to);
                    if let Some(to) = to.filter(|&to| !self.cut_packets.contains(&(i, to))) {
                        self.wires.push_back((to, Delivery::Packet(addr(i), bytes.to_vec())));
                    }
                }
                Output::Stream { id, action: StreamAction::Open { to, .. } } => {
                    let to = (0..self.events.len()).find(|&j| addr(j) == to).unwrap();
                    if self.nodes.len() <= to || self.cut_streams.contains(&(i, to)) {
                        self.wires.push_back((i, Delivery::Failed(id)));
                        continue;
                    }
                    self.minted += 1;
                    let theirs = StreamId::Theirs(self.minted);
                    self.ends.insert((i, id), (to, theirs));
                    self.ends.insert((to, theirs), (i, id));
                    self.wires.push_back((to, Delivery::Opened(theirs, addr(i))));
                    self.wires.push_back((i, Delivery::Opened(id, addr(to))));
                }
                Output::Stream { id, action: StreamAction::Frame { bytes, .. } } => {
                    let (to, end) = self.ends[&(i, id)];
                    self.wires.push_back((to, Delivery::Frame(end, bytes.to_vec())));
                }
                Output::Stream { action: StreamAction::Close, .. } | Output::Note(_) => {}
                Output::Event(event) => self.events[i].push(told(event)),
                Output::Completed { id, result } => self.completed.push((id, result)),
            }
        }
    }
}

fn told(event: Event<'_>) -> String {
    match event {
        Event::Join { member, .. } => format!("join {}", member.name),
        Event::Leave { member } => format!("leave {}", member.name),
        Event::Failed { member, .. } => format!("failed {}", member.name),
        Event::Update { member } => format!("update {}", member.name),
        Event::Reap { member } => format!("reap {}", member.name),
        Event::Conflict { member, .. } => format!("conflict {}", member.name),
    }
}

fn lan() -> Config {
    Config::lan()
}

#[test]
fn an_idle_cluster_probes_once_a_second_and_says_nothing_else() {
    let mut net = Net::converged(5, &lan());
    net.run(20 * SECOND);
    assert_eq!(net.packets, 5 * 20 * 2, "a ping and an ack for each node and second");
    assert!(net.events.iter().all(Vec::is_empty));
}

#[test]
fn a_join_makes_strangers_known_to_everybody() {
    let mut net = Net::strangers(4, &lan());
    for i in 1..4 {
        net.command(i, i as u64, Command::Join { addresses: vec![addr(0)] });
    }
    net.run(2 * SECOND);
    for i in 0..4 {
        assert_eq!(net.node(i).others_up(), 3, "node {i}");
    }
    assert!(net.completed.iter().all(|(_, result)| *result == Ok(Done::Joined { reached: 1, failed: 0 })));
    assert_eq!(net.events[0], ["join n1", "join n2", "join n3"]);
}

#[test]
fn a_join_that_nobody_answers_says_why() {
    let mut net = Net::strangers(2, &lan());
    net.cut(0, 1);
    net.command(1, 7, Command::Join { addresses: vec![addr(0)] });
    let (id, result) = net.completed.pop().unwrap();
    assert_eq!(id, CommandId(7));
    let error = result.unwrap_err().to_string();
    assert_eq!(error, "none of 1 addresses could be joined; the last, 10.0.0.0:7946: connection refused");
    net.command(1, 8, Command::Join { addresses: vec![] });
    assert_eq!(net.completed.pop(), Some((CommandId(8), Err(CommandError::NoAddress))));
}

#[test]
fn labels_keep_clusters_apart_and_it_is_counted() {
    let red = Config { label: "red".into(), ..lan() };
    let mut net =
        Net::of(vec![Some(born(0, &lan(), &[], Instant::ORIGIN)), Some(born(1, &red, &[], Instant::ORIGIN))]);
    net.command(1, 1, Command::Join { addresses: vec![addr(0)] });
    net.run(30 * SECOND);
    assert_eq!((net.node(0).others_up(), net.node(1).others_up()), (0, 0));
    assert_eq!(net.node(0).counters().rejected_label, 1);
    assert!(matches!(net.completed[0].1, Err(CommandError::NotJoined { .. })));
}

#[test]
fn incompatible_versions_are_refused_before_anything_is_merged() {
    let mut future = lan();
    (future.versions.app_min, future.versions.app_max, future.versions.app) = (6, 9, 9);
    let mut net = Net::of(vec![
        Some(born(0, &lan(), &[], Instant::ORIGIN)),
        Some(born(1, &future, &[], Instant::ORIGIN)),
    ]);
    net.command(1, 1, Command::Join { addresses: vec![addr(0)] });
    assert_eq!((net.node(0).others_up(), net.node(1).others_up()), (0, 0));
    let error = net.completed[0].1.clone().unwrap_err().to_string();
    assert!(error.contains("the peer refused: application versions 5 to 9"), "{error}");
}

#[test]
fn a_dead_member_is_suspected_then_failed_everywhere_then_forgotten_then_reaped() {
    let config = Config { reconnect_timeout: 60 * SECOND, ..lan() };
    let mut net = Net::converged(8, &config);
    net.kill(3);
    net.run(3 * SECOND);
    assert_eq!(net.state(0, 3), Some(State::Suspect));
    net.run(27 * SECOND);
    for i in [0, 1, 2, 4, 5, 6, 7] {
        assert_eq!(net.events[i], ["failed n3"], "node {i}");
    }
    assert_eq!(net.node(0).estimated_size(), 8, "recently dead members count in n");
    net.run(35 * SECOND);
    assert_eq!(net.state(0, 3), Some(State::Forgotten));
    assert_eq!(net.node(0).estimated_size(), 7);
    assert_eq!(net.node(0).member("n3").unwrap().status, Status::Failed);
    net.run(60 * SECOND);
    assert_eq!(net.events[0], ["failed n3", "reap n3"]);
    assert!(net.node(0).member("n3").is_none());
}

#[test]
fn without_suspicion_a_failed_probe_declares_at_once() {
    let mut net = Net::converged(8, &Config { suspicion: false, ..lan() });
    net.kill(3);
    net.run(4 * SECOND);
    assert_eq!(net.events[0], ["failed n3"]);
}

#[test]
fn helpers_save_a_member_that_one_prober_cannot_reach() {
    let mut net = Net::converged(6, &Config { stream_probe: false, ..lan() });
    net.cut(0, 1);
    net.run(60 * SECOND);
    assert!(net.events.iter().all(Vec::is_empty), "{:?}", net.events);
    assert!(net.node(0).counters().probes_failed == 0);
    let relays: u64 = (2..6).map(|i| net.node(i).counters().relays).sum();
    assert!(relays > 0);
}

#[test]
fn the_stream_saves_a_member_whose_datagrams_are_lost() {
    let mut net = Net::converged(2, &lan());
    net.cut(0, 1);
    net.cut_streams.clear();
    net.run(60 * SECOND);
    assert!(net.events.iter().all(Vec::is_empty), "{:?}", net.events);
    assert!(net.node(0).counters().probes_saved_by_stream > 30);
}

#[test]
fn with_streams_cut_too_it_is_suspected_and_fails() {
    let mut net = Net::converged(2, &Config { reconnect: false, ..lan() });
    net.cut(0, 1);
    net.run(60 * SECOND);
    assert_eq!(net.events, [["failed n1"], ["failed n0"]]);
}

#[test]
fn an_accusation_is_refuted_with_a_higher_incarnation() {
    let mut net = Net::converged(6, &Config { suspicion_mult: 10, ..lan() });
    // n1 hears nobody but is heard by nobody either for a while: long enough to be suspected, not to fail.
    for i in [0, 2, 3, 4, 5] {
        net.cut(1, i);
    }
    net.run(4 * SECOND);
    assert_eq!(net.state(0, 1), Some(State::Suspect));
    net.cut_packets.clear();
    net.cut_streams.clear();
    net.run(10 * SECOND);
    for i in 0..6 {
        let view = net.node(i).member("n1").unwrap();
        assert_eq!((view.state, view.incarnation), (State::Alive, net.node(1).incarnation()), "node {i}");
    }
    assert!(net.node(1).incarnation() > Incarnation(1));
    assert!(net.node(1).counters().refutations > 0);
    assert!(net.events[0].is_empty());
}

#[test]
fn a_lonely_prober_blames_itself_when_helpers_are_silent() {
    let mut net = Net::converged(6, &lan());
    for i in 0..5 {
        net.cut(5, i);
    }
    net.run(4 * SECOND);
    assert!(net.node(5).health() > 0);
    assert_eq!(net.node(0).health(), 0, "helpers' nacks clear the others of blame");
    net.cut_packets.clear();
    net.cut_streams.clear();
    net.run(30 * SECOND);
    assert_eq!(net.node(5).health(), 0, "successful probes heal");
}

#[test]
fn a_healed_partition_closes_by_reconnecting() {
    let mut net = Net::converged(6, &lan());
    for a in 0..3 {
        for b in 3..6 {
            net.cut(a, b);
        }
    }
    net.run(120 * SECOND);
    assert_eq!(net.node(0).others_up(), 2);
    assert_eq!(net.state(0, 4), Some(State::Forgotten));
    net.cut_packets.clear();
    net.cut_streams.clear();
    net.run(240 * SECOND);
    for i in 0..6 {
        assert_eq!(net.node(i).others_up(), 5, "node {i}");
    }
}

#[test]
fn without_reconnect_the_halves_stay_apart() {
    let mut net = Net::converged(4, &Config { reconnect: false, ..lan() });
    for (a, b) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
        net.cut(a, b);
    }
    net.run(120 * SECOND);
    net.cut_packets.clear();
    net.cut_streams.clear();
    net.run(240 * SECOND);
    assert_eq!(net.node(0).others_up(), 1);
}

#[test]
fn a_leave_is_told_and_is_no_failure() {
    let mut net = Net::converged(6, &lan());
    net.command(2, 1, Command::Leave);
    net.run(7 * SECOND);
    assert_eq!(net.completed, [(CommandId(1), Ok(Done::Left))]);
    net.kill(2);
    net.run(60 * SECOND);
    for i in [0, 1, 3, 4, 5] {
        assert_eq!(net.events[i], ["leave n2"], "node {i}");
        assert_eq!(net.node(i).member("n2").unwrap().status, Status::Left);
    }
}

#[test]
fn a_lonely_leave_is_done_at_once_and_nothing_more_is_taken() {
    let mut net = Net::strangers(1, &lan());
    net.command(0, 1, Command::Leave);
    net.command(0, 2, Command::Leave);
    assert_eq!(net.completed, [(CommandId(1), Ok(Done::Left)), (CommandId(2), Err(CommandError::Leaving))]);
}

#[test]
fn new_tags_reach_everybody_and_too_many_are_refused() {
    let mut net = Net::converged(6, &lan());
    net.command(1, 1, Command::SetTags(Tags::from_iter([("role", "web")])));
    net.run(5 * SECOND);
    assert_eq!(net.completed, [(CommandId(1), Ok(Done::TagsSent))]);
    for i in [0, 2, 3, 4, 5] {
        assert_eq!(net.events[i], ["update n1"], "node {i}");
        let meta = &net.node(i).member("n1").unwrap().identity.meta;
        assert_eq!(Tags::from_meta(meta).unwrap().get("role"), Some("web"));
    }
    let long = "x".repeat(600);
    net.command(1, 2, Command::SetTags(Tags::from_iter([("k", long)])));
    let error = net.completed.pop().unwrap().1.unwrap_err().to_string();
    assert_eq!(error, "tags take 606 bytes encoded, but may take at most 512");
}

#[test]
fn a_restarted_node_outbids_its_earlier_life() {
    let mut net = Net::converged(4, &lan());
    net.kill(1);
    net.run(30 * SECOND);
    assert_eq!(net.state(0, 1), Some(State::Dead));
    net.nodes[1] = Some(born(1, &lan(), &[], net.now));
    net.command(1, 1, Command::Join { addresses: vec![addr(0)] });
    net.run(5 * SECOND);
    for i in [0, 2, 3] {
        assert_eq!(net.state(i, 1), Some(State::Alive), "node {i}");
        assert_eq!(net.events[i], ["failed n1", "join n1"]);
    }
    assert_eq!(net.node(1).incarnation(), Incarnation(2));
}

#[test]
fn a_name_in_use_cannot_be_taken_by_another_address() {
    let mut net = Net::converged(3, &lan());
    let thief = Birth {
        name: NodeName::new("n1").unwrap(),
        addr: addr(3),
        tags: &Tags::new(),
        seed: Seed::simulated(9, 77, 0),
        restore: Restore::default(),
    };
    let thief = Node::new(lan(), thief, Instant::ORIGIN).unwrap();
    net.nodes.push(Some(thief));
    net.events.push(Vec::new());
    net.command(3, 1, Command::Join { addresses: vec![addr(0)] });
    assert!(net.events[0].contains(&"conflict n1".into()));
    assert_eq!(net.node(0).member("n1").unwrap().identity.addr, addr(1));
    assert!(net.node(0).counters().conflicts > 0);
}

#[test]
fn what_an_outbox_held_before_changes_nothing() {
    let story = |clean_outbox| {
        let mut net = Net::converged(6, &Config { notes: true, ..lan() });
        net.clean_outbox = clean_outbox;
        net.kill(3);
        net.command(1, 1, Command::SetTags(Tags::from_iter([("role", "web")])));
        net.run(60 * SECOND);
        net.trace
    };
    let trace = story(true);
    assert!(trace.iter().any(|line| line.contains("Failed")));
    assert_eq!(trace, story(false));
}

#[test]
fn notes_change_no_behaviour() {
    let story = |notes| {
        let mut net = Net::converged(6, &Config { notes, ..lan() });
        net.kill(3);
        net.run(60 * SECOND);
        net.trace.retain(|line| !line.contains(" Note("));
        net.trace
    };
    assert_eq!(story(true), story(false));
}

#[test]
fn time_that_goes_back_is_clamped_and_counted() {
    let mut net = Net::converged(2, &lan());
    net.run(5 * SECOND);
    net.now = Instant::ORIGIN;
    net.step(0, Input::Tick);
    assert_eq!(net.node(0).counters().clock_went_back, 1);
}

#[test]
fn bad_births_name_what_is_wrong() {
    let tags = Tags::new();
    let birth = |addr: &str| Birth {
        name: NodeName::new("a").unwrap(),
        addr: addr.parse().unwrap(),
        tags: &tags,
        seed: Seed::simulated(1, 1, 1),
        restore: Restore::default(),
    };
    let error = Node::new(lan(), birth("0.0.0.0:1"), Instant::ORIGIN).unwrap_err();
    assert!(error.to_string().contains("0.0.0.0:1"));
    let config = Config { probe_timeout: 2 * SECOND, ..lan() };
    let error = Node::new(config, birth("10.0.0.1:1"), Instant::ORIGIN).unwrap_err().to_string();
    assert!(error.starts_with("probe_timeout is 2s, but must be less than probe_interval (1s)"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(48))]

    /// Whatever is set: either birth names the setting that is out of bounds, or the cluster lives and buries its dead.
    #[test]
    fn a_config_is_refused_by_name_or_works(
        interval in 0u64..2_000,
        timeout in 0u64..1_000,
        checks in 0u8..40,
        gossip_nodes in 0u8..8,
        mults in (0u32..4, 0u32..4),
        switches in proptest::array::uniform6(proptest::bool::ANY),
        updates in 0u8..4,
    ) {
        let [suspicion, awareness, nacks, buddy, stream_probe, awareness_scales_timeout] = switches;
        let config = Config {
            probe_interval: Duration::from_millis(interval),
            probe_timeout: Duration::from_millis(timeout),
            indirect_checks: checks,
            gossip_nodes,
            suspicion_mult: mults.0,
            suspicion_max_mult: mults.1,
            suspicion,
            awareness,
            nacks,
            buddy,
            stream_probe,
            awareness_scales_timeout,
            packet_updates_max: updates,
            ..lan()
        };
        if let Err(error) = config.check() {
            let fields = ["probe_interval", "probe_timeout", "indirect_checks", "suspicion_mult", "suspicion_max_mult"];
            proptest::prop_assert!(fields.contains(&error.field), "{error}");
            return Ok(());
        }
        let mut net = Net::converged(4, &config);
        net.kill(3);
        // Probe wait of two rounds, a probe and the longest suspicion, all stretched by the worst health.
        net.run(8 * (8 + 3 * 4) * config.probe_interval + SECOND);
        for i in 0..3 {
            proptest::prop_assert_eq!(net.node(i).others_up(), 2, "node {}", i);
        }
    }
}
