//! What is said about networks and faults that make no sense: one mistake, one message, at its place.

use rumormill_sim::Scenario;

/// The smallest scenario, 7 lines long, so that what a test adds begins at line 8.
const SMALL: &str = "name = \"small\"\nduration = \"1m\"\n\n[cluster]\nnodes = 100\nzones = [{ name = \"a\", nodes = 50 }, { name = \"b\", nodes = 50 }]\n\n";

/// What is added; the key at fault; a part of what is said.
type Case = (&'static str, &'static str, &'static str);

const PAUSE: &str = "[[fault]]\nat = \"1s\"\nkind = \"pause\"\nnodes = { pick = 1 }\n";
const CUT: &str = "[[fault]]\nat = \"1s\"\nkind = \"partition\"\n";
const LINK: &str = "[[fault]]\nat = \"1s\"\nkind = \"link\"\n";

fn check(cases: &[(String, &str, &str)]) {
    let mut wrong = String::new();
    for (more, key, part) in cases {
        let text = format!("{SMALL}{more}");
        match Scenario::parse(&text, "bad.toml", &[]) {
            Ok(_) => wrong.push_str(&format!("accepted: {more}\n")),
            Err(found) => {
                let shown = found.to_string();
                let one = found.iter().next().unwrap();
                if found.count() != 1 || one.key != *key || !shown.contains(part) {
                    wrong.push_str(&format!("not {key}: {part}, but\n{shown}\n"));
                }
                assert!(one.position.is_some_and(|(line, _)| line >= 4), "{shown}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn after(before: &str, cases: &[Case]) {
    let whole: Vec<(String, &str, &str)> =
        cases.iter().map(|(more, key, part)| (format!("{before}{more}\n"), *key, *part)).collect();
    check(&whole);
}

#[test]
fn of_networks() {
    after(
        "[network]\n",
        &[
            ("duplicate = 1.5", "network.duplicate", "must be from 0 to 1"),
            ("corrupt = -0.1", "network.corrupt", "must be from 0 to 1"),
            ("stream_loss = 2", "network.stream_loss", "must be from 0 to 1"),
            ("loss = \"much\"", "network.loss", "must be a number, not a text"),
            ("bandwidth = 0", "network.bandwidth", "must be from 1 to"),
            ("bandwidth = \"1MB\"", "network.bandwidth", "must be a whole number"),
            ("packet_bytes_max = 70000", "network.packet_bytes_max", "must be from 1 to 65535"),
            ("receive_buffer = \"big\"", "network.receive_buffer", "must be a whole number"),
            ("recieve_buffer = 3", "network.recieve_buffer", "did you mean \"receive_buffer\"?"),
            ("reorder = 0.1", "network.reorder", "must be a table"),
            ("reorder = { chance = 0.1 }", "network.reorder.extra", "`extra` is missing"),
            ("reorder = { chance = 3, extra = \"1ms\" }", "network.reorder.chance", "must be from 0 to 1"),
            ("reorder = { chance = 1, extra = \"2m\" }", "network.reorder.extra", "from 1us to 1m"),
        ],
    );
}

#[test]
fn of_latencies() {
    after(
        "[network]\nlatency = ",
        &[
            ("{ kind = \"normal\", mean = \"1ms\" }", "network.latency.sd", "`sd` is missing"),
            ("{ kind = \"normal\", mean = \"0s\", sd = \"1ms\" }", "network.latency.mean", "from 1us to 1m"),
            ("{ kind = \"pareto\", min = \"1ms\", shape = 0 }", "network.latency.shape", "from 0.1 to 100"),
            ("{ kind = \"pareto\", min = \"1ms\" }", "network.latency.shape", "`shape` is missing"),
            (
                "{ kind = \"constant\", value = \"1ms\", shape = 2 }",
                "network.latency.shape",
                "does not belong to a constant latency",
            ),
            ("{ kind = \"empirical\" }", "network.latency.table", "`table` is missing"),
            ("{ kind = \"empirical\", table = [] }", "network.latency.table", "must have 2 to"),
            (
                "{ kind = \"empirical\", table = [[0.0, \"1ms\"], [0.9, \"2ms\"]] }",
                "network.latency.table",
                "from share 0 to share 1",
            ),
            (
                "{ kind = \"empirical\", table = [[0.0, \"1ms\"], [1.0, \"500us\"]] }",
                "network.latency.table[1]",
                "no smaller latency",
            ),
            (
                "{ kind = \"empirical\", table = [[0.0, \"1ms\"], \"x\", [1.0, \"2ms\"]] }",
                "network.latency.table[1]",
                "a share and the latency there",
            ),
        ],
    );
}

#[test]
fn of_bursts() {
    after(
        "[network]\nloss = { kind = \"gilbert-elliott\", ",
        &[
            ("mean_good = \"1s\", mean_bad = \"1s\" }", "network.loss.bad", "`bad` is missing"),
            ("bad = 2, mean_good = \"1s\", mean_bad = \"1s\" }", "network.loss.bad", "must be from 0 to 1"),
            ("bad = 1, mean_bad = \"1s\" }", "network.loss.mean_good", "`mean_good` is missing"),
            ("bad = 1, mean_good = \"1us\", mean_bad = \"1s\" }", "network.loss.mean_good", "from 1ms to 1h"),
            ("bad = 1, mean_good = 1, mean_bad = \"1s\" }", "network.loss.mean_good", "with its unit"),
            ("bed = 1, bad = 1, mean_good = \"1s\", mean_bad = \"1s\" }", "network.loss.bed", "unknown key"),
        ],
    );
}

#[test]
fn of_links() {
    after(
        "[[network.link]]\nfrom = { zone = \"a\" }\n",
        &[
            ("to = { zone = \"b\" }", "network.link[0]", "the link changes nothing"),
            ("loss = 0.5", "network.link[0].to", "`to` is missing"),
            ("to = { fraction = 0.5 }\nloss = 1", "network.link[0].to", "cannot draw its nodes"),
            ("to = { rest = false }\nloss = 1", "network.link[0].to.rest", "can only be true"),
            ("to = { rest = true }\nreceive_buffer = 5", "network.link[0].receive_buffer", "unknown key"),
        ],
    );
    after(
        "[[network.link]]\nfrom = { rest = true }\nto = { rest = true }\n",
        &[("loss = 0.5", "network.link[0].to", "both sides cannot be the rest of each other")],
    );
}

#[test]
fn of_faults_that_last_and_repeat() {
    after(
        PAUSE,
        &[
            ("for = \"2m\"", "fault[0].for", "ends after the duration"),
            ("for = \"5s\"\nevery = \"2s\"", "fault[0].every", "must be at least `for` (5s)"),
            ("every = \"2s\"", "fault[0].every", "has to end before"),
            ("for = \"1s\"\nevery = \"0s\"", "fault[0].every", "more than 0s"),
            ("for = \"1s\"\nuntil = \"9s\"", "fault[0].until", "without `every` there are none"),
            ("repick = true", "fault[0].repick", "without `every` there are none"),
            ("for = \"1s\"\nevery = \"5s\"\nuntil = \"1s\"", "fault[0].until", "must be after `at`"),
            ("for = \"1s\"\nevery = \"5s\"\nuntil = \"2m\"", "fault[0].until", "at most the duration"),
            ("off = 1", "fault[0].off", "must be true or false"),
            ("name = \"two words\"", "fault[0].name", "letters, digits"),
            ("extra = 3", "fault[0].extra", "`extra` does not belong to a pause"),
        ],
    );
    after(
        &format!("{PAUSE}name = \"x\"\n{PAUSE}"),
        &[("name = \"x\"", "fault[1].name", "there is a fault \"x\" already")],
    );
}

#[test]
fn of_each_kind_of_fault() {
    let fault = |kind: &str| format!("[[fault]]\nat = \"1s\"\nnodes = {{ pick = 1 }}\nkind = \"{kind}\"\n");
    after(
        &fault("slow"),
        &[
            ("for = \"1s\"", "fault[0].extra", "`extra` is missing"),
            ("extra = { kind = \"constant\", value = \"2m\" }", "fault[0].extra.value", "from 1us to 1m"),
            ("extra = \"1s\"", "fault[0].extra", "must be a table"),
        ],
    );
    after(
        &fault("clock"),
        &[
            ("for = \"1s\"", "fault[0]", "without `rate` and `offset` changes nothing"),
            ("rate = 0", "fault[0].rate", "must be from 0.1 to 10"),
            ("offset = \"5\"", "fault[0].offset", "needs a unit"),
            ("offset = \"-2h\"", "fault[0].offset", "must be at most 1h"),
            ("offset = 3", "fault[0].offset", "must be a text"),
        ],
    );
    after(
        &fault("pause").replace("pick = 1", "rest = true"),
        &[("", "fault[0].nodes", "nothing here that this could be the rest of")],
    );
    after(
        CUT,
        &[
            (
                "partition = { a = { pick = 1 }, b = { rest = true }, share = 0 }",
                "fault[0].partition.share",
                "more than 0",
            ),
            (
                "partition = { a = { pick = 1 }, b = { rest = true }, traffic = \"udp\" }",
                "fault[0].partition.traffic",
                "valid: all, datagrams, streams",
            ),
            (
                "partition = { a = { rest = true }, b = { rest = true } }",
                "fault[0].partition.b",
                "both sides cannot be the rest",
            ),
        ],
    );
    after(
        LINK,
        &[
            ("for = \"1s\"", "fault[0].link", "`link` is missing"),
            (
                "link = { from = { pick = 1 }, to = { rest = true } }",
                "fault[0].link",
                "the fault changes nothing",
            ),
            (
                "link = { from = { pick = 1 }, to = { rest = true }, loss = 3 }",
                "fault[0].link.loss",
                "must be from 0 to 1",
            ),
            ("link = { to = { all = true }, loss = 1 }", "fault[0].link.from", "`from` is missing"),
        ],
    );
}

#[test]
fn of_staggered_starts() {
    let cluster = |more: &str| SMALL.replace("zones", &format!("{more}\nzones"));
    for (more, key, part) in [
        ("start = \"join-staggered\"", "cluster.gap", "`gap` is missing"),
        ("start = \"join-staggered\"\ngap = \"1s\"", "cluster.gap", "the last node must start before"),
        ("start = \"join-staggered\"\ngap = \"0s\"", "cluster.gap", "more than 0s"),
        ("gap = \"1s\"", "cluster.gap", "a cluster that starts one by one"),
    ] {
        let found = Scenario::parse(&cluster(more), "bad.toml", &[]).expect_err(more);
        let shown = found.to_string();
        let keys: Vec<&str> = found.iter().map(|one| one.key.as_str()).collect();
        assert!(keys == [key] && shown.contains(part), "{shown}");
    }
}
