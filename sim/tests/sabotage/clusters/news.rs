//! Clusters in which there is much to tell.

use super::{Cluster, at_most, nothing_more};

pub(super) const ALL: &[Cluster] = &[
    Cluster {
        name: "gossip-alone",
        asks: "Gossip alone brings an event to all but a few in ten thousand, within a second.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 64
            config = { anti_entropy = "off", event_repair = false }
            [[workload]]
            kind = "event"
            every = "1s"
            repick = true
            until = "50s"
            [[expect]]
            metric = "event.coverage"
            above = 0.998
            [[expect]]
            metric = "event.latency.p99"
            below = "1s"
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "byte-rate",
        asks: "A storm of events is gossiped at the configured byte rate.",
        text: r#"
            duration = "30s"
            [cluster]
            nodes = 8
            config = { gossip_bytes_per_second = 2000 }
            [[workload]]
            kind = "event"
            every = "1s"
            repick = true
            size = 300
            burst = 20
            [[expect]]
            metric = "load.bytes.busiest"
            below = 13000
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "silence",
        asks: "Half a minute after the last change nobody tells anything any more.",
        text: r#"
            warmup = "35s"
            duration = "60s"
            [cluster]
            nodes = 10
            config = { gossip_to_dead = "5m", gossip_bytes_per_second = 2000 }
            [[workload]]
            kind = "event"
            at = "1s"
            [[workload]]
            kind = "tags"
            at = "1s"
            nodes = { pick = 3 }
            [[fault]]
            at = "2s"
            kind = "leave"
            nodes = { pick = 2 }
        "#,
        more: |record| {
            let kinds = ["alive", "suspect", "dead", "join-intent", "leave-intent", "event", "query"];
            kinds.iter().try_for_each(|kind| at_most(record, kind, 0))
        },
    },
    Cluster {
        name: "back-pressure",
        asks: "In a storm that short queues cannot hold, what is accepted reaches all, within every budget.",
        text: r#"
            duration = "90s"
            [cluster]
            nodes = 8
            config = { queue_messages_max = 16, event_buffer = 32, push_pull_interval = "2s" }
            [[workload]]
            kind = "event"
            every = "1s"
            from = { pick = 3 }
            repick = true
            size = 37
            burst = 30
            until = "20s"
            [[workload]]
            kind = "event"
            every = "700ms"
            repick = true
            size = 100
            burst = 10
            until = "20s"
            [[expect]]
            metric = "event.busy"
            above = 0
            [[expect]]
            metric = "event.coverage"
            equals = 1
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "weak-gossip",
        asks: "What weak gossip leaves open, repair and exchanges close.",
        text: r#"
            duration = "90s"
            [cluster]
            nodes = 16
            config = { retransmit_mult = 1, gossip_nodes = 1, push_pull_interval = "5s" }
            [network]
            loss = 0.1
            [[workload]]
            kind = "event"
            every = "500ms"
            repick = true
            until = "20s"
            [[expect]]
            metric = "event.coverage"
            above = 0.995
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "delta",
        asks: "Delta exchanges close what weak gossip leaves open: events and members.",
        text: r#"
            duration = "90s"
            [cluster]
            nodes = 16
            config = { retransmit_mult = 1, gossip_nodes = 1, push_pull_interval = "5s", anti_entropy = "delta" }
            [network]
            loss = 0.1
            [[fault]]
            at = "5s"
            kind = "join"
            nodes = { pick = 4 }
            [[workload]]
            kind = "event"
            every = "500ms"
            repick = true
            until = "20s"
            [[expect]]
            metric = "event.coverage"
            above = 0.995
            [[expect]]
            metric = "members.wrong.end"
            equals = 0
        "#,
        more: nothing_more,
    },
];
