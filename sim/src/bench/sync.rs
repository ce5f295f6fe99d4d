//! What a full push/pull exchange costs per row merged.

use rumormill_core::io::{Command, CommandId, Input, Outbox, Output, StreamAction, StreamId, StreamInput};
use rumormill_core::{Config, Instant, Node, step};

use super::{cpu_seconds, median, ours};

const OURS: StreamId = StreamId::Ours(0);

/// Nanoseconds per row merged between two converged nodes of a cluster: encoding, framing, decoding and merging included,
/// no network between them. The median of so many exchanges.
#[must_use]
pub fn per_row(nodes: u32, exchanges: u32) -> f64 {
    let mut pair = ours::converged(&Config::lan(), nodes, 1, 2);
    let mut outbox = Outbox::new();
    let mut figures = Vec::new();
    for round in 0..exchanges {
        let began = cpu_seconds();
        exchange(&mut pair, round, &mut outbox);
        // Each side merges the other's table.
        figures.push((cpu_seconds() - began) * 1e9 / (2.0 * f64::from(nodes)));
    }
    median(figures)
}

/// The first of two nodes joins the second.
fn exchange(pair: &mut [Node], round: u32, outbox: &mut Outbox) {
    let address = pair[1].identity().addr;
    let command = Command::Join { addresses: vec![address], replay: false };
    let mut ids = [OURS, StreamId::Theirs(round)];
    let mut under_way: std::collections::VecDeque<(usize, Option<Vec<u8>>)> =
        std::collections::VecDeque::new();
    let opened = step(&mut pair[0], Input::Command { id: CommandId(1), command }, Instant::ORIGIN, outbox);
    for output in opened {
        if let Output::Stream { id, action: StreamAction::Open { .. } } = output {
            ids[0] = id;
            under_way.extend([(1, None), (0, None)]);
        }
    }
    while let Some((at, frame)) = under_way.pop_front() {
        let peer = pair[1 - at].identity().addr;
        let input = frame.as_deref().map_or(StreamInput::Opened { peer }, StreamInput::Frame);
        for output in step(&mut pair[at], Input::Stream { id: ids[at], input }, Instant::ORIGIN, outbox) {
            if let Output::Stream { action: StreamAction::Frame { bytes, .. }, .. } = output {
                under_way.push_back((1 - at, Some(bytes.to_vec())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_an_exchange_merge_a_table() {
        let mut pair = ours::converged(&Config::lan(), 50, 1, 2);
        exchange(&mut pair, 0, &mut Outbox::new());
        exchange(&mut pair, 1, &mut Outbox::new());
        assert_eq!([pair[0].counters().syncs, pair[1].counters().syncs], [2, 2]);
        assert!(per_row(50, 3) > 0.0);
    }
}
