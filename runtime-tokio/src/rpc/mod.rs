//! Serf's control protocol: msgpack objects back to back on TCP. The agent's side, and a client.

pub mod client;
pub mod codec;
pub mod filter;
pub mod log;
pub mod messages;
#[cfg(any(test, fuzzing))]
pub(crate) mod property;
pub mod server;

#[cfg(test)]
mod tests;
