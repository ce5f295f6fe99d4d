//! Event handlers of a real agent: scripts see what happens in the cluster, and answer its queries.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rumormill_tokio::agent::Answer;
use rumormill_tokio::core::Config;
use rumormill_tokio::core::io::{EventRequest, QueryRequest};
use rumormill_tokio::core::tags::Tags;
use rumormill_tokio::handlers::{HandlerSpec, Handlers, Limits};
use rumormill_tokio::{Agent, Handle};
use tokio::time::{sleep, timeout};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(30);

async fn agent(name: &str, join: Vec<String>) -> Handle {
    let tags = Tags::from_iter([("role", "web")]);
    let agent = Agent::builder().name(name).bind(([127, 0, 0, 1], 0).into()).config(Config::local());
    agent.tags(tags).join(join).start().await.unwrap()
}

async fn text(path: &Path, wanted: impl Fn(&str) -> bool) -> String {
    let read = async {
        loop {
            let text = fs::read_to_string(path).unwrap_or_default();
            if wanted(&text) {
                return text;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, read)
        .await
        .unwrap_or_else(|_| panic!("{}: {:?}", path.display(), fs::read_to_string(path)))
}

async fn ask(agent: &Handle, payload: &[u8]) -> Vec<(String, String)> {
    let query = QueryRequest { name: "load".into(), payload: payload.into(), ..QueryRequest::default() };
    let mut answers = agent.query(query).await.unwrap();
    let mut found = Vec::new();
    while let Some(answer) = timeout(PATIENCE, answers.next()).await.unwrap() {
        if let Answer::Response { from, payload } = answer {
            found.push((from.to_string(), String::from_utf8_lossy(&payload).into_owned()));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_see_members_and_events_and_answer_queries() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display();
    let specs = [
        format!("member-join=cat >> {dir}/joins"),
        format!(
            "user:deploy=(echo \"$SERF_SELF_NAME $SERF_TAG_ROLE $SERF_USER_EVENT\"; cat) >> {dir}/deploys"
        ),
        "query:load=echo \"$(cat) from $SERF_SELF_NAME\"".to_owned(),
        "query:load=head -c 5000 /dev/zero".to_owned(),
    ];
    let specs: Vec<HandlerSpec> = specs.iter().map(|spec| HandlerSpec::parse(spec).unwrap()).collect();
    let a = agent("a", vec![]).await;
    let handlers = Handlers::new(specs[..3].to_vec(), Limits::default());
    let running = tokio::spawn(handlers.clone().run(a.clone(), a.events()));
    let b = agent("b", vec![a.addr().to_string()]).await;
    let joins = text(&folder.path().join("joins"), |text| text.contains("b\t127.0.0.1\tweb")).await;
    assert!(joins.contains("b\t127.0.0.1\tweb\trole=web\n"), "{joins}");

    let event =
        |name: &str| EventRequest { name: name.into(), payload: b"1.2".as_slice().into(), coalesce: false };
    for name in ["other", "deploy"] {
        b.user_event(event(name)).await.unwrap();
    }
    let deploys = text(&folder.path().join("deploys"), |text| text.ends_with("1.2\n")).await;
    assert_eq!(deploys, "a web deploy\n1.2\n");

    assert_eq!(ask(&b, b"load").await, [("a".to_owned(), "load from a\n".to_owned())]);

    // Now with one whose answer is too long: it is not sent, and that is all.
    handlers.replace(vec![specs[3].clone()]);
    assert_eq!(ask(&b, b"load").await, []);
    let counts = handlers.counts();
    assert_eq!((counts.failed, counts.timed_out, counts.dropped), (0, 0, 0), "{counts:?}");

    b.leave().await.unwrap();
    a.shutdown().await;
    timeout(PATIENCE, running).await.expect("handlers stop with their agent").unwrap();
}
