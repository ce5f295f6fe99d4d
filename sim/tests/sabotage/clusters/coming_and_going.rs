//! Clusters whose members come, go, and come back.

use super::{Cluster, is_judged, nothing_more};

pub(super) const ALL: &[Cluster] = &[
    Cluster {
        name: "join",
        asks: "Who joins knows all others at once, and they know it.",
        text: r#"
            duration = "40s"
            [cluster]
            nodes = 20
            [[fault]]
            at = "5s"
            kind = "join"
            nodes = { pick = 4 }
            [[expect]]
            metric = "dissemination.join.max"
            below = "2s"
            [[expect]]
            metric = "convergence"
            below = "3s"
        "#,
        more: is_judged,
    },
    Cluster {
        name: "silent-contact",
        asks: "Who joins through a member that does not answer goes on to the next.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 8
            [[fault]]
            at = "0s"
            kind = "partition"
            partition = { a = ["node-7"], b = ["node-1", "node-2", "node-3"] }
            for = "59s"
            [[fault]]
            at = "5s"
            kind = "join"
            nodes = ["node-7"]
            join = ["node-1", "node-2", "node-3", "node-0"]
            [[expect]]
            metric = "members.wrong.end"
            equals = 0
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "partition",
        asks: "Two halves that were apart until each had forgotten the other find each other again.",
        text: r#"
            duration = "3m"
            [cluster]
            nodes = 10
            config = { reconnect_interval = "10s", push_pull_interval = "10s" }
            [[fault]]
            at = "5s"
            kind = "partition"
            partition = { a = { pick = 5 }, b = { rest = true } }
            for = "60s"
            [[expect]]
            metric = "members.wrong.end"
            equals = 0
        "#,
        more: is_judged,
    },
    Cluster {
        name: "hearsay",
        asks: "When two halves meet again, what each says of the other's members makes nobody dead.",
        text: r#"
            duration = "2m"
            [cluster]
            nodes = 10
            config = { gossip_to_dead = "10m" }
            [[fault]]
            at = "5s"
            kind = "partition"
            partition = { a = { pick = 5 }, b = { rest = true } }
            for = "60s"
            [[expect]]
            metric = "false_positives.all"
            equals = 0
        "#,
        more: is_judged,
    },
    Cluster {
        name: "old-news",
        asks: "A member that comes back with an old table revives nobody by it.",
        text: r#"
            warmup = "60s"
            duration = "2m"
            [cluster]
            nodes = 10
            config = { gossip_to_dead = "10m" }
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = ["node-3"]
            for = "75s"
            [[fault]]
            at = "6s"
            kind = "crash"
            nodes = ["node-4"]
            [[expect]]
            metric = "suspicions"
            below = 2
        "#,
        more: is_judged,
    },
    Cluster {
        name: "restart",
        asks: "Who comes back with its snapshot is believed without a refutation.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 10
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = { pick = 2 }
            for = "25s"
            [[expect]]
            metric = "refutations"
            equals = 0
            [[expect]]
            metric = "convergence"
            below = "3s"
        "#,
        more: is_judged,
    },
    Cluster {
        name: "lost-memory",
        asks: "Who comes back without a memory outbids what is known of its former life.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 10
            [[workload]]
            kind = "tags"
            every = "1s"
            until = "4s"
            nodes = { all = true }
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = { pick = 3 }
            for = "2s"
            state = "lost"
            [[expect]]
            metric = "refutations"
            above = 2
            [[expect]]
            metric = "members.wrong.end"
            equals = 0
        "#,
        more: is_judged,
    },
    Cluster {
        name: "reclaim",
        asks: "A dead member's name may be taken from another address once it is forgotten.",
        text: r#"
            duration = "90s"
            [cluster]
            nodes = 10
            config = { gossip_to_dead = "5s" }
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = { pick = 1 }
            for = "40s"
            address = "new"
            state = "lost"
            [[expect]]
            metric = "members.wrong.end"
            equals = 0
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "name-in-use",
        asks: "A node whose name lives at another address gives it up.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 8
            [[fault]]
            at = "10s"
            kind = "restart"
            nodes = ["node-3"]
            address = "new"
        "#,
        more: |record| match record.series.up.last() {
            Some(7) => Ok(()),
            up => Err(format!("{up:?} nodes are up, 7 are right")),
        },
    },
    Cluster {
        name: "leave",
        asks: "Who leaves is known to have left, at once and for good.",
        text: r#"
            duration = "50s"
            [cluster]
            nodes = 12
            config = { leave_propagate_delay = "5s" }
            [[fault]]
            at = "5s"
            kind = "leave"
            nodes = { pick = 2 }
            [[expect]]
            metric = "dissemination.leave.max"
            below = "2s"
            [[expect]]
            metric = "refutations"
            equals = 0
        "#,
        more: is_judged,
    },
    Cluster {
        name: "back-after-leave",
        asks: "Who left may come back from another address at once.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 10
            [[fault]]
            at = "5s"
            kind = "leave"
            nodes = ["node-3"]
            [[fault]]
            at = "15s"
            kind = "restart"
            nodes = ["node-3"]
            address = "new"
            [[expect]]
            metric = "convergence"
            below = "5s"
        "#,
        more: is_judged,
    },
];
