//! Recordings: every input of a node's core, with its time, so that the run can be done again without a network.
//!
//! The core is a pure function of its birth and its inputs. A [`Recorder`] writes both down, and after each input a digest of what
//! the core answered; [`replay`] makes the same node, feeds it the same inputs and compares. A difference means that the core is
//! another one, or that it is not pure.
//!
//! A recording holds secrets: the node's keys, its seed, and every payload. It is made readable by its owner alone, says so in its
//! first lines, and never overwrites anything.
//!
//! The format: two lines of text; then frames, the first of which is the node's birth. A frame is the length of its body (u32), a check of
//! that, a checksum of the body, and the body in postcard; numbers are little-endian. A file may end anywhere: what is whole counts.

mod birth;
mod codec;
mod digest;
mod frames;
#[cfg(any(test, fuzzing))]
pub(crate) mod property;
mod recorder;
mod replay;
#[cfg(test)]
mod tests;

pub use birth::Header;
pub use digest::Answer;
pub use recorder::Recorder;
pub use replay::{Difference, ReplayError, ReplayReport, replay};

/// How a recording begins.
const MAGIC: &str = "rumormill-recording 1\n\
    This file holds secrets: keys, and the payloads of events and queries. Keep it as you keep the keys.\n";
/// How a recording of any version begins.
const MAGIC_START: &str = "rumormill-recording ";
