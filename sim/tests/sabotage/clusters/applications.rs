//! Clusters whose applications talk to each other, and whose keys and labels count.

use super::{Cluster, at_most, is_judged, nothing_more};

pub(super) const ALL: &[Cluster] = &[
    Cluster {
        name: "tags",
        asks: "New tags are known to all in a second or two.",
        text: r#"
            duration = "40s"
            [cluster]
            nodes = 12
            [[workload]]
            kind = "tags"
            at = "2s"
            every = "5s"
            nodes = { pick = 3 }
            until = "30s"
            [[expect]]
            metric = "dissemination.update.max"
            below = "2s"
        "#,
        more: |record| {
            let changes = record.distributions.get("dissemination.update").map_or(0, Vec::len);
            if changes == 18 { Ok(()) } else { Err(format!("{changes} changes were seen, 18 are right")) }
        },
    },
    Cluster {
        name: "events",
        asks: "Events of several senders reach all, once and soon, also where packets are lost and doubled.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 12
            [network]
            loss = 0.05
            duplicate = 0.2
            [[workload]]
            kind = "event"
            every = "1s"
            repick = true
            until = "40s"
            [[expect]]
            metric = "event.coverage"
            equals = 1
            [[expect]]
            metric = "event.latency.p90"
            below = "1s"
        "#,
        more: is_judged,
    },
    Cluster {
        name: "queries",
        asks: "Those who are asked answer, all of them, once, and nobody else.",
        text: r#"
            duration = "40s"
            [cluster]
            nodes = 12
            [[workload]]
            kind = "query"
            every = "2s"
            repick = true
            to = { pick = 3 }
            until = "30s"
            [[expect]]
            metric = "query.coverage"
            equals = 1
        "#,
        more: |record| {
            let asked = record.values.get("query.asked").map_or(0.0, |asked| asked.value);
            at_most(record, "response", 3 * asked as u64)
        },
    },
    Cluster {
        name: "relayed-answers",
        asks: "Answers that three members pass on come through 30 % loss.",
        text: r#"
            duration = "80s"
            [cluster]
            nodes = 12
            [network]
            loss = 0.3
            [[workload]]
            kind = "query"
            every = "2s"
            repick = true
            relay_factor = 3
            timeout = "3s"
            until = "70s"
            [[expect]]
            metric = "query.coverage"
            above = 0.88
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "unanswered",
        asks: "Queries that a crashed member cannot answer end all the same, and make room for others.",
        text: r#"
            duration = "30s"
            [cluster]
            nodes = 6
            config = { queries_max = 2, suspicion_mult = 20 }
            [[fault]]
            at = "2s"
            kind = "crash"
            nodes = ["node-3"]
            [[workload]]
            kind = "query"
            at = "3s"
            every = "2s"
            from = ["node-0"]
            timeout = "1s"
            until = "20s"
            [[expect]]
            metric = "query.coverage"
            above = 0.8
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "rotation",
        asks: "The cluster's key is changed everywhere in a few seconds.",
        text: r#"
            duration = "40s"
            [cluster]
            nodes = 8
            key = "a"
            [[workload]]
            kind = "keys"
            at = "5s"
            [[expect]]
            metric = "keys.rotation.max"
            below = "5s"
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "labels",
        asks: "Two clusters with different labels stay apart, though nodes of the one try to join the other.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 8
            zones = [{ name = "a", nodes = 4, label = "east" }, { name = "b", nodes = 4, label = "west" }]
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = ["node-5"]
            for = "3s"
            join = ["node-0"]
        "#,
        more: nothing_more,
    },
];
