//! A table of mistakes: each is named with its place, its key and what would be right.

use super::{SMALL, one_problem, with};

/// Text, line and column, key, and a part of what is said.
type Case<'a> = (String, (usize, usize), &'a str, &'a str);

fn each(cases: &[Case<'_>]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, position, key, part)| one_problem(text, *position, key, part).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_mistake_about_the_run_and_the_cluster() {
    each(&[
        (SMALL.replace("seeds", "sedes"), (2, 1), "sedes", "did you mean \"seeds\"?"),
        (SMALL.replace("\"1m\"", "60"), (3, 12), "duration", "a duration with its unit, not a bare number"),
        (SMALL.replace("\"1m\"", "\"60\""), (3, 12), "duration", "needs a unit: ns, us, ms, s, m, h or d"),
        (SMALL.replace("= 2", "= 0"), (2, 9), "seeds", "must be from 1 to 100000"),
        (SMALL.replace("= 2", "= 100001"), (2, 9), "seeds", "must be from 1 to 100000"),
        (SMALL.replace("= 2", "= -1"), (2, 9), "seeds", "must be 0 or more"),
        (SMALL.replace("100", "100001"), (6, 9), "cluster.nodes", "must be from 1 to 100000"),
        (SMALL.replace("100", "99999999999999999999"), (6, 9), "cluster.nodes", "must be from 1 to 100000"),
        (SMALL.replace("100", "\"many\""), (6, 9), "cluster.nodes", "must be a whole number, not a text"),
        (SMALL.replace("small", "../up"), (1, 8), "name", "letters, digits, `-` or `_`"),
        (SMALL.replace("duration = \"1m\"", ""), (1, 1), "duration", "`duration` is missing"),
        (SMALL.replace("seeds = 2", "warmup = \"1m\""), (2, 10), "warmup", "less than the duration (1m)"),
        (
            with("profile = \"lann\"\n"),
            (8, 11),
            "cluster.profile",
            "did you mean \"lan\"? valid: lan, wan, local",
        ),
        (with("start = \"joined\"\n"), (8, 9), "cluster.start", "unknown start \"joined\""),
        (
            with("config = { gosip_nodes = 4 }\n"),
            (8, 12),
            "cluster.config.gosip_nodes",
            "did you mean \"gossip_nodes\"?",
        ),
        (
            with("config = { gossip_nodes = \"x\" }\n"),
            (8, 27),
            "cluster.config.gossip_nodes",
            "for example gossip_nodes = 3",
        ),
        (
            with("config = { gossip_nodes = 65 }\n"),
            (8, 27),
            "cluster.config.gossip_nodes",
            "must be from 0 to 64",
        ),
        (
            with("config = { probe_interval = \"1\" }\n"),
            (8, 29),
            "cluster.config.probe_interval",
            "needs a unit",
        ),
        (
            with("config = { suspicion_confirmations = \"x\" }\n"),
            (8, 38),
            "cluster.config.suspicion_confirmations",
            "= \"auto\"",
        ),
        (
            with("config = { notes = true }\n"),
            (8, 20),
            "cluster.config.notes",
            "the simulator always turns it on",
        ),
        (
            with("zones = [{ name = \"a\", nodes = 99 }]\n"),
            (8, 9),
            "cluster.zones",
            "the zones have 99 nodes, but the cluster has 100",
        ),
        (
            with("zones = [{ name = \"a\", nodes = 50 }, { name = \"a\", nodes = 50 }]\n"),
            (8, 47),
            "cluster.zones[1].name",
            "a zone \"a\" already",
        ),
    ]);
}

#[test]
fn each_mistake_about_the_network() {
    each(&[
        (with("[network]\nloss = 1.5\n"), (9, 8), "network.loss", "must be from 0 to 1"),
        (with("[network]\nloss = nan\n"), (9, 8), "network.loss", "must be from 0 to 1"),
        (
            with("[network]\nloss = { kind = \"gilbert\" }\n"),
            (9, 17),
            "network.loss.kind",
            "did you mean \"gilbert-elliott\"?",
        ),
        (
            with("[network]\nlatency = { kind = \"gamma\" }\n"),
            (9, 20),
            "network.latency.kind",
            "valid: constant, uniform, normal, lognormal, pareto, empirical",
        ),
        (
            with("[network]\nlatency = { kind = \"constant\", p99 = \"1s\", value = \"1s\" }\n"),
            (9, 32),
            "network.latency.p99",
            "does not belong to a constant latency",
        ),
        (
            with("[network]\nlatency = { kind = \"uniform\", min = \"2s\", max = \"1s\" }\n"),
            (9, 49),
            "network.latency.max",
            "must be more than min (2s)",
        ),
        (
            with("[[network.link]]\nfrom = { pick = 1 }\nto = { all = true }\nloss = 0.5\n"),
            (9, 8),
            "network.link[0].from",
            "a link cannot draw its nodes",
        ),
    ]);
}

#[test]
fn each_mistake_about_a_fault() {
    let crash = "[[fault]]\nat = \"30s\"\nkind = \"crash\"\n";
    each(&[
        (
            with("[[fault]]\nat = \"1s\"\nkind = \"pauze\"\nnodes = { pick = 1 }\n"),
            (10, 8),
            "fault[0].kind",
            "did you mean \"pause\"?",
        ),
        (
            with(&format!("{crash}nodes = [\"node-1\", \"node-100\"]\n")),
            (11, 20),
            "fault[0].nodes[1]",
            "the last of 100 nodes is node-99",
        ),
        (
            with(&format!("{crash}nodes = [\"node-07\"]\n")),
            (11, 10),
            "fault[0].nodes[0]",
            "\"node-07\" is no node's name",
        ),
        (
            with(&format!("{crash}nodes = {{ zone = \"a\" }}\n")),
            (11, 18),
            "fault[0].nodes.zone",
            "the cluster has no zones",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 0 }}\n")),
            (11, 18),
            "fault[0].nodes.pick",
            "from 1 to the cluster's 100 nodes",
        ),
        (
            with(&format!("{crash}nodes = {{ fraction = 2 }}\n")),
            (11, 22),
            "fault[0].nodes.fraction",
            "more than 0, up to 1",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 1, all = true }}\n")),
            (11, 9),
            "fault[0].nodes",
            "exactly one of",
        ),
        (with(crash), (8, 1), "fault[0].nodes", "`nodes` is missing"),
        (
            with(&format!("{crash}nodes = {{ pick = 1 }}\nevry = \"1s\"\n")),
            (12, 1),
            "fault[0].evry",
            "did you mean \"every\"?",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 1 }}\nfor = \"31s\"\n")),
            (12, 7),
            "fault[0].for",
            "ends after the duration (1m)",
        ),
        (
            with(&format!("{crash}nodes = {{ pick = 1 }}\nstate = \"lost\"\n")),
            (12, 9),
            "fault[0].state",
            "without `for` they never do",
        ),
        (
            with("[[fault]]\nat = \"1m\"\nkind = \"leave\"\nnodes = { pick = 1 }\n"),
            (9, 6),
            "fault[0].at",
            "less than the duration (1m)",
        ),
        (
            with("[[fault]]\nat = \"1s\"\nkind = \"leave\"\nnodes = { pick = 1 }\nfor = \"1s\"\n"),
            (12, 1),
            "fault[0].for",
            "`for` does not belong to a leave",
        ),
        (
            with("[[fault]]\nat = \"1s\"\nkind = \"join\"\nnodes = [\"node-0\"]\n"),
            (11, 9),
            "fault[0].nodes",
            "node-0 cannot join later",
        ),
        (
            with(
                "[[fault]]\nat = \"1s\"\nkind = \"partition\"\npartition = { a = { all = true }, b = { pick = 1 } }\n",
            ),
            (11, 39),
            "fault[0].partition.b",
            "every node of b is on side a too",
        ),
    ]);
}

#[test]
fn each_mistake_about_an_expectation() {
    each(&[
        (
            with("[[expect]]\nmetric = \"flapz\"\nequals = 0\n"),
            (9, 10),
            "expect[0].metric",
            "did you mean \"flaps\"?",
        ),
        (
            with("[[expect]]\nmetric = \"flaps.p50\"\nequals = 0\n"),
            (9, 10),
            "expect[0].metric",
            "has no statistics",
        ),
        (
            with("[[expect]]\nmetric = \"detection.all\"\nbelow = \"1s\"\n"),
            (9, 10),
            "expect[0].metric",
            "a statistic must be named",
        ),
        (
            with("[[expect]]\nmetric = \"detection.all.p98\"\nbelow = \"1s\"\n"),
            (9, 10),
            "expect[0].metric",
            "unknown statistic \"p98\"",
        ),
        (
            with("[[expect]]\nmetric = \"detection.all.p99\"\nbelow = \"1s\"\n"),
            (9, 10),
            "expect[0].metric",
            "needs a fault of kind crash",
        ),
        (
            with("[[expect]]\nmetric = \"convergence\"\nbelow = 20\n"),
            (10, 9),
            "expect[0].below",
            "a duration with its unit",
        ),
        (
            with("[[expect]]\nmetric = \"flaps\"\nbelow = \"20s\"\n"),
            (10, 9),
            "expect[0].below",
            "flaps is a count, so the bound must be a plain number",
        ),
        (with("[[expect]]\nmetric = \"flaps\"\n"), (8, 1), "expect[0]", "has no bound"),
        (
            with("[[expect]]\nmetric = \"flaps\"\nbelow = 0\n"),
            (10, 9),
            "expect[0].below",
            "must be more than 0",
        ),
        (
            with("[[expect]]\nmetric = \"flaps\"\nbelow = 3\nover = \"all\"\n"),
            (11, 8),
            "expect[0].over",
            "each-seed, median, worst, pooled",
        ),
    ]);
}

#[test]
fn each_mistake_about_what_a_file_is_made_of() {
    each(&[
        (with("[worklaod]\n"), (8, 2), "worklaod", "did you mean \"workload\"?"),
        (
            with("fault = 3\n").replace("[cluster]\nnodes = 100\n", "cluster = { nodes = 100 }"),
            (6, 9),
            "fault",
            "must be a list, not a whole number",
        ),
        ("name = \n".into(), (1, 8), "", "is not TOML"),
    ]);
}
