//! Sockets, and what travels on them besides the core's bytes.

mod accept;
mod addr;
mod bind;
mod link;
mod stream;
mod traffic;
mod udp;

pub(crate) use accept::{Acceptor, Limits};
pub use addr::{DEFAULT_PORT, interface_address, interface_addresses};
pub(crate) use addr::{Resolved, advertised, resolve};
pub(crate) use bind::{Bound, bind};
pub(crate) use link::{ACCEPTED_MAX, FromLink, Links, PACKETS_WAITING};
pub(crate) use stream::{Away, FRAMES_WAITING, FromStream, Line, OutFrame, open};
pub use traffic::Traffic;
pub(crate) use traffic::{TrafficCounters, add};
pub(crate) use udp::{UdpIn, UdpOut, split};
