//! The wall clock of one machine jumps: libfaketime tells one agent another time of day, its other clocks are left alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::network::{Family, Network};
use super::node::{BRISK, Cluster, Node};
use crate::harness::wait_until;

/// Debian's libfaketime.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("there is a folder of libraries").flatten();
    let found =
        folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    found.expect("Debian's package libfaketime is needed")
}

/// Begins to say that it is this much later; in one step, so that nobody reads half of it.
fn set_clock(file: &Path, offset: &str) {
    let new = file.with_extension("new");
    fs::write(&new, offset).expect("the folder is writable");
    fs::rename(new, file).expect("the folder is writable");
}

/// The day of the newest of so many lines about tags of others, as the log has it: `2026/01/31`.
fn day_of(node: &Node, count: usize) -> Option<String> {
    let log = node.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("serf: EventMemberUpdate: ")).collect();
    (lines.len() == count)
        .then(|| lines.last().and_then(|line| line.get(..10)).unwrap_or_default().to_owned())
}

/// The day that it is so many days from now, as the log writes it.
fn day(offset: &str) -> String {
    let date =
        std::process::Command::new("date").args(["-d", offset, "+%Y/%m/%d"]).output().expect("there is date");
    String::from_utf8_lossy(&date.stdout).trim().to_owned()
}

#[test]
fn a_clock_that_jumps_months_forth_and_back_changes_nothing_but_the_log() {
    let network = Network::new(4, Family::V4);
    let mut cluster = Cluster::start_on(network, 3, BRISK, |_, _| Vec::new());
    let clock = cluster.folder.path().join("clock");
    set_clock(&clock, "+0");
    let wrapper = [
        "env".to_owned(),
        format!("LD_PRELOAD={}", library().display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", clock.display()),
        "FAKETIME_NO_CACHE=1".into(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".into(),
    ];
    let join = format!("-join={}", cluster.nodes[0].gossip_addr());
    let host = &cluster.network.hosts[3];
    cluster.nodes.push(Node::start_by(&wrapper, host, "n4", cluster.folder.path(), BRISK, &[&join]));
    cluster.await_all_alive(Duration::from_secs(30));

    let jumper = &cluster.nodes[3];
    for (round, (offset, days)) in
        [("+0", "0 days"), ("+90d", "90 days"), ("-400d", "400 days ago")].iter().enumerate()
    {
        set_clock(&clock, offset);
        let text = format!("the clock says {offset}");
        assert!(cluster.nodes[round % 3].tell(&text));
        Cluster::await_told(&cluster.nodes, &text);
        // Something that is logged everywhere.
        let tags = std::collections::BTreeMap::from([("round".to_owned(), round.to_string())]);
        cluster.nodes[0].call(async |client| client.tags(&tags, &[]).await).expect("tags can be set");
        let mut logged = None;
        wait_until("the change is logged", || {
            logged = day_of(jumper, round + 1);
            logged.is_some()
        });
        // Around midnight it may be the day after.
        let now = day(days);
        assert!(
            logged.as_ref() == Some(&now) || logged == Some(day(&format!("{days} 1 minute ago"))),
            "{logged:?}, {now}"
        );
        // What has a deadline keeps it: a query is asked, answered and over.
        let answered = jumper.call(async |client| {
            let query = rumormill_tokio::rpc::client::QueryParams {
                name: "who".into(),
                ack: true,
                timeout: Some(Duration::from_secs(2)),
                ..Default::default()
            };
            let mut answers = client.query(query).await?;
            let mut acks = 0;
            while let Some(answer) = answers.next().await {
                answer?;
                acks += 1;
            }
            Ok(acks)
        });
        assert_eq!(answered.expect("it answers"), 4);
        Cluster::await_probes(&cluster.nodes, 8);
        cluster.await_all_alive(Duration::from_secs(5));
    }
    assert_eq!(cluster.failures(), []);
}
