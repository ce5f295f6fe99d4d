//! Agents on loopback, as a cluster. Nothing here waits for a time; everything waits for a condition, and fails when it takes too long.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{LONG, alive, builder, cluster, event, is, quick, sees, shut_down, soon, user_event};
use rumormill_core::Config;
use rumormill_core::io::{EventRequest, KeyAction, QueryRequest, Status};
use rumormill_core::keyring::{Key, Keyring};
use rumormill_core::tags::Tags;
use rumormill_tokio::agent::{Answer, Events, Stopped};
use rumormill_tokio::event::{MemberEventKind, QueryEvent};
use rumormill_tokio::state::keyring_file;
use rumormill_tokio::{Event, Handle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_agents_form_a_cluster_spread_news_and_lose_one_that_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("snapshot");
    let mut agents = cluster(19).await;
    let kept = builder("node-19").snapshot(&snapshot).join(vec![agents[0].addr().to_string()]);
    agents.push(kept.start().await.unwrap());
    for agent in &agents {
        sees(agent, "the twentieth", |members| alive(members) == 20).await;
    }
    let mut subscriptions: Vec<Events> = agents.iter().map(Handle::events).collect();

    let ltime = agents[7].user_event(event("deploy")).await.unwrap();
    for events in &mut subscriptions {
        let heard = user_event(events, "deploy").await;
        assert_eq!((heard.ltime, &*heard.origin, &*heard.payload), (ltime, "node-07", &b"payload"[..]));
    }

    // A query: everybody answers with its name.
    let answering: Vec<_> = agents
        .iter()
        .cloned()
        .zip(subscriptions)
        .map(|(agent, events)| tokio::spawn(answer(agent, events)))
        .collect();
    let request =
        QueryRequest { name: "who".into(), ack: true, timeout: Some(LONG), ..QueryRequest::default() };
    let mut answers = agents[3].query(request).await.unwrap();
    let (mut acks, mut responses) = (BTreeSet::new(), BTreeSet::new());
    soon("a query", async {
        while let Some(answer) = answers.next().await {
            match answer {
                Answer::Ack { from } => acks.insert(from),
                Answer::Response { from, payload } => {
                    assert_eq!(from.as_bytes(), &*payload);
                    responses.insert(from)
                }
            };
        }
    })
    .await;
    let tally = answers.tally().unwrap();
    assert_eq!((acks.len(), responses.len(), tally.complete), (20, 20, true));
    for task in answering {
        task.await.unwrap();
    }

    // One is gone without a word, and found out; then it comes back under its name and address.
    let lost = agents.pop().unwrap();
    let (name, addr) = (lost.name().to_owned(), lost.addr());
    let mut watching = agents[0].events();
    lost.shutdown().await;
    for agent in &agents {
        sees(agent, "noticing the failure", |members| is(members, &name, Status::Failed)).await;
    }
    let failed = soon("the failure's event", async {
        loop {
            if let Some(Ok(Event::Members(event))) = watching.next().await
                && event.kind == MemberEventKind::Failed
            {
                return event;
            }
        }
    });
    let failed = failed.await;
    assert_eq!((failed.members[0].name(), failed.members[0].status), (&*name, Status::Failed));

    // Nobody tells it whom to join, and it does not take up the events of its former life again.
    let back = builder(&name).bind(addr).snapshot(&snapshot).start().await.unwrap();
    let mut events = back.events();
    agents.push(back);
    for agent in &agents {
        sees(agent, "the return", |members| alive(members) == 20).await;
    }
    agents[2].user_event(event("after")).await.unwrap();
    let next = soon("a user event", async {
        loop {
            if let Event::User(event) = events.next().await.unwrap().unwrap() {
                return event;
            }
        }
    });
    assert_eq!(&*next.await.name, "after");
    shut_down(agents).await;
}

/// Answers the first query with the own name.
async fn answer(agent: Handle, mut events: Events) {
    loop {
        if let Some(Ok(Event::Query(query))) = soon("the query", events.next()).await {
            assert_eq!(&*query.from, "node-03");
            agent.respond(query.id, agent.name().as_bytes()).await.unwrap();
            return;
        }
    }
}

#[tokio::test]
async fn an_asker_does_not_wait_for_those_who_let_its_query_go() {
    let agents = cluster(5).await;
    let mut subscriptions: Vec<Events> = agents.iter().map(Handle::events).collect();
    let request = QueryRequest { name: "who".into(), timeout: Some(60 * LONG), ..QueryRequest::default() };
    let mut answers = agents[3].query(request).await.unwrap();
    // Answered by one; read and dropped by the others.
    let answering = answer(agents[0].clone(), subscriptions.remove(0));
    for events in &mut subscriptions {
        drop(soon("the query", query(events)).await);
    }
    answering.await;
    soon("the end of the query", async { while answers.next().await.is_some() {} }).await;
    let tally = answers.tally().unwrap();
    assert_eq!((tally.responses, tally.complete), (1, true));
    shut_down(agents).await;
}

/// The next query that comes.
async fn query(events: &mut Events) -> QueryEvent {
    loop {
        if let Some(Ok(Event::Query(query))) = events.next().await {
            return query;
        }
    }
}

#[tokio::test]
async fn who_leaves_is_seen_as_left_and_its_agent_has_stopped() {
    let mut agents = cluster(5).await;
    let leaver = agents.pop().unwrap();
    let mut events = leaver.events();
    soon("leaving", leaver.leave()).await.unwrap();
    assert_eq!(leaver.stopped().await, Stopped::Left);
    for agent in &agents {
        sees(agent, "the leave", |members| is(members, "node-04", Status::Left)).await;
    }
    // The handle still says what was, and refuses what cannot be.
    while soon("the end of the events", events.next()).await.is_some() {}
    assert!(leaver.events().next().await.is_none());
    assert!(leaver.user_event(event("late")).await.unwrap_err().to_string().contains("has stopped"));
    assert_eq!(leaver.me().status, Status::Left);
    shut_down(agents).await;
}

#[tokio::test]
async fn the_port_is_free_when_an_agent_has_stopped() {
    let mut agent = builder("a").start().await.unwrap();
    let addr = agent.addr();
    for _ in 0..5 {
        let again = builder("b").bind(addr).start().await;
        assert!(again.unwrap_err().to_string().contains(&addr.to_string()));
        agent.shutdown().await;
        agent = builder("a").bind(addr).start().await.unwrap();
    }
    agent.shutdown().await;
}

#[tokio::test]
async fn an_agent_runs_on_when_its_handles_are_gone() {
    let a = builder("a").start().await.unwrap();
    let addr = a.addr().to_string();
    drop(a);
    let b = builder("b").join(vec![addr]).start().await.unwrap();
    assert_eq!(b.members().len(), 2);
    b.shutdown().await;
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed_and_holds_up_nobody() {
    let agents = cluster(2).await;
    let mut slow = agents[1].events();
    let mut fast = agents[1].events();
    let n = Events::CAPACITY as u64 + 300;
    for i in 0..n {
        // As fast as the network takes them.
        while agents[0].user_event(event(&format!("e{i}"))).await.is_err() {
            tokio::task::yield_now().await;
        }
        if i % 50 == 49 {
            user_event(&mut fast, &format!("e{i}")).await;
        }
    }
    let missed = slow.next().await.unwrap().unwrap_err();
    assert!(missed.0 >= 200 && missed.0 <= 300, "{missed:?}");
    let mut rest = 0;
    soon("reading the rest", async {
        while rest < Events::CAPACITY {
            if let Event::User(_) = slow.next().await.unwrap().unwrap() {
                rest += 1;
            }
        }
    })
    .await;
    shut_down(agents).await;
}

fn keyring(byte: u8) -> Keyring {
    Keyring::of(Key::new(&[byte; 32]).unwrap(), Vec::new()).unwrap()
}

#[tokio::test]
async fn agents_with_different_keys_do_not_meet_and_with_the_same_they_do() {
    let a = builder("a").keyring(keyring(1)).start().await.unwrap();
    let peer = vec![a.addr().to_string()];
    for stranger in [builder("b").keyring(keyring(2)), builder("c")] {
        let error = soon("a refusal", stranger.join(peer.clone()).start()).await.unwrap_err();
        assert!(error.to_string().contains("none of 1 addresses could be joined"), "{error}");
    }
    assert_eq!(a.members().len(), 1);
    assert!(a.stats().await.unwrap().counters.rejected_seal >= 2);
    let d = builder("d").keyring(keyring(1)).join(peer).start().await.unwrap();
    sees(&a, "joining", |members| alive(members) == 2).await;
    assert!(d.stats().await.unwrap().encrypted);
    shut_down(vec![a, d]).await;
}

#[tokio::test]
async fn ipv6_and_both_families_on_one_socket() {
    let v6 = builder("v6").bind("[::1]:0".parse().unwrap()).start().await.unwrap();
    let both = builder("both").bind("[::]:0".parse().unwrap()).advertise("127.0.0.1:0".parse().unwrap());
    let both = both.join(vec![v6.addr().to_string()]).start().await.unwrap();
    assert_eq!(both.addr().ip().to_string(), "127.0.0.1");
    let v4 = builder("v4").join(vec![both.addr().to_string()]).start().await.unwrap();
    // Over IPv6 as well, to the same socket.
    let port = both.addr().port();
    let second = builder("second").bind("[::1]:0".parse().unwrap());
    let second = second.join(vec![format!("[::1]:{port}")]).start().await.unwrap();
    for agent in [&both, &v4] {
        sees(agent, "four members", |members| members.len() == 4).await;
    }
    // Datagrams reach it in both families.
    let heard = || async { both.stats().await.unwrap().traffic.datagrams_in };
    let before = heard().await;
    both.user_event(event("hello")).await.unwrap();
    soon("datagrams", async {
        while heard().await < before + 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // Only a member that has acknowledged a datagram has a place.
    soon("a datagram of each family", async {
        for name in ["v6", "v4"] {
            while both.coordinate(name).await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    shut_down(vec![v6, both, v4, second]).await;
}

#[tokio::test]
async fn new_tags_are_seen_by_all_and_too_long_ones_by_nobody() {
    let agents = cluster(3).await;
    let tags = Tags::from_iter([("role", "web")]);
    soon("new tags", agents[1].set_tags(tags.clone())).await.unwrap();
    for agent in &agents {
        sees(agent, "the tags", |members| members.get("node-01").unwrap().tags() == tags).await;
    }
    let long = "x".repeat(600);
    let error = agents[1].set_tags(Tags::from_iter([("role", long.as_str())])).await.unwrap_err();
    assert!(error.to_string().contains("at most 512"), "{error}");
    shut_down(agents).await;
}

#[tokio::test]
async fn coalesced_events_come_together() {
    let times = rumormill_core::coalesce::Times {
        period: Duration::from_millis(400),
        quiet: Duration::from_millis(200),
    };
    let a = builder("a").coalesce(Some(times)).start().await.unwrap();
    let mut events = a.events();
    let mut others = Vec::new();
    for name in ["b", "c", "d"] {
        others.push(builder(name).join(vec![a.addr().to_string()]).start().await.unwrap());
    }
    let mut joined = BTreeSet::new();
    soon("the joins", async {
        while joined.len() < 3 {
            if let Some(Ok(Event::Members(event))) = events.next().await {
                assert_eq!(event.kind, MemberEventKind::Join);
                joined.extend(event.members.iter().map(|member| member.name().to_owned()));
            }
        }
    })
    .await;
    // Of a burst of one name, the last.
    for _ in 0..5 {
        a.user_event(EventRequest { coalesce: true, ..event("burst") }).await.unwrap();
    }
    let last = a.user_event(EventRequest { coalesce: true, ..event("burst") }).await.unwrap();
    assert_eq!(user_event(&mut events, "burst").await.ltime, last);
    // What waits is told before the end.
    a.user_event(EventRequest { coalesce: true, ..event("late") }).await.unwrap();
    a.shutdown().await;
    user_event(&mut events, "late").await;
    shut_down(others).await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_words() {
    let a = builder("a").start().await.unwrap();
    let error = a.join(&["127.0.0.1:1".into()], false).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1") && error.contains("refused"), "{error}");
    let error = a.join(&["nobody.invalid".into()], false).await.unwrap_err().to_string();
    assert!(error.contains("nobody.invalid"), "{error}");
    let error = a.force_leave("nobody", false).await.unwrap_err().to_string();
    assert!(error.contains("nobody"), "{error}");
    a.shutdown().await;
    let error = builder("").start().await.unwrap_err().to_string();
    assert!(error.contains("empty"), "{error}");
    let error = builder("a").advertise("0.0.0.0:1".parse().unwrap()).start().await.unwrap_err().to_string();
    assert!(error.contains("cannot be advertised"), "{error}");
    let config = Config { probe_timeout: LONG, ..quick() };
    let error = builder("a").config(config).start().await.unwrap_err().to_string();
    assert!(error.contains("probe_timeout"), "{error}");
}

#[tokio::test]
async fn files_have_what_the_node_has() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, tags) = (folder.path().join("keys.json"), folder.path().join("tags.json"));
    let dressed = || builder("a").keyring_file(&keys).tags_file(&tags);
    let error = dressed().start().await.unwrap_err().to_string();
    assert!(error.contains("keys.json"), "{error}");
    let a = dressed().keyring(keyring(1)).tags(Tags::from_iter([("role", "db")])).start().await.unwrap();
    let new = Key::new(&[2; 32]).unwrap();
    a.keys(KeyAction::Install(new.clone()), 0).await.unwrap();
    a.keys(KeyAction::Use(new.clone()), 0).await.unwrap();
    assert_eq!(keyring_file::load(&keys).unwrap().primary(), Some(&new));
    a.set_tags(Tags::from_iter([("role", "web")])).await.unwrap();
    a.shutdown().await;
    // The next life has them from there.
    let a = dressed().start().await.unwrap();
    assert_eq!(a.me().tags().get("role"), Some("web"));
    assert_eq!(a.keyring().await.unwrap().len(), 2);
    a.shutdown().await;
}

#[tokio::test]
async fn a_recorded_life_is_lived_again_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording");
    let a = builder("a").keyring(keyring(1)).record(&path).start().await.unwrap();
    let b = builder("b").keyring(keyring(1)).join(vec![a.addr().to_string()]).start().await.unwrap();
    let mut events = a.events();
    for i in 0..100 {
        a.user_event(event(&format!("a{i}"))).await.unwrap();
        b.user_event(event(&format!("b{i}"))).await.unwrap();
    }
    user_event(&mut events, "b99").await;
    let mut answers =
        b.query(QueryRequest { name: "q".into(), ack: true, ..QueryRequest::default() }).await.unwrap();
    while soon("answers", answers.next()).await.is_some() {}
    a.leave().await.unwrap();
    let report = rumormill_tokio::record::replay(&path).unwrap();
    assert!(report.difference.is_none() && report.identical > 120, "{report:?}");
    let error = builder("c").record(&path).start().await.unwrap_err().to_string();
    assert!(error.contains("recording") && error.contains("not overwritten"), "{error}");
    b.shutdown().await;
}

#[tokio::test]
async fn whose_name_is_taken_stops() {
    let agents = cluster(3).await;
    let twin = builder("node-02").join(vec![agents[0].addr().to_string()]).start().await.unwrap();
    let stopped = soon("the vote", twin.stopped()).await;
    assert!(matches!(&stopped, Stopped::MustStop(reason) if !reason.is_empty()), "{stopped:?}");
    for agent in &agents {
        assert_eq!(agent.members().get("node-02").map(|member| member.identity.addr), Some(agents[2].addr()));
    }
    shut_down(agents).await;
}

#[tokio::test]
async fn who_joins_itself_is_alone() {
    let a = builder("a").start().await.unwrap();
    let joined = a.join(&[a.addr().to_string()], false).await.unwrap();
    assert_eq!((joined.reached, a.members().len()), (1, 1));
    a.shutdown().await;
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_no_agent_behind() {
    // It accepts, and says nothing, so that the join takes its time.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = builder("probe").start().await.unwrap();
    let addr = free.addr();
    free.shutdown().await;
    let start = builder("a").bind(addr).join(vec![mute.local_addr().unwrap().to_string()]).start();
    tokio::select! {
        _ = start => panic!("nobody answered"),
        accepted = mute.accept() => drop(accepted.unwrap().0.set_nodelay(true)),
    }
    soon("the port's freedom", async {
        while builder("b").bind(addr).start().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn figures_are_there() {
    let agents = cluster(2).await;
    let stats = agents[0].stats().await.unwrap();
    assert!(
        stats.counters.frames_accepted > 0 && stats.traffic.accepted > 0 && !stats.encrypted,
        "{stats:?}"
    );
    soon("a coordinate", async {
        while agents[0].coordinate("node-01").await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(agents[0].coordinate("nobody").await.unwrap(), None);
    assert_eq!(agents[0].settings()["name"], "node-00");
    assert_eq!(agents[0].settings()["bind"], agents[0].addr().to_string());
    assert!(agents[0].lag() < LONG);
    shut_down(agents).await;
}
