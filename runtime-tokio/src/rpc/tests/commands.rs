//! Every command through the client.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rumormill_core::keyring::{Key, Keyring};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Served, builder, soon};
use crate::rpc::client::{Client, ClientError, EventStream, QueryParams, QueryRecord, StreamRecord};
use crate::rpc::codec::encode;
use crate::rpc::log::Level;
use crate::rpc::messages::{Handshake, RequestHeader};

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

/// Two agents that know each other, joined over RPC.
async fn pair() -> [Served; 2] {
    let [a, b] = [Served::new("a").await, Served::new("b").await];
    let client = a.client().await;
    assert_eq!(client.join(&[b.agent.addr().to_string()], false).await, Ok(1));
    for served in [&a, &b] {
        let mut list = served.agent.watch_members();
        soon("the join", list.wait_for(|members| members.len() == 2)).await.unwrap();
    }
    [a, b]
}

async fn next(events: &mut EventStream) -> StreamRecord {
    soon("a record", events.next()).await.expect("the stream goes on").unwrap()
}

fn remote<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    match result {
        Err(ClientError::Remote(words)) => words,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn members_are_shown_and_filtered_by_whole_values() {
    let [a, b] = pair().await;
    let client = a.client().await;
    let members = client.members().await.unwrap();
    let shown: Vec<_> = members.iter().map(|m| (&*m.name, &*m.status, m.socket_addr())).collect();
    assert_eq!(shown, [("a", "alive", a.agent.addr()), ("b", "alive", b.agent.addr())]);
    assert_eq!(
        (members[0].delegate_cur, members[0].protocol_max, &members[0].tags),
        (5, 5, &map(&[("role", "web")]))
    );
    for (tags, status, name, count) in [
        (&[][..], "", "", 2),
        (&[], "alive|left", "", 2),
        (&[], "aliv", "", 0),
        (&[], "", "b|c", 1),
        (&[("role", "w.b")], "", "", 2),
        (&[("role", "we")], "", "", 0),
        (&[("zone", "")], "", "", 2),
        (&[("role", "")], "", "", 0),
    ] {
        let found = client.members_filtered(&map(tags), status, name).await.unwrap();
        assert_eq!(found.len(), count, "{tags:?} {status} {name}");
    }
    for (tags, status, name) in [(&[("role", "(")][..], "", ""), (&[], "[", ""), (&[], "", "a)|(b")] {
        let words = remote(client.members_filtered(&map(tags), status, name).await);
        assert!(words.contains("is no usable regular expression: un"), "{words}");
    }
    assert_eq!(client.members().await.unwrap().len(), 2, "the connection is as it was");
    a.end().await;
    b.end().await;
}

#[tokio::test]
async fn events_reach_the_streams_that_want_them_until_these_are_stopped() {
    let [a, b] = pair().await;
    let (client, other) = (a.client().await, b.client().await);
    let mut wanted = other.stream("user:deploy").await.unwrap();
    let mut all = other.stream("*").await.unwrap();
    client.event("noise", b"", false).await.unwrap();
    client.event("deploy", b"\x00\xFF", true).await.unwrap();
    let StreamRecord::User(deploy) = next(&mut wanted).await else { panic!("no user event") };
    assert_eq!((&*deploy.name, &deploy.payload[..], deploy.coalesce), ("deploy", &b"\x00\xFF"[..], true));
    let mut names = BTreeSet::new();
    while names.len() < 2 {
        if let StreamRecord::User(event) = next(&mut all).await {
            names.insert(event.name);
        }
    }
    client.tags(&map(&[("x", "1")]), &["role".into()]).await.unwrap();
    loop {
        if let StreamRecord::Members(news) = next(&mut all).await {
            assert_eq!((&*news.event, &*news.members[0].name), ("member-update", "a"));
            assert_eq!(news.members[0].tags, map(&[("x", "1")]));
            break;
        }
    }
    wanted.stop().await.unwrap();
    assert_eq!(remote(other.stream("member-dance").await), "Invalid event filter");
    let words = remote(client.event("big", &[0; 600], false).await);
    assert_eq!(words, "user event exceeds configured limit of 512 bytes before encoding");
    let words = remote(client.event("big", &[0; 500], false).await);
    assert_eq!(words, "encoded user event exceeds configured limit of 512 bytes after encoding");
    a.end().await;
    assert!(matches!(soon("members", client.members()).await, Err(ClientError::Closed(_))));
    b.end().await;
    while let Some(record) = soon("the end", all.next()).await {
        assert!(!matches!(record, Err(ClientError::Missed(_))));
    }
}

#[tokio::test]
async fn a_query_ends_when_everybody_has_answered_over_rpc() {
    let [a, b] = pair().await;
    let clients = [a.client().await, b.client().await];
    let mut answering = Vec::new();
    for (client, name) in clients.clone().into_iter().zip(["a", "b"]) {
        let mut queries = client.stream("query:load").await.unwrap();
        answering.push(tokio::spawn(async move {
            let StreamRecord::Query(query) = next(&mut queries).await else { panic!("no query") };
            assert_eq!(&query.payload, b"now?");
            client.respond(query.id, format!("{name}: fine").as_bytes()).await.unwrap();
            let again = remote(client.respond(query.id, b"again").await);
            assert_eq!(again, "No pending queries matching ID");
        }));
    }
    let timeout = Some(Duration::from_secs(3000));
    let (name, payload) = ("load".into(), b"now?".to_vec());
    let load = QueryParams { name, payload, ack: true, timeout, ..QueryParams::default() };
    let mut answers = clients[0].query(load).await.unwrap();
    let mut found = BTreeSet::new();
    while let Some(record) = soon("an answer", answers.next()).await {
        found.insert(match record.unwrap() {
            QueryRecord::Ack { from } => format!("ack {from}"),
            QueryRecord::Response { from, payload } => format!("{from} {}", payload.escape_ascii()),
        });
    }
    assert_eq!(Vec::from_iter(found), ["a a: fine", "ack a", "ack b", "b b: fine"]);
    for task in answering {
        task.await.unwrap();
    }
    let bad = QueryParams { name: "q".into(), tags: map(&[("role", "(")]), ..QueryParams::default() };
    assert!(remote(clients[0].query(bad).await.map(|_| ())).contains("tag role"));
    let bad = QueryParams { name: "q".into(), nodes: vec![String::new()], ..QueryParams::default() };
    assert!(remote(clients[0].query(bad).await.map(|_| ())).contains("must not be empty"));
    let bad = QueryParams { name: "_rumor_list-keys".into(), ..QueryParams::default() };
    assert!(remote(clients[0].query(bad).await.map(|_| ())).contains("reserved"));
    a.end().await;
    b.end().await;
}

#[tokio::test]
async fn a_query_does_not_end_well_when_the_agent_stops_before() {
    let a = Served::new("a").await;
    let client = a.client().await;
    let mut queries = client.stream("query:load").await.unwrap();
    let timeout = Some(Duration::from_secs(3000));
    let load = QueryParams { name: "load".into(), timeout, ..QueryParams::default() };
    let mut answers = client.query(load).await.unwrap();
    assert!(matches!(next(&mut queries).await, StreamRecord::Query(_)), "it is asked, and gives no answer");
    a.end().await;
    let end = soon("how it ends", answers.next()).await;
    assert!(matches!(end, Some(Err(ClientError::Closed(_)))), "{end:?}");
}

#[tokio::test]
async fn a_ping_is_over_when_everybody_has_acknowledged_it() {
    let [a, b] = pair().await;
    let timeout = Some(Duration::from_secs(3000));
    let ping = QueryParams { name: "_serf_ping".into(), ack: true, timeout, ..QueryParams::default() };
    let mut acks = a.client().await.query(ping).await.unwrap();
    let mut names = BTreeSet::new();
    while let Some(record) = soon("an ack", acks.next()).await {
        let QueryRecord::Ack { from } = record.unwrap() else { panic!("an answer to a ping") };
        names.insert(from);
    }
    assert_eq!(Vec::from_iter(names), ["a", "b"]);
    a.end().await;
    b.end().await;
}

#[tokio::test]
async fn stats_have_serfs_sections_and_keys() {
    let (_keep, handlers) = tokio::sync::watch::channel(map(&[("user:x", "x.sh")]));
    let served = Served::with(builder("a"), |options| options.event_handlers = handlers).await;
    let client = served.client().await;
    let stats = client.stats().await.unwrap();
    let keys = |section: &str| stats[section].keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    assert_eq!(keys("runtime"), "arch cpu_count goroutines max_procs os version");
    assert_eq!(
        keys("serf"),
        "coordinate_resets encrypted event_queue event_time failed health_score intent_queue left member_time members \
         query_queue query_time"
    );
    assert_eq!(stats["agent"], map(&[("name", "a")]));
    assert_eq!(stats["tags"], map(&[("role", "web")]));
    assert_eq!(stats["event_handlers"], map(&[("user:x", "x.sh")]));
    assert_eq!((&*stats["serf"]["members"], &*stats["serf"]["encrypted"]), ("1", "false"));
    let place = client.coordinate("a").await.unwrap().expect("its own place");
    assert_eq!(place.to_core().map(|place| place.error), Some(1.5));
    assert_eq!(client.coordinate("nobody").await, Ok(None));
    served.end().await;
}

#[tokio::test]
async fn keys_are_installed_used_listed_and_removed() {
    let keyring = Keyring::of(Key::new(&[0; 16]).unwrap(), Vec::new()).unwrap();
    let served = Served::with(builder("a").keyring(keyring), |_| {}).await;
    let client = served.client().await;
    let (old, new) = ("AAAAAAAAAAAAAAAAAAAAAA==", "AQEBAQEBAQEBAQEBAQEBAQ==");
    let reply = client.install_key(new).await.unwrap();
    assert_eq!((reply.error, reply.num_nodes, reply.num_resp, reply.num_err), (None, 1, 1, 0));
    assert_eq!(client.list_keys().await.unwrap().keys, [(old.into(), 1), (new.into(), 1)].into());
    assert_eq!(client.use_key(new).await.unwrap().error, None);
    let refused = client.remove_key(new).await.unwrap();
    assert_eq!((refused.error.as_deref(), refused.num_err), (Some("1/1 nodes reported failure"), 1));
    assert!(refused.messages["a"].contains("primary"), "{refused:?}");
    assert_eq!(client.remove_key(old).await.unwrap().error, None);
    for nonsense in ["AAAA", "*"] {
        let reply = client.install_key(nonsense).await.unwrap();
        assert!(reply.error.is_some_and(|error| error.contains("16, 24 or 32 bytes")));
    }
    assert_eq!(client.list_keys().await.unwrap().keys, [(new.into(), 1)].into());
    served.end().await;
    let plain = Served::new("a").await;
    let reply = plain.client().await.list_keys().await.unwrap();
    assert!(reply.error.is_some() && reply.num_err == 1 && reply.messages.contains_key("a"), "{reply:?}");
    plain.end().await;
}

#[tokio::test]
async fn what_cannot_be_joined_or_is_unknown_is_said() {
    let served = Served::new("a").await;
    let client = served.client().await;
    // A port that is free: it was bound a moment ago.
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let words = remote(client.join(&[free.to_string()], false).await);
    assert!(words.contains(&free.to_string()), "{words}");
    assert_eq!(client.join(&[], false).await, Ok(0));
    assert!(remote(client.force_leave("nobody", false).await).contains("nobody"));
    let refused = Client::connect(&free.to_string(), None).await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Connect { reason, .. } if reason.contains("refused")),
        "{refused:?}"
    );
    served.end().await;
}

#[tokio::test]
async fn who_leaves_is_told_so_before_the_server_ends() {
    let [a, b] = pair().await;
    let clients = [a.client().await, a.client().await];
    let (one, two) = tokio::join!(clients[0].leave(), clients[1].leave());
    assert_eq!((one, two), (Ok(()), Ok(())));
    soon("the server's end", a.serving).await.unwrap();
    let mut list = b.agent.watch_members();
    let left = |members: &crate::Members| members.get("a").is_some_and(|a| !a.status.is_up());
    soon("the news", list.wait_for(|members| left(members))).await.unwrap();
    assert_eq!(b.client().await.members().await.unwrap()[0].status, "left");
    b.client().await.force_leave("a", true).await.unwrap();
    soon("the pruning", list.wait_for(|members| members.len() == 1)).await.unwrap();
    b.end().await;
}

#[tokio::test]
async fn the_log_is_followed_by_level() {
    let served = Served::new("a").await;
    served.log.push(Level::Debug, "old and low");
    served.log.push(Level::Warn, "old");
    let client = served.client().await;
    let mut log = client.monitor("info").await.unwrap();
    assert_eq!(remote(client.monitor("info").await.map(|_| ())), "Monitor already exists");
    served.log.push(Level::Err, "new");
    for line in ["old", "new"] {
        assert_eq!(soon("a line", log.next()).await, Some(Ok(line.into())));
    }
    log.stop().await.unwrap();
    let mut log = client.monitor("err").await.unwrap();
    assert_eq!(soon("a line", log.next()).await, Some(Ok("new".into())));
    assert_eq!(remote(client.monitor("loud").await.map(|_| ())), "Unknown log level: LOUD");
    served.end().await;
    assert!(matches!(soon("the end", log.next()).await, Some(Err(ClientError::Closed(_)))));
    assert_eq!(log.next().await, None);
}

#[tokio::test]
async fn a_token_opens_the_door_and_nothing_else_does() {
    let token = Some(zeroize::Zeroizing::new("sesame".into()));
    let served = Served::with(builder("a"), |options| options.auth_key = token).await;
    let at = served.at.to_string();
    assert_eq!(Client::connect(&at, Some("sesame")).await.unwrap().members().await.unwrap().len(), 1);
    let refused = Client::connect(&at, Some("sesam")).await.unwrap_err();
    assert_eq!(refused, ClientError::Auth("Invalid authentication token".into()));
    let stranger = Client::connect(&at, None).await.unwrap();
    for _ in 0..2 {
        // Each has its body, which is skipped, and for the first no body comes back.
        let required = Err(ClientError::Auth("Authentication required".into()));
        assert_eq!(stranger.join(&["x".into()], false).await, required);
        assert_eq!(stranger.event("x", b"y", false).await.map(|()| 0), required);
    }
    served.end().await;
    let open = Served::new("a").await;
    let refused = Client::connect(&open.at.to_string(), Some("sesame")).await.unwrap_err();
    assert_eq!(refused, ClientError::Auth("Invalid authentication token".into()), "there is none (Serf)");
    open.end().await;
}

#[tokio::test]
async fn another_command_before_the_handshake_closes_the_connection() {
    let served = Served::new("a").await;
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    let mut request = Vec::new();
    encode(&RequestHeader { command: "members".into(), seq: 7 }, &mut request);
    encode(&Handshake { version: 1 }, &mut request);
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    let wanted = b"\x82\xa5Error\xb2Handshake required\xa3Seq\x07";
    // The connection may be reset, because the body was not read.
    let _ = soon("the end", stream.read_to_end(&mut answer)).await;
    assert_eq!(answer, wanted);
    served.end().await;
}

#[tokio::test]
async fn the_client_tells_who_speaks_something_else() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    for (said, wanted) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "the answer is not of Serf's RPC protocol"),
        (b"\x82\xa5Error\xa0\xa3Seq\x63", "the number 99, which nobody asked for"),
        (b"\xdd\xff\xff\xff\xff", "at most 67108864 are taken"),
        (b"\x82\xa5Error", "the agent closed the connection in the midst of an answer"),
        (b"", "the agent closed the connection"),
    ] {
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(said).await.unwrap();
        };
        let (client, ()) = tokio::join!(Client::connect(&at, None), answering);
        let error = client.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[tokio::test]
async fn why_tells_of_one_member_or_lists_whoever_had_trouble() {
    let [a, b] = pair().await;
    let client = a.client().await;
    let why = client.why("b").await.unwrap();
    let present = why.present.unwrap();
    assert_eq!((&*why.observer, &*present.status), ("a", "alive"));
    assert_eq!(&*present.address, b.agent.addr().to_string());
    assert_eq!(remote(client.why("c").await), "no member is named \"c\", and nothing is remembered of one");
    // The connection is still in step.
    assert!(client.troubled().await.unwrap().iter().all(|one| &*one.member != "c"));
    b.agent.shutdown().await;
    let mut list = a.agent.watch_members();
    let failed = |members: &crate::Members| {
        members.get("b").is_some_and(|member| member.status == rumormill_core::io::Status::Failed)
    };
    soon("the failure", list.wait_for(failed)).await.unwrap();
    let whats = |why: crate::agent::why::Why| -> Vec<_> {
        why.happenings.into_iter().map(|happening| happening.what).collect()
    };
    let known = async || whats(a.agent.why("b").await.unwrap().unwrap());
    let (happened, told, troubled) = soon("a moment in which nothing happens", async {
        loop {
            let before = known().await;
            let (told, troubled) = (client.why("b").await.unwrap(), client.troubled().await.unwrap());
            if known().await == before {
                return (before, whats(told), troubled);
            }
        }
    })
    .await;
    assert_eq!(told, happened);
    assert_eq!((&*troubled[0].member, troubled[0].happenings as usize), ("b", happened.len()));
    soon("the server's end", b.serving).await.unwrap();
    a.end().await;
}
