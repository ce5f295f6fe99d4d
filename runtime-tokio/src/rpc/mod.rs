//! Serf's control protocol: msgpack objects back to back on TCP.

pub mod filter;
