//! Serf's names of figures, and statsd's lines.
//!
//! Serf sends each count and each duration when it happens (go-metrics); here it is what has come together since the last time that is sent:
//! counters as their growth, timers as the mean of the interval, gauges as they are. The names are go-metrics' (`serf-agent.` before all,
//! the host's name before gauges).

use std::fmt::Write as _;
use std::time::Duration;

use super::Readings;
use crate::agent::{Changes, Stats};
use crate::rpc::server::RpcFigures;

/// What all names begin with.
const PREFIX: &str = "serf-agent";

/// Lines for what happened between two readings.
#[derive(Debug)]
pub(super) struct Lines {
    host: String,
    out: Vec<String>,
}

impl Lines {
    /// For an agent on this host.
    pub(super) fn new(host: &str) -> Self {
        Self { host: clean(host), out: Vec::new() }
    }

    /// The lines, each with its newline; without an earlier reading, for all since the start.
    pub(super) fn between(mut self, before: Option<&Readings>, now: &Readings) -> Vec<String> {
        let (zero, none) = (Stats::default(), RpcFigures::default());
        let old = before.map_or(&zero, |before| &before.stats);
        self.memberlist(old, &now.stats);
        self.serf(old, &now.stats);
        if let Some(rpc) = &now.rpc {
            let old = before.and_then(|before| before.rpc.as_ref()).unwrap_or(&none);
            self.counter("agent.ipc.accept", old.accepted, rpc.accepted);
            self.counter("agent.ipc.command", old.all_requests(), rpc.all_requests());
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.gauge("runtime.num_goroutines", runtime.metrics().num_alive_tasks() as f64);
        }
        self.out
    }

    fn memberlist(&mut self, old: &Stats, new: &Stats) {
        self.gauge("memberlist.health.score", f64::from(new.health));
        let members = &new.members;
        let suspect = new.suspicions as u64;
        let up = (members.alive + members.leaving).saturating_sub(suspect);
        for (state, count) in
            [("alive", up), ("suspect", suspect), ("dead", members.dead), ("left", members.departed)]
        {
            self.gauge(&format!("memberlist.node.instances.{state}"), count as f64);
        }
        self.sample("memberlist.queue.broadcasts", new.queues.members as f64);
        self.counter("memberlist.tcp.accept", old.traffic.accepted, new.traffic.accepted);
        self.counter("memberlist.tcp.connect", old.traffic.opened, new.traffic.opened);
        let sent = |stats: &Stats| stats.traffic.stream_bytes_out + stats.traffic.tcp_packet_bytes_out;
        self.counter("memberlist.tcp.sent", sent(old), sent(new));
        self.counter("memberlist.udp.sent", old.traffic.datagram_bytes_out, new.traffic.datagram_bytes_out);
        self.counter("memberlist.udp.received", old.traffic.datagram_bytes_in, new.traffic.datagram_bytes_in);
        let (a, b) = (&old.figures.changes, &new.figures.changes);
        self.counter("memberlist.msg.alive", a.alive.total(), b.alive.total());
        self.counter("memberlist.msg.suspect", a.suspect.total(), b.suspect.total());
        let gone = |changes: &Changes| changes.dead.total() + changes.left.total();
        self.counter("memberlist.msg.dead", gone(a), gone(b));
        let degraded = (old.counters.suspicions_unconfirmed, new.counters.suspicions_unconfirmed);
        self.counter("memberlist.degraded.timeout", degraded.0, degraded.1);
        let (a, b) = (&old.figures.round_trips, &new.figures.round_trips);
        self.timer("memberlist.probeNode", b.direct.mean_since(&a.direct));
    }

    fn serf(&mut self, old: &Stats, new: &Stats) {
        let (a, b) = (&old.figures.members, &new.figures.members);
        self.counter("serf.member.join", a.join, b.join);
        self.counter("serf.member.left", a.leave, b.leave);
        self.counter("serf.member.failed", a.failed, b.failed);
        self.counter("serf.member.update", a.update, b.update);
        self.counter("serf.events", old.counters.events_delivered, new.counters.events_delivered);
        self.counter("serf.queries", old.counters.queries_delivered, new.counters.queries_delivered);
        self.counter("serf.query_acks", old.figures.acks, new.figures.acks);
        self.counter("serf.query_responses", old.figures.answers, new.figures.answers);
        let refused = (old.counters.coordinates_refused, new.counters.coordinates_refused);
        self.counter("serf.coordinate.rejected", refused.0, refused.1);
        self.sample("serf.queue.Intent", new.queues.intents as f64);
        self.sample("serf.queue.Event", new.queues.events as f64);
        self.sample("serf.queue.Query", new.queues.queries as f64);
    }

    fn gauge(&mut self, name: &str, value: f64) {
        let host = std::mem::take(&mut self.host);
        self.line(&format!("{host}.{name}"), value, "g");
        self.host = host;
    }

    /// Nothing where nothing happened.
    fn counter(&mut self, name: &str, before: u64, now: u64) {
        let more = now.saturating_sub(before);
        if more > 0 {
            self.line(name, more as f64, "c");
        }
    }

    fn sample(&mut self, name: &str, value: f64) {
        self.line(name, value, "ms");
    }

    fn timer(&mut self, name: &str, duration: Option<Duration>) {
        if let Some(duration) = duration {
            self.line(name, duration.as_secs_f64() * 1000.0, "ms");
        }
    }

    fn line(&mut self, name: &str, value: f64, kind: &str) {
        let mut line = String::new();
        // A string takes everything.
        let _ = writeln!(line, "{PREFIX}.{name}:{value:.6}|{kind}");
        self.out.push(line);
    }
}

/// A part of a name, without what would end it.
fn clean(part: &str) -> String {
    part.chars()
        .map(|c| if c == ':' || c == '|' || c.is_whitespace() || c.is_control() { '_' } else { c })
        .collect()
}

/// Lines in as few datagrams of at most so many bytes as may be; a longer line has one of its own.
pub(super) fn pack(lines: &[String], most: usize) -> Vec<String> {
    let mut packets: Vec<String> = Vec::new();
    for line in lines {
        match packets.last_mut() {
            Some(packet) if packet.len() + line.len() <= most => packet.push_str(line),
            _ => packets.push(line.clone()),
        }
    }
    packets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_share_datagrams_as_far_as_they_fit() {
        let lines: Vec<String> = [600, 700, 100, 1, 1399, 1400, 1].map(|n| "x".repeat(n)).into();
        let packets: Vec<usize> = pack(&lines, 1400).iter().map(String::len).collect();
        assert_eq!(packets, [1400, 1400, 1400, 1]);
        assert_eq!(pack(&lines, 1400).concat(), lines.concat());
        assert!(pack(&[], 1400).is_empty());
        assert_eq!(pack(&["y".repeat(2000)], 1400).len(), 1);
    }

    #[test]
    fn a_line_is_go_metrics_line() {
        let mut lines = Lines::new("web 1:x");
        lines.gauge("memberlist.health.score", 0.0);
        lines.counter("serf.events", 5, 8);
        lines.counter("serf.queries", 5, 5);
        lines.timer("memberlist.probeNode", Some(Duration::from_micros(1250)));
        lines.timer("memberlist.gossip", None);
        assert_eq!(
            lines.out,
            [
                "serf-agent.web_1_x.memberlist.health.score:0.000000|g\n",
                "serf-agent.serf.events:3.000000|c\n",
                "serf-agent.memberlist.probeNode:1.250000|ms\n",
            ]
        );
    }
}
