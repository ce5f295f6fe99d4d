//! Every metric under its name. The names are a promise: `docs/metrics.md` has each of them, and a test compares.

use std::time::UNIX_EPOCH;

use rumormill_core::wire::Kind;

use super::Readings;
use super::text::{Text, seconds};
use crate::agent::{ByVia, Stats};
use crate::handlers::Counts;
use crate::rpc::server::RpcFigures;
use crate::state::SnapshotFigures;

pub(super) fn write(readings: &Readings) -> String {
    let Readings { stats, handlers, rpc, started } = readings;
    let mut text = Text::default();
    text.gauge("rumormill_build_info", "1, with the version as a label.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    let started = started.duration_since(UNIX_EPOCH).unwrap_or_default();
    text.gauge("rumormill_start_time_seconds", "When the agent started, in seconds since 1970.")
        .value(seconds(started));
    members(&mut text, stats);
    detection(&mut text, stats);
    spreading(&mut text, stats);
    events(&mut text, stats);
    network(&mut text, stats);
    refused(&mut text, stats);
    core(&mut text, stats);
    if let Some(snapshot) = &stats.snapshot {
        snapshots(&mut text, snapshot);
    }
    if let Some(handlers) = handlers {
        scripts(&mut text, handlers);
    }
    if let Some(rpc) = rpc {
        clients(&mut text, rpc);
    }
    text.finish()
}

fn members(text: &mut Text, stats: &Stats) {
    let members = &stats.members;
    text.gauge("rumormill_members", "Members by status, this node included.")
        .sample(&[("status", "alive")], members.alive)
        .sample(&[("status", "leaving")], members.leaving)
        .sample(&[("status", "left")], members.left)
        .sample(&[("status", "failed")], members.failed);
    let events = &stats.figures.members;
    text.counter("rumormill_member_events_total", "Events about other members, by what happened.")
        .sample(&[("event", "join")], events.join)
        .sample(&[("event", "leave")], events.leave)
        .sample(&[("event", "failed")], events.failed)
        .sample(&[("event", "update")], events.update)
        .sample(&[("event", "reap")], events.reap);
    let changes = &stats.figures.changes;
    let mut family = text
        .counter("rumormill_member_changes_total", "Claims that changed a member's state, by how they came.");
    for (state, by_via) in [
        ("alive", &changes.alive),
        ("suspect", &changes.suspect),
        ("dead", &changes.dead),
        ("left", &changes.left),
    ] {
        for (via, count) in vias(by_via) {
            family.sample(&[("state", state), ("via", via)], count);
        }
    }
    text.counter("rumormill_name_conflicts_total", "Claims of a member's name from another address.")
        .value(stats.counters.conflicts);
}

fn vias(by_via: &ByVia) -> [(&'static str, u64); 3] {
    [("own", by_via.own), ("gossip", by_via.gossip), ("sync", by_via.sync)]
}

fn detection(text: &mut Text, stats: &Stats) {
    let (counters, figures) = (&stats.counters, &stats.figures);
    text.gauge("rumormill_suspicions", "Members that are suspected now.").value(stats.suspicions);
    let mut family = text
        .counter("rumormill_suspicions_begun_total", "Suspicions that began, by how the accusation came.");
    for (via, count) in vias(&figures.suspicions) {
        family.sample(&[("via", via)], count);
    }
    text.counter("rumormill_suspicion_confirmations_total", "Independent confirmations of suspicions.")
        .value(figures.confirmations);
    let ended = &figures.suspicions_ended;
    text.counter("rumormill_suspicions_ended_total", "Suspicions that have ended, by how.")
        .sample(&[("outcome", "refuted")], ended.refuted)
        .sample(&[("outcome", "failed")], ended.failed)
        .sample(&[("outcome", "left")], ended.left)
        .sample(&[("outcome", "renewed")], ended.renewed);
    text.counter(
        "rumormill_suspicions_unconfirmed_total",
        "Suspicions that ran out with fewer confirmations than expected.",
    )
    .value(counters.suspicions_unconfirmed);
    text.counter("rumormill_refutations_total", "Accusations against this node that it refuted.")
        .value(counters.refutations);
    text.gauge("rumormill_health_score", "Local health; 0 is healthy.").value(stats.health);
    text.counter("rumormill_probes_total", "Probes begun.").value(counters.probes);
    text.counter("rumormill_probes_failed_total", "Probes that nobody answered.")
        .value(counters.probes_failed);
    text.counter("rumormill_probes_relayed_total", "Probes sent for others.").value(counters.relays);
    let trips = &figures.round_trips;
    text.histogram("rumormill_probe_rtt_seconds", "From a probe's ping to its answer, by how that came.")
        .distribution(&[("path", "direct")], &trips.direct)
        .distribution(&[("path", "indirect")], &trips.indirect)
        .distribution(&[("path", "stream")], &trips.stream);
    text.counter("rumormill_coordinate_resets_total", "Times that the node's coordinate started again.")
        .value(counters.coordinate_resets);
    text.counter("rumormill_coordinates_refused_total", "Coordinates of others that make no sense.")
        .value(counters.coordinates_refused);
}

fn spreading(text: &mut Text, stats: &Stats) {
    let (counters, queues) = (&stats.counters, &stats.queues);
    text.gauge("rumormill_queue_messages", "Broadcasts that wait to be sent often enough, by queue.")
        .sample(&[("queue", "members")], queues.members)
        .sample(&[("queue", "intents")], queues.intents)
        .sample(&[("queue", "queries")], queues.queries)
        .sample(&[("queue", "events")], queues.events);
    let mut family = text.counter("rumormill_messages_sent_total", "Messages sent, by kind.");
    for kind in Kind::ALL {
        family.sample(&[("kind", kind.name())], stats.figures.messages(kind));
    }
    text.counter("rumormill_syncs_total", "Push/pull exchanges on either side, by how they ended.")
        .sample(&[("outcome", "ok")], counters.syncs)
        .sample(&[("outcome", "failed")], counters.syncs_failed)
        .sample(&[("outcome", "refused")], counters.syncs_refused);
    text.counter("rumormill_syncs_equal_total", "Push/pull exchanges whose digests were equal at once.")
        .value(counters.syncs_equal);
    text.counter("rumormill_sync_rows_total", "Rows sent or merged because digests differed.")
        .value(counters.delta_rows);
    text.gauge("rumormill_lamport_time", "Lamport clocks: what is stamped next.")
        .sample(&[("clock", "member")], stats.clocks.member.0)
        .sample(&[("clock", "event")], stats.clocks.event.0)
        .sample(&[("clock", "query")], stats.clocks.query.0);
}

fn events(text: &mut Text, stats: &Stats) {
    let (counters, figures) = (&stats.counters, &stats.figures);
    text.counter("rumormill_user_events_sent_total", "User events of this node that were accepted.")
        .value(figures.user_events_sent);
    text.counter("rumormill_user_events_received_total", "User events delivered, own ones included.")
        .value(counters.events_delivered);
    text.counter("rumormill_user_events_ignored_total", "User events that were not delivered, by reason.")
        .sample(&[("reason", "known")], counters.events_repeated)
        .sample(&[("reason", "old")], counters.events_old);
    text.counter("rumormill_user_events_repaired_total", "User events that were asked for and came.")
        .value(counters.events_repaired);
    text.counter("rumormill_user_events_lost_total", "User events that were given up.")
        .value(counters.events_lost);
    text.counter("rumormill_queries_sent_total", "Queries of this node that were asked.")
        .value(figures.queries_sent);
    text.counter("rumormill_queries_received_total", "Queries delivered, own ones included.")
        .value(counters.queries_delivered);
    text.counter("rumormill_query_responses_total", "What came back to this node's queries, by kind.")
        .sample(&[("kind", "ack")], figures.acks)
        .sample(&[("kind", "answer")], figures.answers);
    text.counter(
        "rumormill_query_responses_refused_total",
        "Acknowledgements and answers that came twice, too late or unasked.",
    )
    .value(counters.answers_refused);
    text.counter(
        "rumormill_busy_total",
        "Events, queries and answers refused because they outran the network.",
    )
    .value(counters.busy);
    text.counter("rumormill_events_published_total", "Events told to subscribers.")
        .value(figures.events_told);
    text.counter(
        "rumormill_events_missed_total",
        "Events that a subscriber, and answers that an asker, was too slow to take.",
    )
    .value(stats.traffic.missed);
}

fn network(text: &mut Text, stats: &Stats) {
    let traffic = &stats.traffic;
    text.counter("rumormill_packets_received_total", "Packets received, by transport.")
        .sample(&[("transport", "udp")], traffic.datagrams_in)
        .sample(&[("transport", "link")], traffic.tcp_packets_in);
    text.counter("rumormill_packets_sent_total", "Packets sent, by transport.")
        .sample(&[("transport", "udp")], traffic.datagrams_out)
        .sample(&[("transport", "link")], traffic.tcp_packets_out);
    text.counter("rumormill_packets_unsent_total", "Packets that could not be sent.")
        .value(traffic.packets_lost);
    text.counter("rumormill_received_bytes_total", "Bytes received, by transport.")
        .sample(&[("transport", "udp")], traffic.datagram_bytes_in)
        .sample(&[("transport", "link")], traffic.tcp_packet_bytes_in)
        .sample(&[("transport", "stream")], traffic.stream_bytes_in);
    text.counter("rumormill_sent_bytes_total", "Bytes sent, by transport.")
        .sample(&[("transport", "udp")], traffic.datagram_bytes_out)
        .sample(&[("transport", "link")], traffic.tcp_packet_bytes_out)
        .sample(&[("transport", "stream")], traffic.stream_bytes_out);
    text.counter("rumormill_connections_total", "Gossip connections, by who opened them.")
        .sample(&[("side", "accepted")], traffic.accepted)
        .sample(&[("side", "opened")], traffic.opened);
    text.counter("rumormill_connections_shed_total", "Gossip connections refused or ended, by reason.")
        .sample(&[("reason", "full")], traffic.refused)
        .sample(&[("reason", "garbage")], traffic.garbage)
        .sample(&[("reason", "slow")], traffic.slow);
}

fn refused(text: &mut Text, stats: &Stats) {
    let counters = &stats.counters;
    text.counter("rumormill_decoded_total", "What passed decoding.")
        .sample(&[("what", "packet")], counters.packets_accepted)
        .sample(&[("what", "frame")], counters.frames_accepted);
    text.counter("rumormill_refused_total", "Packets and frames that were refused, by reason.")
        .sample(&[("reason", "label")], counters.rejected_label)
        .sample(&[("reason", "version")], counters.rejected_version)
        .sample(&[("reason", "seal")], counters.rejected_seal)
        .sample(&[("reason", "checksum")], counters.rejected_checksum)
        .sample(&[("reason", "malformed")], counters.rejected_malformed);
    text.counter(
        "rumormill_accepted_unsealed_total",
        "Packets and frames that were taken although not sealed.",
    )
    .value(counters.accepted_unsealed);
    text.counter("rumormill_shed_total", "What was dropped because a bound was reached.")
        .sample(&[("what", "broadcast")], counters.broadcasts_shed)
        .sample(&[("what", "member")], counters.members_shed)
        .sample(&[("what", "relay")], counters.relays_shed)
        .sample(&[("what", "stream")], counters.streams_shed)
        .sample(&[("what", "intent")], counters.intents_shed)
        .sample(&[("what", "event-origin")], counters.event_origins_shed)
        .sample(&[("what", "query")], counters.queries_shed);
}

fn core(text: &mut Text, stats: &Stats) {
    text.histogram("rumormill_core_lag_seconds", "How late the core's task came to what was due.")
        .distribution(&[], &stats.figures.lag);
    text.gauge("rumormill_core_lag_recent_seconds", "The largest lag of the last 10 to 20 seconds.")
        .value(seconds(stats.lag));
    text.counter("rumormill_clock_went_back_total", "Times that the clock went back.")
        .value(stats.counters.clock_went_back);
}

fn snapshots(text: &mut Text, snapshot: &SnapshotFigures) {
    text.counter("rumormill_snapshot_writes_total", "Writes of the snapshot, by kind.")
        .sample(&[("kind", "append")], snapshot.appends)
        .sample(&[("kind", "rewrite")], snapshot.rewrites);
    text.counter("rumormill_snapshot_errors_total", "Times that the disk refused a part of the snapshot.")
        .value(snapshot.errors);
    text.gauge("rumormill_snapshot_size_bytes", "Length of the snapshot file.").value(snapshot.bytes);
    text.gauge("rumormill_snapshot_failing", "1 while the disk does not take the snapshot.")
        .value(u8::from(snapshot.failing));
}

fn scripts(text: &mut Text, counts: &Counts) {
    text.counter("rumormill_handler_runs_total", "Scripts of event handlers that were started.")
        .value(counts.started);
    text.counter("rumormill_handler_failures_total", "Scripts that could not be started, or failed.")
        .value(counts.failed);
    text.counter("rumormill_handler_timeouts_total", "Scripts that were stopped because their time was up.")
        .value(counts.timed_out);
    text.counter(
        "rumormill_handler_events_dropped_total",
        "Events that no script got, because too many waited.",
    )
    .value(counts.dropped);
    text.gauge("rumormill_handlers_running", "Scripts that run now.").value(counts.running);
}

fn clients(text: &mut Text, rpc: &RpcFigures) {
    text.gauge("rumormill_rpc_clients", "RPC clients that are connected.").value(rpc.clients);
    text.counter("rumormill_rpc_connections_total", "RPC clients by whether they were let in.")
        .sample(&[("outcome", "accepted")], rpc.accepted)
        .sample(&[("outcome", "refused")], rpc.refused);
    let mut family = text.counter("rumormill_rpc_requests_total", "RPC requests, by command.");
    for (command, count) in rpc.by_command() {
        family.sample(&[("command", command)], count);
    }
    family.sample(&[("command", "unknown")], rpc.unknown);
    text.counter("rumormill_rpc_requests_failed_total", "RPC requests that were refused, or failed.")
        .value(rpc.failed);
}
