//! How fast news spreads, and at what price: paced gossip against memberlist's ticks.

use super::timed::Timed;
use super::{SECOND, lan, ms};
use crate::config::{AntiEntropy, Config, Pacing};
use crate::wire::Kind;
use alloc::string::ToString;
use alloc::vec::Vec;

/// The 99th percentile of the time from sending to delivery in milliseconds, bytes, and copies of events sent.
fn spread(n: usize, pacing: Pacing, events: usize) -> (f64, u64, u64) {
    let config = Config { pacing, anti_entropy: AntiEntropy::Off, ..lan() };
    let mut net = Timed::converged(n, &config);
    net.run(ms(137));
    let mut sent = Vec::new();
    for event in 0..events {
        sent.push(net.now);
        assert!(net.say(event * 7 % n, &event.to_string(), 100));
        net.run(SECOND);
    }
    net.run(5 * SECOND);
    let mut times: Vec<f64> = Vec::new();
    for delivered in &net.delivered {
        assert_eq!(delivered.len(), events);
        times.extend(
            delivered.iter().map(|d| (d.at - sent[d.name.parse::<usize>().unwrap()]).as_secs_f64() * 1e3),
        );
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() * 99 / 100], net.bytes, net.sent(Kind::UserEvent))
}

fn compare(n: usize, events: usize) {
    let (ticked, paced) = (spread(n, Pacing::Tick, events), spread(n, Pacing::Paced, events));
    assert!(paced.0 <= ticked.0 / 3.0, "n = {n}: {paced:?} against {ticked:?}");
    assert!(paced.1.abs_diff(ticked.1) * 20 <= ticked.1, "n = {n}: {paced:?} against {ticked:?}");
    assert!(paced.2.abs_diff(ticked.2) * 20 <= ticked.2, "n = {n}: {paced:?} against {ticked:?}");
}

#[test]
fn paced_news_is_three_times_as_fast_at_the_same_price_among_100() {
    compare(100, 20);
}

#[test]
fn paced_news_is_three_times_as_fast_at_the_same_price_among_1000() {
    compare(1000, 4);
}

/// A queue of many batches is gone through once an interval, so that the last message does not wait for all before it.
#[test]
fn a_deep_queue_drains_in_intervals_not_in_batches() {
    let drained = |pacing| {
        let config = Config { pacing, anti_entropy: AntiEntropy::Off, ..lan() };
        let mut net = Timed::converged(10, &config);
        for event in 0..200 {
            assert!(net.say(0, &event.to_string(), 300));
        }
        while net.nodes[0].queue_depth() > 0 {
            net.run(ms(50));
        }
        net.now.as_secs_f64()
    };
    let (ticked, paced) = (drained(Pacing::Tick), drained(Pacing::Paced));
    assert!(paced < 2.0 && ticked > 10.0, "{ticked} s by ticks, {paced} s paced");
}

#[test]
fn the_byte_rate_holds() {
    let rate = 20_000;
    let config = Config { gossip_bytes_per_second: rate, anti_entropy: AntiEntropy::Off, ..lan() };
    let mut net = Timed::converged(2, &config);
    for event in 0..200 {
        assert!(net.say(0, &event.to_string(), 300));
    }
    net.run(4 * SECOND);
    assert!(net.nodes[0].queue_depth() > 0);
    // Both nodes gossip, up to an interval and a round ahead; what rides on pings and acks comes on top.
    let allowed = 2 * u64::from(rate) * 42 / 10 + 2 * 1400 + 2 * 8 * 1400;
    assert!(net.bytes <= allowed, "{} bytes, {allowed} allowed", net.bytes);
    assert!(net.bytes >= u64::from(rate) * 3);
}
