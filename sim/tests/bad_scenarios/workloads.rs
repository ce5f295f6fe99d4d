//! What applications do: `[[workload]]`, keys and labels, and expectations about shares.

use std::time::Duration;

use rumormill_sim::scenario::*;

use super::{assert_one, one_problem, problems, with};

/// The small scenario with one workload; its kind is on line 9, what a test adds begins at line 10.
fn workload(kind: &str, more: &str) -> String {
    with(&format!("[[workload]]\nkind = \"{kind}\"\n{more}"))
}

/// The small scenario with a key on line 8 and a workload; what a test adds begins at line 11.
fn keys(more: &str) -> String {
    with(&format!("key = \"a\"\n[[workload]]\nkind = \"keys\"\n{more}"))
}

fn expect(more: &str) -> String {
    workload("event", &format!("[[expect]]\n{more}"))
}

#[test]
fn each_mistake_about_a_workload() {
    let cases: Vec<(String, (usize, usize), &str, &str)> = vec![
        (with("[workload]\n"), (8, 1), "workload", "must be a list, not a table"),
        (with("[[workload]]\n"), (8, 1), "workload[0].kind", "add kind = \"event\""),
        (
            workload("evnt", ""),
            (9, 8),
            "workload[0].kind",
            "did you mean \"event\"? valid: event, query, tags, keys",
        ),
        (workload("event", "form = { pick = 1 }\n"), (10, 1), "workload[0].form", "did you mean \"from\"?"),
        (
            workload("event", "answer = 3\n"),
            (10, 1),
            "workload[0].answer",
            "does not belong to a workload of kind event",
        ),
        (workload("event", "answer = 3\n"), (10, 1), "workload[0].answer", "repick, off, from, size, burst"),
        (
            workload("tags", "nodes = { all = true }\nfrom = { pick = 1 }\n"),
            (11, 1),
            "workload[0].from",
            "kind tags",
        ),
        (
            workload("event", "at = \"1m\"\n"),
            (10, 6),
            "workload[0].at",
            "must be less than the duration (1m)",
        ),
        (workload("event", "at = 3\n"), (10, 6), "workload[0].at", "a duration with its unit"),
        (workload("event", "name = \"a b\"\n"), (10, 8), "workload[0].name", "letters, digits, `-` or `_`"),
        (workload("event", "every = \"0s\"\n"), (10, 9), "workload[0].every", "must be more than 0s"),
        (
            workload("event", "every = \"1us\"\n"),
            (10, 9),
            "workload[0].every",
            "at most 100000 repetitions fit",
        ),
        (
            workload("event", "until = \"30s\"\n"),
            (10, 9),
            "workload[0].until",
            "without `every` there are none",
        ),
        (workload("event", "repick = true\n"), (10, 10), "workload[0].repick", "add every = \"1s\""),
        (
            workload("event", "every = \"1s\"\nuntil = \"2m\"\n"),
            (11, 9),
            "workload[0].until",
            "at most the duration (1m)",
        ),
        (
            workload("event", "at = \"9s\"\nevery = \"1s\"\nuntil = \"9s\"\n"),
            (12, 9),
            "workload[0].until",
            "must be after `at`",
        ),
        (workload("event", "off = 1\n"), (10, 7), "workload[0].off", "must be true or false"),
        (
            workload("event", "from = { pick = 101 }\n"),
            (10, 17),
            "workload[0].from.pick",
            "the cluster's 100 nodes",
        ),
        (workload("event", "from = { rest = true }\n"), (10, 8), "workload[0].from", "nothing here"),
        (
            workload("event", "from = { zone = \"a\" }\n"),
            (10, 17),
            "workload[0].from.zone",
            "the cluster has no zones",
        ),
        (workload("event", "size = \"big\"\n"), (10, 8), "workload[0].size", "must be a whole number"),
        (workload("event", "size = 7\n"), (10, 8), "workload[0].size", "must be from 8 to 448"),
        (
            workload("event", "size = 449\n"),
            (10, 8),
            "workload[0].size",
            "held to user_event_bytes_max (512)",
        ),
        (workload("event", "burst = 0\n"), (10, 9), "workload[0].burst", "must be from 1 to 10000"),
        (workload("query", "size = 833\n"), (10, 8), "workload[0].size", "must be from 8 to 832"),
        (workload("query", "answer = 897\n"), (10, 10), "workload[0].answer", "must be at most 896"),
        (workload("query", "ack = \"yes\"\n"), (10, 7), "workload[0].ack", "must be true or false"),
        (
            workload("query", "relay_factor = 256\n"),
            (10, 16),
            "workload[0].relay_factor",
            "must be from 0 to 255",
        ),
        (workload("query", "timeout = \"0s\"\n"), (10, 11), "workload[0].timeout", "must be from 1ms to 1h"),
        (workload("query", "to = { pick = 0 }\n"), (10, 15), "workload[0].to.pick", "must be from 1"),
        // A hundred names of up to 8 bytes leave 32 of the 1024.
        (workload("query", "to = { all = true }\n"), (8, 1), "workload[0].size", "must be from 8 to 32"),
        (workload("tags", ""), (8, 1), "workload[0].nodes", "add nodes = { fraction = 0.1 }"),
        (
            workload("tags", "nodes = { pick = 1 }\nsize = 501\n"),
            (11, 8),
            "workload[0].size",
            "must be from 8 to 500",
        ),
        (workload("keys", ""), (9, 8), "workload[0].kind", "there is no key to be changed"),
        (workload("keys", ""), (9, 8), "workload[0].kind", "add key = \"a\" to [cluster]"),
        (keys("retry = \"1ms\"\n"), (11, 9), "workload[0].retry", "must be from 100ms to 1h"),
        (
            workload("event", "name = \"x\"\n[[workload]]\nkind = \"query\"\nname = \"x\"\n"),
            (13, 8),
            "workload[1].name",
            "a workload \"x\" already",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, position, key, part)| one_problem(text, *position, key, part).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_mistake_about_keys_labels_and_the_settings_of_serf_s_layer() {
    let zones = |of: &str| with(&format!("zones = [{{ name = \"x\", nodes = 100, {of} }}]\n"));
    let long = "l".repeat(256);
    let cases: Vec<(String, (usize, usize), &str, &str)> = vec![
        (with("key = 3\n"), (8, 7), "cluster.key", "must be a text"),
        (with("key = \"\"\n"), (8, 7), "cluster.key", "equal names are equal keys"),
        (with("keys = \"a\"\n"), (8, 1), "cluster.keys", "did you mean \"key\"?"),
        (zones("key = \"a b\""), (8, 43), "cluster.zones[0].key", "letters, digits, `-` or `_`"),
        (zones("label = true"), (8, 45), "cluster.zones[0].label", "must be a text"),
        (
            zones(&format!("label = \"{long}\"")),
            (8, 45),
            "cluster.zones[0].label",
            "must be at most 255 bytes",
        ),
        (zones("lable = \"a\""), (8, 37), "cluster.zones[0].lable", "did you mean \"label\"?"),
        (
            keys("").replace(
                "key = \"a\"\n",
                "key = \"a\"\nzones = [{ name = \"x\", nodes = 100, key = \"b\" }]\n",
            ),
            (11, 8),
            "workload[0].kind",
            "some zones have another key",
        ),
        (
            with("config = { simulation = true }\n"),
            (8, 25),
            "cluster.config.simulation",
            "the simulator turns it on where there are keys",
        ),
        (
            with("config = { pacing = \"pacd\" }\n"),
            (8, 21),
            "cluster.config.pacing",
            "did you mean \"paced\"? valid: tick, paced",
        ),
        (
            with("config = { packing = 3 }\n"),
            (8, 22),
            "cluster.config.packing",
            "for example packing = \"fair\"",
        ),
        (with("config = { cipher = \"aes\" }\n"), (8, 21), "cluster.config.cipher", "unknown word \"aes\""),
        (
            with("config = { event_buffer = 1 }\n"),
            (8, 27),
            "cluster.config.event_buffer",
            "must be from 16 to 65536",
        ),
        (
            with("config = { event_repair_delay = \"2m\" }\n"),
            (8, 33),
            "cluster.config.event_repair_delay",
            "must be from 1ms to 1m",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, position, key, part)| one_problem(text, *position, key, part).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_mistake_about_expected_shares() {
    let cases: Vec<(String, (usize, usize), &str, &str)> = vec![
        (
            expect("metric = \"event.all\"\nwilson_contains = 0.97\n"),
            (10, 1),
            "expect[0].over",
            "add over = \"pooled\"",
        ),
        (
            expect("metric = \"event.all\"\nover = \"median\"\nwilson_contains = 0.97\n"),
            (12, 8),
            "expect[0].over",
            "all seeds together",
        ),
        (
            expect("metric = \"event.all\"\nover = \"pooled\"\nwilson_contains = 1.5\n"),
            (13, 19),
            "expect[0].wilson_contains",
            "must be at most 1",
        ),
        (
            expect("metric = \"event.all\"\nabove = 99\n"),
            (12, 9),
            "expect[0].above",
            "a share: 0.971 is 97.1 %",
        ),
        (
            expect("metric = \"event.all\"\nabove = \"1s\"\n"),
            (12, 9),
            "expect[0].above",
            "event.all is a share",
        ),
        (
            expect("metric = \"event.sent\"\nover = \"pooled\"\nwilson_contains = 0.5\n"),
            (13, 1),
            "expect[0].wilson_contains",
            "such shares: event.coverage, event.all, query.coverage",
        ),
        (
            expect("metric = \"event.all.p50\"\nabove = 0.5\n"),
            (11, 10),
            "expect[0].metric",
            "has no statistics",
        ),
        (
            expect("metric = \"event.al\"\nabove = 0.5\n"),
            (11, 10),
            "expect[0].metric",
            "did you mean \"event.all\"?",
        ),
        (
            expect("metric = \"event.latency\"\nbelow = \"1s\"\n"),
            (11, 10),
            "expect[0].metric",
            "event.latency.p99",
        ),
        (
            expect("metric = \"query.coverage\"\nequals = 1\n"),
            (11, 10),
            "expect[0].metric",
            "it needs a workload of kind query",
        ),
        (
            expect("metric = \"keys.rotation.max\"\nbelow = \"1m\"\n"),
            (11, 10),
            "expect[0].metric",
            "it needs a workload of kind keys",
        ),
        (
            expect("metric = \"dissemination.update.p99\"\nbelow = \"1m\"\n"),
            (11, 10),
            "expect[0].metric",
            "it needs a workload of kind tags",
        ),
        (
            expect("metric = \"event.all\"\nbelow = 0.5\nwilson_contains = 0.97\n"),
            (10, 1),
            "expect[0]",
            "exactly one of below, above, equals, near and wilson_contains",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, position, key, part)| one_problem(text, *position, key, part).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let two =
        expect("metric = \"event.all\"\nover = \"pooled\"\nwilson_contains = 0.97\nratio_to = \"default\"\n");
    assert!(problems(&two).to_string().contains("a quotient has no Wilson interval"));
}

#[test]
fn sizes_are_held_to_the_smallest_limit_of_any_variant() {
    let variants =
        "[[variant]]\nname = \"a\"\n[[variant]]\nname = \"b\"\nconfig = { user_event_bytes_max = 100 }\n";
    let text = workload("event", &format!("size = 64\n{variants}"));
    assert_one(&text, (10, 8), "workload[0].size", "must be from 8 to 36");
    let roomy = workload("event", "size = 9000\n")
        .replace("nodes = 100\n", "nodes = 100\nconfig = { user_event_bytes_max = 9216 }\n");
    Scenario::parse(&roomy, "roomy.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let crowd = workload("query", "to = { all = true }\n").replace("nodes = 100\n", "nodes = 1000\n");
    assert_one(&crowd, (8, 1), "workload[0].size", "names and fields alone take up to 9192");
}

#[test]
fn good_workloads_are_read_as_they_are_meant() {
    let text = r#"
        name = "good"
        warmup = "5s"
        duration = "3m"
        [cluster]
        nodes = 100
        key = "old"
        zones = [{ name = "a", nodes = 40 }, { name = "b", nodes = 60, label = "bee" }]
        config = { pacing = "tick", packing = "strict", event_repair = false, cipher = "chacha20-poly1305" }
        [[workload]]
        kind = "event"
        [[workload]]
        kind = "event"
        name = "storm"
        at = "20s"
        every = "50ms"
        until = "1m"
        repick = true
        off = true
        from = { zone = "a" }
        size = 128
        burst = 10
        [[workload]]
        kind = "query"
        from = ["node-3"]
        to = ["node-4", "node-5"]
        size = 100
        answer = 200
        ack = true
        relay_factor = 3
        timeout = "2s"
        [[workload]]
        kind = "query"
        [[workload]]
        kind = "tags"
        nodes = { fraction = 0.5 }
        [[workload]]
        kind = "keys"
        at = "10s"
        retry = "3s"
        [[expect]]
        metric = "event.all"
        wilson_contains = 0.971
        over = "pooled"
        [[expect]]
        metric = "query.coverage"
        above = 0.99
    "#;
    let scenario = Scenario::parse(text, "good.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let seconds = Duration::from_secs;
    let event = |from, size, burst| WorkloadKind::Event { from, size, burst };
    let plain = |kind| Workload::new(seconds(5), kind);
    let query = WorkloadKind::Query {
        from: Selector::Nodes(vec![3]),
        to: Some(Selector::Nodes(vec![4, 5])),
        size: 100,
        answer: 200,
        ack: true,
        relay_factor: 3,
        timeout: Some(seconds(2)),
    };
    let default_query = WorkloadKind::Query {
        from: Selector::Pick(1),
        to: None,
        size: 64,
        answer: 16,
        ack: false,
        relay_factor: 0,
        timeout: None,
    };
    let storm = Workload {
        name: "storm".into(),
        every: Some(Duration::from_millis(50)),
        until: Some(seconds(60)),
        repick: true,
        off: true,
        ..Workload::new(seconds(20), event(Selector::Zone(0), 128, 10))
    };
    let tags = WorkloadKind::Tags { nodes: Selector::Fraction(0.5), size: 64 };
    let keys = WorkloadKind::Keys { from: Selector::Pick(1), retry: seconds(3) };
    let wanted = [
        plain(event(Selector::Pick(1), 64, 1)),
        storm,
        plain(query),
        plain(default_query),
        plain(tags),
        Workload::new(seconds(10), keys),
    ];
    assert_eq!(scenario.workloads, wanted);
    assert_eq!(scenario.cluster.key.as_deref(), Some("old"));
    let zones = &scenario.cluster.zones;
    assert_eq!((zones[0].label.as_deref(), zones[1].label.as_deref()), (None, Some("bee")));
    assert_eq!(scenario.expects[0].bound, Bound::WilsonContains(0.971));
    assert!(!scenario.cluster.config.event_repair && !scenario.cluster.config.simulation);
    scenario.check().unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn an_override_reaches_a_workload() {
    let text = workload("event", "");
    let set = |one: &str| Scenario::parse(&text, "w.toml", &[Override::parse(one).expect("it can be read")]);
    let scenario = set("workload[0].every=2s").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(scenario.workloads[0].every, Some(Duration::from_secs(2)));
    let shown = set("workload[0].size=9999").expect_err("it is too long").to_string();
    assert!(
        shown.starts_with("--set workload[0].size=9999: workload[0].size: must be from 8 to 448"),
        "{shown}"
    );
}

#[test]
fn workloads_built_in_code_are_held_to_the_same_rules() {
    let mut scenario =
        Scenario::parse(&workload("event", ""), "w.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let keys = WorkloadKind::Keys { from: Selector::Pick(1), retry: Duration::ZERO };
    scenario.workloads.push(Workload::new(Duration::from_secs(60), keys));
    let shown = scenario.check().expect_err("three things are wrong").to_string();
    for part in ["workload[1].at: must be less", "workload[1].retry: must be from", "there is no key"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
