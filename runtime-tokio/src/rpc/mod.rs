//! Serf's control protocol: msgpack objects back to back on TCP. The agent's side, and a client.

pub mod client;
pub mod codec;
pub mod filter;
pub mod messages;
