//! The one entrance: an input, an instant, and what the node wants done about it.

use core::mem;

use crate::io::{Input, Outbox, Outputs, StreamInput};
use crate::node::Node;
use crate::time::Instant;
use crate::{Due, wire};

/// Advances one node by one input at one instant.
///
/// Pure: the same node state, input and instant give the same next state and the same outputs, on every platform. `outbox`
/// is only memory to reuse: it is cleared first, and the returned outputs borrow it. A `now` before an earlier one is
/// clamped to that and counted. Only [`Input::Tick`] fires deadlines; after it, [`Node::deadline`] lies in the future.
// With what a calm cluster's packets take, one function in the driver's loop: the calls would cost a tenth of the whole.
#[inline(always)]
pub fn step<'o>(node: &mut Node, input: Input<'_>, now: Instant, outbox: &'o mut Outbox) -> Outputs<'o> {
    outbox.begin(node.config.notes);
    let now = node.advance_clock(now);
    match input {
        Input::Tick => {
            while let Some(due) = node.deadlines.pop(now) {
                fire(node, due, now, outbox);
                node.settle(now, outbox);
                if broken!(node.config, TickFiresOnce) {
                    break;
                }
            }
            // What is due settled after itself, and otherwise nothing has changed.
            return outbox.outputs();
        }
        Input::Packet { from, bytes } => {
            let mut opened = mem::take(&mut outbox.opened);
            match node.wire.unseal_packet(bytes, &mut opened) {
                Ok(messages) => node.on_packet(from, messages, now, outbox),
                Err(error) => node.reject_packet(from, error, outbox),
            }
            outbox.opened = opened;
        }
        Input::Stream { id, input } => match input {
            StreamInput::Opened { peer } => node.on_stream_opened(id, peer, now, outbox),
            StreamInput::Frame(bytes) => {
                let mut opened = mem::take(&mut outbox.opened);
                node.on_frame(id, bytes, &mut opened, now, outbox);
                outbox.opened = opened;
            }
            StreamInput::Closed => node.on_stream_closed(id, outbox),
            StreamInput::Failed(reason) => node.on_stream_failed(id, reason, outbox),
        },
        Input::Command { id, command } => node.on_command(id, command, now, outbox),
    }
    node.settle(now, outbox);
    outbox.outputs()
}

/// What is due, and the room that answers it.
fn fire(node: &mut Node, due: Due, now: Instant, outbox: &mut Outbox) {
    match due {
        Due::Probe => node.on_probe_due(now, outbox),
        Due::ProbeTimeout => node.on_probe_timeout(outbox),
        Due::ProbeEnd => node.on_probe_end(now, outbox),
        Due::Relay(ours) => node.on_relay_due(ours, now, outbox),
        Due::Suspicion(slot) => node.on_suspicion_expired(slot, now, outbox),
        Due::Lifetime(slot) => node.on_lifetime_over(slot, now, outbox),
        Due::Gossip => node.on_gossip_due(now, outbox),
        Due::Sync => node.on_sync_due(now, outbox),
        Due::Reconnect => node.on_reconnect_due(now, outbox),
        Due::Stream(id) => node.on_stream_deadline(id, outbox),
        Due::Broadcast => node.on_broadcast_due(now, outbox),
        Due::Intents => node.on_intents_due(now),
        Due::Query(number) => node.on_query_due(number, outbox),
        Due::ForceLeave(number) => node.on_force_leave_due(number, outbox),
        Due::Repair => node.on_repair_due(now, outbox),
    }
}

impl Node {
    fn reject_packet(&mut self, from: core::net::SocketAddr, error: wire::WireError, out: &mut Outbox) {
        self.counters.packets_rejected += 1;
        self.rejected(from, error, out);
    }
}
