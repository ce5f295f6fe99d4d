//! Gossip membership as a pure function: who is in my cluster, and who just died.
//!
//! The protocol is SWIM with Lifeguard's extensions, memberlist's push/pull and Serf's events, queries, tags and keys; [`protocol`] is its
//! manual, rule by rule. This crate holds
//! all of it and nothing else: no clock, socket, thread, file or ambient randomness. A driver owns those; it may be a tokio
//! agent, a simulator, or a test.
//!
//! # The contract
//!
//! **[`step`]`(node, input, now, outbox)` is the only thing that changes a node: the same node, input and instant give the
//! same next state and the same outputs, on every platform.**
//!
//! 1. Make a [`Node`] from a [`Config`], a [`Birth`] (name, address, tags, [`Seed`]) and an [`Instant`].
//! 2. Ask [`Node::deadline`] when and why it next wants to be woken.
//! 3. Wait for whatever comes first: a datagram, something on a stream, a command of the application, or that deadline.
//! 4. Hand over what arrived, and then, if the deadline has passed, [`io::Input::Tick`]: an ack that arrived before its probe's
//!    own tick counts.
//! 5. Carry out the [`io::Output`]s in order: send datagrams (one that cannot be sent is simply lost), handle streams, pass
//!    events on. Go back to 2.
//!
//! Two nodes in memory, without a socket or a clock:
//!
//! ```
//! use rumormill_core::io::{Command, CommandId, Event, Input, Outbox, Output, StreamAction, StreamId, StreamInput};
//! use rumormill_core::keyring::Keyring;
//! use rumormill_core::{Birth, Config, Instant, Node, Restore, Seed, id::NodeName, step, tags::Tags};
//!
//! let node = |i: u8| {
//!     let (name, addr) = (NodeName::new(&format!("node-{i}")).unwrap(), ([10, 0, 0, i], 7946).into());
//!     let seed = Seed::simulated(1, i.into(), 0);
//!     let birth = Birth { name, addr, tags: &Tags::new(), seed, keyring: Keyring::empty(), restore: Restore::default() };
//!     Node::new(Config::lan(), birth, Instant::ORIGIN).unwrap()
//! };
//! let (mut a, mut b, mut outbox) = (node(1), node(2), Outbox::new());
//! let now = Instant::ORIGIN;
//!
//! // a joins b: a stream of ours at a (`Ours`) is one of theirs at b (`Theirs`); frames travel until both are silent.
//! let command = Command::Join { addresses: vec![b.identity().addr], replay: false };
//! let mut frames: Vec<(bool, Vec<u8>)> = Vec::new();
//! let opened = step(&mut a, Input::Command { id: CommandId(1), command }, now, &mut outbox).next();
//! let Some(Output::Stream { id: ours, action: StreamAction::Open { to, .. } }) = opened else { panic!() };
//! let theirs = StreamId::Theirs(1);
//! let _ = step(&mut b, Input::Stream { id: theirs, input: StreamInput::Opened { peer: a.identity().addr } }, now, &mut outbox);
//! for output in step(&mut a, Input::Stream { id: ours, input: StreamInput::Opened { peer: to } }, now, &mut outbox) {
//!     if let Output::Stream { action: StreamAction::Frame { bytes, .. }, .. } = output {
//!         frames.push((true, bytes.to_vec()));
//!     }
//! }
//! while let Some((to_b, bytes)) = frames.pop() {
//!     let (node, id) = if to_b { (&mut b, theirs) } else { (&mut a, ours) };
//!     for output in step(node, Input::Stream { id, input: StreamInput::Frame(&bytes) }, now, &mut outbox) {
//!         match output {
//!             Output::Stream { action: StreamAction::Frame { bytes, .. }, .. } => frames.push((!to_b, bytes.to_vec())),
//!             Output::Event(Event::Join { member, .. }) => println!("{} joined", member.name),
//!             _ => {}
//!         }
//!     }
//! }
//! assert_eq!((a.others_up(), b.others_up()), (1, 1));
//! ```
//!
//! # Where things are
//!
//! [`io`] is the vocabulary of [`step`], [`wire`] that of nodes among each other, [`config`] every setting with its unit, range
//! and price. Behind `step`, each rule has a room: the member table and the precedence of claims, the probe cycle with its
//! helpers and suspicions, the queue of news, push/pull. No input panics; hostile bytes get a counted, typed refusal; no state
//! grows without a bound that [`Config`] names.
//!
//! # Features
//!
//! None is on by default.
//!
//! * `prefetch`: [`Node::prefetch`] and [`Node::prefetch_tables`] ask the processor for memory; without it they do nothing.
//!   For a driver of thousands of nodes; needs the standard library. No output depends on it.
//! * `sabotage`: rules can be broken on purpose, for tests that each is noticed. Not for what is shipped.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

/// The README's program is run by the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[macro_use]
mod sabotage;

pub mod config;
pub mod coordinate;
pub mod counters;
mod deadlines;
mod detect;
pub mod error;
mod events;
pub mod id;
pub mod io;
pub mod keyring;
mod members;
mod node;
mod prefetch;
pub mod protocol;
mod rng;
mod spread;
mod step;
mod sync;
pub mod tags;
pub mod time;
pub mod wire;

pub use config::Config;
pub use deadlines::Due;
pub use detect::{SuspicionTimes, suspicion_times};
pub use events::coalesce;
pub use members::Roster;
pub use node::{Birth, MemberView, Node, Restore, Snapshot};
pub use rng::Seed;
#[cfg(feature = "sabotage")]
pub use sabotage::Sabotage;
pub use spread::{QueueDepths, transmit_limit};
pub use step::step;
pub use sync::push_pull_period;
pub use time::Instant;
