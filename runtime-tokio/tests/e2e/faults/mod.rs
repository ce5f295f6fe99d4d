//! What goes wrong in operation, done to real agents in networks of their own: each test is named for what the agents promise.

mod clients;
mod clock;
mod conflict;
mod cuts;
mod future;
mod ipv6;
mod keys;
mod loss;
mod network;
mod node;
mod partition;
mod processes;
mod upgrades;
