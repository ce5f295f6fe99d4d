//! Clusters whose members crash, or cannot be reached well.

use super::{Cluster, at_least, at_most, is_judged, nothing_more};

pub(super) const ALL: &[Cluster] = &[
    Cluster {
        name: "crash",
        asks: "Three of sixty crash: all others notice, no sooner than the shortest suspicion, and soon.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 60
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = { pick = 3 }
            [[expect]]
            metric = "detection.first.min"
            above = "7.1s"
            [[expect]]
            metric = "detection.all.max"
            below = "25s"
            [[expect]]
            metric = "dissemination.failure.max"
            below = "2s"
            [[expect]]
            metric = "members.wrong.end"
            equals = 0
            [[expect]]
            metric = "flaps"
            equals = 0
        "#,
        more: is_judged,
    },
    Cluster {
        name: "without-suspicion",
        asks: "Without suspicion a death is known to all in a second.",
        text: r#"
            duration = "40s"
            [cluster]
            nodes = 20
            config = { suspicion = false }
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = { pick = 1 }
            [[expect]]
            metric = "detection.all.max"
            below = "15s"
            [[expect]]
            metric = "dissemination.failure.max"
            below = "1s"
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "lossy",
        asks: "Where a seventh of all packets is lost, members are suspected all the time, and none is declared dead.",
        text: r#"
            duration = "60s"
            [cluster]
            nodes = 20
            config = { stream_probe = false, indirect_checks = 1 }
            [network]
            loss = 0.15
            [[expect]]
            metric = "suspicions"
            above = 100
            [[expect]]
            metric = "false_positives.all"
            equals = 0
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "swim-rate",
        asks: "Probes of live members fail as often as SWIM's formula says, at 30 % loss with one helper.",
        text: r#"
            duration = "150s"
            [cluster]
            nodes = 20
            config = { indirect_checks = 1, stream_probe = false, awareness = false, suspicion_mult = 100, anti_entropy = "off" }
            [network]
            loss = 0.3
            [[expect]]
            metric = "false_suspicion_rate"
            near = 0.388
            within = 0.1
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "no-datagrams",
        asks: "A member that no datagram reaches is not suspected: it answers over streams.",
        text: r#"
            duration = "50s"
            [cluster]
            nodes = 10
            [[fault]]
            at = "5s"
            kind = "partition"
            partition = { a = ["node-3"], b = { rest = true }, traffic = "datagrams" }
            for = "40s"
            [[expect]]
            metric = "suspicions"
            equals = 0
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "long-suspicion",
        asks: "Members that are suspected for long are told so by each probe, and who probes them does not blame itself.",
        text: r#"
            warmup = "20s"
            duration = "80s"
            [cluster]
            nodes = 12
            config = { suspicion_mult = 100, suspicion_max_mult = 1, retransmit_mult = 1 }
            [[fault]]
            at = "5s"
            kind = "crash"
            nodes = { pick = 6 }
        "#,
        more: |record| at_least(record, "ping", 600).and_then(|()| at_least(record, "suspect", 30)),
    },
    Cluster {
        name: "patience",
        asks: "Where most probes fail, members probe less often.",
        text: r#"
            warmup = "20s"
            duration = "60s"
            [cluster]
            nodes = 10
            config = { stream_probe = false, suspicion_mult = 100, anti_entropy = "off" }
            [network]
            loss = 0.6
        "#,
        more: |record| at_most(record, "ping", 480),
    },
    Cluster {
        name: "recovery",
        asks: "A minute after a blackout members are as quick to suspect as ever.",
        text: r#"
            duration = "130s"
            [cluster]
            nodes = 10
            config = { suspicion_mult = 100 }
            [[fault]]
            at = "5s"
            kind = "link"
            link = { from = { all = true }, to = { all = true }, loss = 1.0 }
            for = "25s"
            [[fault]]
            at = "100s"
            kind = "crash"
            nodes = { pick = 2 }
            [[expect]]
            metric = "suspicion.first.max"
            below = "7.5s"
        "#,
        more: nothing_more,
    },
    Cluster {
        name: "dead-in-peace",
        asks: "Nobody probes members that are known to be dead.",
        text: r#"
            warmup = "60s"
            duration = "120s"
            [cluster]
            nodes = 10
            config = { gossip_to_dead = "10m" }
            [[fault]]
            at = "1s"
            kind = "crash"
            nodes = { pick = 3 }
        "#,
        more: |record| at_most(record, "ping-req", 0),
    },
];
