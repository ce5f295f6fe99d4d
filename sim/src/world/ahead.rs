//! Looking ahead: in a large cluster the node whose turn it is is far from the processor, so that its memory is asked for some
//! events before. Nothing depends on it.

use super::stage::What;
use super::{WAKE, World};

/// Nodes from which memory is asked for ahead; smaller clusters stay near.
pub(crate) const FROM_NODES: usize = 256;
/// How many events lie between the present one and that whose parcel is asked for; whose node; and of which what the node
/// points to.
pub(crate) const PARCEL: usize = 6;
pub(crate) const NODE: usize = 4;
pub(crate) const TABLES: usize = 2;

impl World<'_> {
    /// Asks for the memory of what happens soon.
    #[inline(always)]
    pub(super) fn look_ahead(&self) {
        if self.nodes.len() < FROM_NODES {
            return;
        }
        let stage = &self.stage;
        if let Some(what) = stage.queue.ahead(PARCEL).filter(|what| what & WAKE == 0) {
            stage.parcels.prefetch(what);
        }
        if let Some(what) = stage.queue.ahead(NODE)
            && let Some(node) = &self.nodes[self.whom(what) as usize]
        {
            node.prefetch();
        }
        if let Some(what) = stage.queue.ahead(TABLES)
            && let Some(node) = &self.nodes[self.whom(what) as usize]
        {
            let packet = (what & WAKE == 0).then(|| stage.parcels.peek(what));
            node.prefetch_tables(
                packet.filter(|parcel| parcel.what == What::Datagram).map(|parcel| &*parcel.bytes),
            );
        }
    }

    /// The node that an event is for.
    #[inline(always)]
    fn whom(&self, what: u32) -> u32 {
        if what & WAKE == 0 { self.stage.parcels.peek(what).to } else { what & !WAKE }
    }
}
