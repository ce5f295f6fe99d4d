//! Queries: asked of everybody or of some, acknowledged, answered, relayed; bounded wherever they come from.

use super::cluster::Cluster;
use super::{JUST, SECOND, addr, born, known, lan, ms, name, told};
use crate::config::{AntiEntropy, Config};
use crate::error::CommandError;
use crate::id::{Identity, LamportTime, NodeName, Versions};
use crate::io::{
    Command, CommandId, Done, Event, Input, Outbox, Output, QueryId, QueryRequest, QueryTally, TagFilter,
};
use crate::node::{Birth, Node, Restore};
use crate::rng::Seed;
use crate::tags::Tags;
use crate::time::Instant;
use crate::wire::{Clocks, FilterList, Filters, Message, Query, Relay, Response, ResponseKind, Wire};
use crate::{keyring::Keyring, step};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

fn quiet() -> Config {
    Config { anti_entropy: AntiEntropy::Off, ..lan() }
}

fn load() -> QueryRequest {
    QueryRequest { name: "load".into(), payload: b"now?"[..].into(), ..QueryRequest::default() }
}

fn nodes(which: &[usize]) -> Vec<NodeName> {
    which.iter().map(|i| NodeName::new(&name(*i)).unwrap()).collect()
}

fn respond(query: QueryId, bytes: usize) -> Command {
    Command::Respond { query, payload: vec![7; bytes].into() }
}

/// Lets every node that was asked and has not answered do so.
fn all_answer(net: &mut Cluster) {
    for (node, query) in core::mem::take(&mut net.queries) {
        net.command(node, 1000 + node as u64, respond(query, 3));
    }
}

/// How often a node was told so.
fn count(net: &Cluster, node: usize, what: &str) -> usize {
    net.events[node].iter().filter(|told| told.starts_with(what)).count()
}

fn over(acks: u32, responses: u32, complete: bool) -> Result<Done, CommandError> {
    Ok(Done::QueryOver(QueryTally { acks, responses, complete }))
}

fn result(net: &Cluster, id: u64) -> Option<&Result<Done, CommandError>> {
    net.completed.iter().find(|(done, _)| *done == CommandId(id)).map(|(_, result)| result)
}

/// serf 96: two nodes, acks wanted; both ack, both may answer, and all having come ends it (serf: 3.2 s; Q29).
#[test]
fn a_query_is_acknowledged_and_answered_by_everybody_and_ends_when_all_have() {
    let mut net = Cluster::converged(2, &quiet());
    net.command(0, 1, Command::Query(QueryRequest { ack: true, ..load() }));
    assert_eq!(net.events[0], ["ack of n0", "query load of n0"]);
    net.run(ms(500));
    assert_eq!((count(&net, 0, "ack"), count(&net, 1, "query load of n0")), (2, 1));
    let query = net.queries[1].1;
    net.command(1, 2, respond(query, 5));
    assert_eq!(result(&net, 2), Some(&Ok(Done::Responded)));
    assert_eq!((count(&net, 0, "answer of n1"), result(&net, 1)), (1, None));
    net.command(1, 3, respond(query, 5));
    assert_eq!(result(&net, 3), Some(&Err(CommandError::NoSuchQuery)), "answered once");
    net.command(0, 4, respond(query, 5));
    assert_eq!((count(&net, 0, "answer"), result(&net, 1)), (2, Some(&over(2, 2, true))));
}

/// serf 96, where one of two does not answer.
#[test]
fn a_query_that_somebody_does_not_answer_ends_at_its_deadline_incomplete() {
    let mut net = Cluster::converged(2, &quiet());
    net.command(0, 1, Command::Query(QueryRequest { ack: true, ..load() }));
    net.run(ms(500));
    let query = net.queries[1].1;
    net.command(1, 2, respond(query, 5));
    net.run(ms(2700) - JUST);
    assert_eq!(result(&net, 1), None);
    net.run(JUST);
    assert_eq!(result(&net, 1), Some(&over(2, 1, false)));
    net.command(0, 3, respond(query, 5));
    assert_eq!(result(&net, 3), Some(&Err(CommandError::NoSuchQuery)), "the deadline has passed");
}

/// Beyond Serf: who will not answer says so, and nobody is waited for.
#[test]
fn a_query_ends_when_all_have_answered_or_declined() {
    let mut net = Cluster::converged(3, &quiet());
    net.command(0, 1, Command::Query(QueryRequest { ack: true, ..load() }));
    net.run(ms(500));
    let query = net.queries[1].1;
    net.command(0, 2, Command::Decline { query });
    net.command(1, 3, respond(query, 5));
    assert_eq!((result(&net, 2), result(&net, 1)), (Some(&Ok(Done::Responded)), None), "one is missing");
    net.command(2, 4, Command::Decline { query });
    assert_eq!(result(&net, 1), Some(&over(3, 1, true)));
    assert_eq!(count(&net, 0, "answer"), 1, "who declines has said nothing");
    for (id, command) in [(5, Command::Decline { query }), (6, respond(query, 5))] {
        net.command(2, id, command);
        assert_eq!(result(&net, id), Some(&Err(CommandError::NoSuchQuery)), "its word stands");
    }
}

#[test]
fn a_lone_node_answers_itself_at_once_and_nobody_asked_ends_at_once() {
    let mut net = Cluster::strangers(1, &quiet());
    net.command(0, 1, Command::Query(QueryRequest { ack: true, ..load() }));
    all_answer(&mut net);
    assert_eq!(result(&net, 1), Some(&over(1, 1, true)));
    net.command(0, 2, Command::Query(QueryRequest { nodes: nodes(&[5]), ..load() }));
    assert_eq!(result(&net, 2), Some(&over(0, 0, true)));
    assert_eq!((net.node(0).queue_depth(), net.node(0).deadline()), (0, None));
}

#[test]
fn the_default_time_out_is_serfs() {
    for (n, lan_ms, wan_ms) in [(1, 3200, 8000), (9, 3200, 8000), (10, 6400, 16_000), (100, 9600, 24_000)] {
        for (config, expected) in [(Config::lan(), lan_ms), (Config::wan(), wan_ms)] {
            let mut desk = Desk::new(n, &config);
            let heard = desk.command(Command::Query(load()));
            assert_eq!(desk.deadline_of(&heard), Instant::ORIGIN + ms(expected), "{n} members");
        }
    }
    let mut desk = Desk::new(3, &lan());
    for (timeout, expected) in
        [(ms(77), ms(77)), (Duration::from_nanos(1), ms(1)), (SECOND * 9999, SECOND * 3600)]
    {
        let heard = desk.command(Command::Query(QueryRequest { timeout: Some(timeout), ..load() }));
        assert_eq!(desk.deadline_of(&heard), Instant::ORIGIN + expected);
    }
}

/// serf 97.
#[test]
fn named_nodes_alone_are_asked_and_relays_give_no_answer_twice() {
    let mut net = Cluster::converged(3, &quiet());
    let request = QueryRequest { ack: true, relay_factor: 1, nodes: nodes(&[1]), ..load() };
    net.command(0, 1, Command::Query(request));
    net.run(SECOND);
    assert_eq!([0, 1, 2].map(|i| count(&net, i, "query")), [0, 1, 0]);
    all_answer(&mut net);
    assert_eq!((count(&net, 0, "ack"), count(&net, 0, "answer")), (1, 1));
    assert_eq!(result(&net, 1), Some(&over(1, 1, true)));
    assert_eq!(net.node(0).counters().answers_refused, 2, "one ack and one answer came again by the relay");
}

/// Nodes whose tag `role` is `web` or `db`, in turn.
fn tagged(n: usize, config: &Config) -> Cluster {
    let role = |i: usize| Tags::from_iter([("role", if i.is_multiple_of(2) { "web" } else { "db" })]);
    let member = |i: usize| Identity {
        name: NodeName::new(&name(i)).unwrap(),
        addr: addr(i),
        meta: role(i).to_meta().into(),
        versions: Versions::CURRENT,
    };
    let all: Vec<_> = (0..n).map(|i| (Arc::new(member(i)), crate::id::Incarnation(1))).collect();
    let one = |i: usize| {
        let (seed, tags) = (Seed::simulated(9, i as u64, 0), role(i));
        let roster = Arc::new(crate::Roster::new(all.iter().cloned(), &seed));
        let restore = Restore { roster, ..Restore::default() };
        let name = NodeName::new(&name(i)).unwrap();
        let birth = Birth { name, addr: addr(i), tags: &tags, seed, keyring: Keyring::empty(), restore };
        Some(Node::new(config.clone(), birth, Instant::ORIGIN).unwrap())
    };
    Cluster::of((0..n).map(one).collect())
}

fn where_tag(tag: &str, expression: &str) -> Vec<TagFilter> {
    vec![TagFilter { tag: tag.into(), expression: expression.into() }]
}

#[test]
fn a_tag_filter_asks_those_it_matches_and_the_asker_knows_whom_to_wait_for() {
    let mut net = tagged(6, &quiet());
    net.command(1, 1, Command::Query(QueryRequest { tags: where_tag("role", "^we"), ..load() }));
    net.run(SECOND);
    assert_eq!([0, 1, 2, 3, 4, 5].map(|i| count(&net, i, "query")), [1, 0, 1, 0, 1, 0]);
    all_answer(&mut net);
    assert_eq!(result(&net, 1), Some(&over(0, 3, true)));
    net.command(1, 2, Command::Query(QueryRequest { tags: where_tag("role", "^db$"), ..load() }));
    net.run(SECOND);
    assert_eq!([0, 1, 2, 3, 4, 5].map(|i| count(&net, i, "query")), [1; 6]);
}

#[test]
fn a_query_is_passed_on_by_those_it_is_not_for() {
    let mut net = Cluster::converged(3, &quiet());
    net.cut(0, 2);
    net.command(0, 1, Command::Query(QueryRequest { nodes: nodes(&[2]), ..load() }));
    net.run(SECOND);
    assert_eq!([0, 1, 2].map(|i| count(&net, i, "query")), [0, 0, 1]);
}

#[test]
fn a_ping_of_the_application_is_acknowledged_by_all_and_delivered_to_none() {
    let mut net = Cluster::converged(3, &quiet());
    let ping = QueryRequest { name: "_rumor_ping".into(), ack: true, ..QueryRequest::default() };
    net.command(0, 1, Command::Query(ping));
    net.run(SECOND);
    assert_eq!([0, 1, 2].map(|i| count(&net, i, "query")), [0; 3]);
    assert_eq!(count(&net, 0, "ack"), 3);
}

#[test]
fn what_cannot_be_asked_is_refused_at_once_with_the_reason() {
    let mut net = Cluster::converged(2, &quiet());
    let reserved = QueryRequest { name: "_rumor_list-keys".into(), ..QueryRequest::default() };
    let unclosed = QueryRequest { tags: where_tag("role", "("), ..load() };
    let many = QueryRequest { tags: vec![where_tag("role", "x").remove(0); 17], ..load() };
    for (id, request) in (1..).zip([reserved, unclosed, many]) {
        net.command(0, id, Command::Query(request));
    }
    let errors: Vec<String> =
        net.completed.iter().map(|(_, r)| r.as_ref().unwrap_err().to_string()).collect();
    assert_eq!(
        errors,
        [
            "names that begin with _rumor_ are reserved",
            "the filter on tag role is no usable expression: unclosed group",
            "the filter on tag role is no usable expression: a query has at most 16 filters",
        ]
    );
    assert_eq!(net.node(0).clocks().query, LamportTime(1));
}

/// serf 99: the encoded length decides, to the byte; a larger limit takes more.
#[test]
fn the_size_limit_of_a_query_is_counted_in_serfs_encoding() {
    let refused = |limit: u16, payload: usize| {
        let mut desk = Desk::new(2, &Config { query_bytes_max: limit, ..quiet() });
        let request = QueryRequest { payload: vec![0; payload].into(), timeout: Some(SECOND), ..load() };
        desk.command(Command::Query(request)).into_iter().find_map(|said| match said {
            Said::Completed(Err(error)) => Some(error.to_string()),
            _ => None,
        })
    };
    // type, map, keys; IPv4, no filter, flags, id (5), time, "load", length (3), port (3), relay, "n0", 1 s (5)
    let rest = 2 + (66 + 11) + 5 + 1 + 1 + 5 + 1 + 5 + 3 + 3 + 1 + 3 + 5;
    assert_eq!(refused(1024, 1024 - rest), None);
    let text = "the query takes 1025 bytes encoded, but may take at most 1024";
    assert_eq!(refused(1024, 1025 - rest).as_deref(), Some(text));
    assert_eq!(refused(1300, 1025 - rest), None);
}

#[test]
fn the_size_limit_of_an_answer_counts_the_relays_header_where_there_are_relays() {
    for (n, relay_factor, header) in [(2, 0, 0), (2, 3, 0), (4, 3, 46)] {
        let mut net = Cluster::converged(n, &quiet());
        let timeout = Some(SECOND * 10);
        net.command(0, 1, Command::Query(QueryRequest { relay_factor, timeout, ..load() }));
        net.run(SECOND);
        let query = net.queries.iter().find(|(node, _)| *node == 1).unwrap().1;
        let rest = 2 + 6 + 1 + 5 + 3 + 3 + 5 + 6 + 1 + 8 + 3 + header;
        net.command(1, 2, respond(query, 1025 - rest));
        let text = "the response takes 1025 bytes encoded, but may take at most 1024";
        assert_eq!(result(&net, 2).unwrap().as_ref().unwrap_err().to_string(), text);
        net.command(1, 3, respond(query, 1024 - rest));
        assert_eq!(result(&net, 3), Some(&Ok(Done::Responded)), "and it may be tried again, shorter");
        assert_eq!(count(&net, 0, "answer of n1"), 1);
    }
}

#[test]
fn relays_help_where_datagrams_are_lost() {
    let answers = |relay_factor: u8| {
        let mut answers = 0;
        for run in 0..20 {
            let mut net = Cluster::seeded(run, 12, &quiet());
            net.command(0, 1, Command::Query(QueryRequest { relay_factor, ..load() }));
            net.run(ms(1500));
            assert_eq!((0..12).map(|i| count(&net, i, "query")).sum::<usize>(), 12);
            net.loss = 500;
            all_answer(&mut net);
            answers += count(&net, 0, "answer");
        }
        answers
    };
    // Of 11 answers in each of 20 runs half arrive; with three relays 1 - (1/2) * (3/4)^3 = 0.79 do.
    let (alone, relayed) = (answers(0) - 20, answers(3) - 20);
    assert!((85..=135).contains(&alone), "{alone} of 220");
    assert!((150..=200).contains(&relayed), "{relayed} of 220");
}

#[test]
fn queries_under_way_are_bounded_on_either_side() {
    let mut net = Cluster::converged(2, &Config { queries_max: 2, ..quiet() });
    for id in 1..=3 {
        net.command(0, id, Command::Query(load()));
    }
    assert_eq!(result(&net, 3), Some(&Err(CommandError::Busy("queries"))));
    net.command(1, 4, Command::Query(load()));
    net.run(SECOND);
    for node in 0..2 {
        assert_eq!(
            (count(&net, node, "query"), net.node(node).counters().queries_shed),
            (2, 1),
            "node {node}"
        );
    }
    net.run(5 * SECOND);
    net.command(0, 5, Command::Query(load()));
    net.run(SECOND);
    assert_eq!((count(&net, 0, "query"), count(&net, 1, "query")), (3, 3), "ended ones made room");
}

#[test]
fn a_query_is_carried_by_gossip_to_a_large_cluster_and_every_answer_comes_once() {
    let mut net = Cluster::converged(60, &lan());
    net.loss = 20;
    net.command(7, 1, Command::Query(QueryRequest { ack: true, ..load() }));
    net.run(3 * SECOND);
    assert_eq!(net.queries.len(), 60);
    net.loss = 0;
    all_answer(&mut net);
    assert_eq!(count(&net, 7, "answer"), 60);
}

/// What the node on the desk says.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    /// To that address: kind, and of an answer its sender and whether it is an ack.
    Packet(SocketAddr, Vec<String>),
    Told(String, Option<(QueryId, Instant)>),
    Completed(Result<Done, CommandError>),
}

/// `n0`, whose peers are played by the test, message by message.
struct Desk {
    node: Node,
    now: Instant,
    outbox: Outbox,
    wire: Wire,
}

impl Desk {
    fn new(n: usize, config: &Config) -> Self {
        Self::with(born(0, config, &known(n), Instant::ORIGIN))
    }

    fn with(node: Node) -> Self {
        Self { node, now: Instant::ORIGIN, outbox: Outbox::new(), wire: Wire::new(&lan()) }
    }

    fn hears(&mut self, message: &Message<'_>) -> Vec<Said> {
        let mut bytes = Vec::new();
        let start = self.wire.begin_packet(&mut bytes);
        self.wire.encode(message, &mut bytes);
        self.wire.finish_packet(start, &mut bytes);
        self.step(Input::Packet { from: addr(1), bytes: &bytes })
    }

    fn command(&mut self, command: Command) -> Vec<Said> {
        self.step(Input::Command { id: CommandId(1), command })
    }

    fn step(&mut self, input: Input<'_>) -> Vec<Said> {
        let Self { node, now, outbox, wire } = self;
        step(node, input, *now, outbox)
            .filter_map(|output| match output {
                Output::Packet { to, bytes, .. } => {
                    let words = wire.open_packet(bytes).unwrap().map(|message| match message.unwrap() {
                        Message::Response(r) => {
                            format!(
                                "{} of {}",
                                match r.kind {
                                    ResponseKind::Ack => "ack",
                                    ResponseKind::Answer => "answer",
                                    ResponseKind::Declined => "no answer",
                                },
                                r.from
                            )
                        }
                        Message::Relay(r) => format!("relay to {}", r.to.port()),
                        message => message.kind().name().into(),
                    });
                    Some(Said::Packet(to, words.collect()))
                }
                Output::Event(event) => {
                    let query = match event {
                        Event::Query { query, deadline, .. } => Some((query, deadline)),
                        _ => None,
                    };
                    Some(Said::Told(told(event), query))
                }
                Output::Completed { result, .. } => Some(Said::Completed(result)),
                _ => None,
            })
            .collect()
    }

    fn id_of_question(&self) -> u32 {
        self.node.queries.asked.keys().next().unwrap().id
    }

    fn deadline_of(&self, said: &[Said]) -> Instant {
        said.iter()
            .find_map(|said| if let Said::Told(_, Some((_, at))) = said { Some(*at) } else { None })
            .unwrap()
    }
}

/// A query as `n1` asks it.
fn asked(ltime: u64, id: u32) -> Query<'static> {
    Query {
        ltime: LamportTime(ltime),
        id,
        from: "n1",
        addr: ([10, 9, 9, 9], 999).into(),
        ack: false,
        relay_factor: 0,
        timeout: SECOND,
        filters: Filters::default(),
        name: "load",
        payload: &[],
    }
}

fn delivered(said: &[Said]) -> bool {
    said.iter().any(|said| matches!(said, Said::Told(_, Some(_))))
}

/// serf 93.
#[test]
fn a_query_is_delivered_once_and_different_ones_of_one_time_all_are() {
    let mut desk = Desk::new(3, &quiet());
    for (id, new) in [(5, true), (5, false), (6, true), (7, true), (6, false)] {
        assert_eq!(delivered(&desk.hears(&Message::Query(asked(3, id)))), new, "{id}");
    }
    let counters = desk.node.counters();
    assert_eq!((counters.queries_delivered, counters.queries_repeated), (3, 2));
    assert_eq!(desk.node.queue_depths().queries, 3, "what is new is gossiped on");
    assert_eq!(desk.node.clocks().query, LamportTime(4));
}

#[test]
fn a_query_older_than_the_window_or_than_this_life_is_neither_delivered_nor_passed_on() {
    let mut desk = Desk::new(3, &Config { query_buffer: 16, ..quiet() });
    desk.hears(&Message::Query(asked(100, 1)));
    assert!(!delivered(&desk.hears(&Message::Query(asked(84, 1)))));
    assert!(delivered(&desk.hears(&Message::Query(asked(85, 1)))));
    assert_eq!(desk.node.queue_depths().queries, 2);
    let seed = Seed::simulated(9, 0, 1);
    let clocks = Clocks { query: LamportTime(40), ..Clocks::default() };
    let restore = Restore { clocks, ..Restore::default() };
    let name = NodeName::new("n0").unwrap();
    let birth = Birth { name, addr: addr(0), tags: &Tags::new(), seed, keyring: Keyring::empty(), restore };
    let mut desk = Desk::with(Node::new(quiet(), birth, Instant::ORIGIN).unwrap());
    assert!(!delivered(&desk.hears(&Message::Query(asked(40, 1)))));
    assert!(delivered(&desk.hears(&Message::Query(asked(41, 1)))));
}

/// A forged address wins one small packet and at most eight relayed ones, and no news ride along.
#[test]
fn one_query_makes_no_more_packets_than_one_and_eight_relays() {
    let mut desk = Desk::new(40, &quiet());
    for (relay_factor, packets) in [(0, 1), (1, 2), (8, 9), (255, 9)] {
        let query = Query { ack: true, relay_factor, ..asked(1, relay_factor.into()) };
        let said = desk.hears(&Message::Query(query));
        let sent: Vec<_> = said
            .iter()
            .filter_map(|said| match said {
                Said::Packet(to, words) => Some((*to, words.clone())),
                _ => None,
            })
            .collect();
        assert_eq!(sent.len(), packets);
        assert_eq!(sent[0], (query.addr, vec!["ack of n0".into()]));
        for (to, words) in &sent[1..] {
            assert_eq!(words, &["relay to 999"]);
            assert!(*to != addr(0) && *to != addr(1), "neither itself nor the asker: {to}");
        }
    }
}

#[test]
fn too_few_members_relay_nothing() {
    for (n, packets) in [(3, 1), (4, 3)] {
        let mut desk = Desk::new(n, &quiet());
        let query = Query { ack: true, relay_factor: 3, ..asked(1, 1) };
        let said = desk.hears(&Message::Query(query));
        assert_eq!(
            said.iter().filter(|said| matches!(said, Said::Packet(..))).count(),
            packets,
            "{n} members"
        );
    }
}

#[test]
fn a_relay_passes_an_answer_on_and_takes_its_own() {
    let mut desk = Desk::new(3, &quiet());
    let response =
        Response { ltime: LamportTime(1), id: 1, from: "n1", kind: ResponseKind::Answer, payload: b"x" };
    let to = ([10, 7, 7, 7], 77).into();
    let said = desk.hears(&Message::Relay(Relay { to, response }));
    assert_eq!(said, [Said::Packet(to, vec!["answer of n1".into()])]);
    let said = desk.hears(&Message::Relay(Relay { to: addr(0), response }));
    assert_eq!((said, desk.node.counters().answers_refused), (vec![], 1));
}

#[test]
fn an_answer_whose_ack_was_lost_does_not_end_a_query_that_wants_acks() {
    let mut desk = Desk::new(2, &quiet());
    let heard = desk.command(Command::Query(QueryRequest { ack: true, nodes: nodes(&[1]), ..load() }));
    assert_eq!(heard, []);
    let mut response =
        Response { ltime: LamportTime(1), id: 0, from: "n1", kind: ResponseKind::Answer, payload: b"x" };
    response.id = desk.id_of_question();
    assert_eq!(desk.hears(&Message::Response(response)), [Said::Told("answer of n1".into(), None)]);
    let said = desk.hears(&Message::Response(Response { kind: ResponseKind::Ack, payload: &[], ..response }));
    assert_eq!(said, [Said::Told("ack of n1".into(), None), Said::Completed(over(1, 1, true))]);
}

/// serf 98, and what Serf looks at too: the number, and the deadline.
#[test]
fn answers_that_come_twice_too_late_or_to_nothing_are_refused_and_counted() {
    let mut desk = Desk::new(3, &quiet());
    let heard = desk.command(Command::Query(QueryRequest { ack: true, timeout: Some(SECOND), ..load() }));
    let id =
        heard.iter().find_map(|said| if let Said::Told(_, Some((id, _))) = said { Some(*id) } else { None });
    let QueryId { ltime, id } = id.unwrap();
    let response = Response { ltime, id, from: "n1", kind: ResponseKind::Answer, payload: b"x" };
    let ack = Response { kind: ResponseKind::Ack, payload: &[], ..response };
    let other = Response { id: id ^ 1, ..response };
    let told = |text: &str| vec![Said::Told(text.into(), None)];
    assert_eq!(desk.hears(&Message::Response(ack)), told("ack of n1"));
    assert_eq!(desk.hears(&Message::Response(response)), told("answer of n1"));
    for again in [ack, response, other, Response { ltime: LamportTime(9), ..response }] {
        assert_eq!(desk.hears(&Message::Response(again)), []);
    }
    assert_eq!(desk.node.counters().answers_refused, 4);
    desk.now = Instant::ORIGIN + SECOND;
    let last = Response { from: "n2", ..response };
    assert_eq!(
        desk.hears(&Message::Response(last)),
        told("answer of n2"),
        "as long as its tick has not come"
    );
    desk.now = Instant::ORIGIN + SECOND + JUST;
    assert_eq!(desk.hears(&Message::Response(Response { kind: ResponseKind::Ack, ..last })), []);
    // Its own ack, n1's two, n2's one.
    assert_eq!((desk.node.counters().answers, desk.node.counters().answers_refused), (4, 5));
}

#[test]
fn an_expression_that_is_none_is_not_for_us_counted_and_passed_on() {
    let mut desk = Desk::new(3, &quiet());
    let mut list = FilterList::new();
    list.tag("role", "(");
    let query = Query { filters: Filters::of(&list), ack: true, ..asked(1, 1) };
    assert_eq!(desk.hears(&Message::Query(query)), []);
    assert_eq!((desk.node.counters().filters_refused, desk.node.queue_depths().queries), (1, 1));
}

#[test]
fn internal_queries_do_not_reach_the_application() {
    let mut desk = Desk::new(3, &quiet());
    for (id, name) in (1..).zip(["_rumor_ping", "_rumor_of-tomorrow"]) {
        let query = Query { name, ack: true, ..asked(1, id) };
        let said = desk.hears(&Message::Query(query));
        assert_eq!(said, [Said::Packet(query.addr, vec!["ack of n0".into()])]);
    }
    assert_eq!(desk.node.counters().queries_delivered, 0);
}

#[test]
fn a_query_of_ours_that_comes_back_is_not_heard_again() {
    let mut net = Cluster::converged(3, &lan());
    net.command(0, 1, Command::Query(load()));
    net.run(2 * SECOND);
    assert_eq!([0, 1, 2].map(|i| count(&net, i, "query")), [1, 1, 1]);
    assert!(net.node(0).counters().queries_repeated > 0, "it does come back");
}
