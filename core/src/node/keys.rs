//! Key commands: carried by internal queries.

use super::Node;
use crate::io::{CommandId, KeyAction, Outbox};
use crate::time::Instant;

impl Node {
    pub(super) fn keys(
        &mut self,
        _id: CommandId,
        _action: KeyAction,
        _relay_factor: u8,
        _now: Instant,
        _out: &mut Outbox,
    ) {
        unimplemented!()
    }
}
