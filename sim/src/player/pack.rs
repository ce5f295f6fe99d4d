//! A film's changes as few bytes, for the page to read.
//!
//! Entries in order of time. Numbers are variable-length: seven bits to a byte, low bits first, the high bit set on all but the last byte.
//! An entry is the microseconds since the one before, then `node * 8 + code`, then what the code says:
//!
//! | code | what changed | then |
//! |---|---|---|
//! | 0 | views of the node, at one moment | how many, then `subject * 5 + view` for each |
//! | 1 | it was born | how many spans of known nodes, then for each the nodes since the last one's end, and how many it has |
//! | 2 | it is gone | where to: 2 leaving, 3 left, 4 down |
//! | 3 | a fault takes hold of it or lets go | `condition * 2`, plus one if it takes hold |
//! | 4 | a false positive by the node | of whom |

use crate::film::{Change, Film, What};
use crate::truth::Presence;

/// The bytes, and what a reader needs to know before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// The entries.
    pub bytes: Vec<u8>,
    /// How many entries.
    pub entries: usize,
    /// Numbers after the codes, counts left out: a view or a gone or so is one, a span two.
    pub items: usize,
}

/// Packs the changes of a film.
#[must_use]
pub fn pack(film: &Film) -> Packed {
    let mut packed = Packed::default();
    let mut at = 0;
    let together = |a: &Change, b: &Change| {
        let views = matches!((a.what, b.what), (What::View { .. }, What::View { .. }));
        views && (a.at, a.node) == (b.at, b.node)
    };
    for chunk in film.changes.chunk_by(together) {
        let [change, ..] = chunk else { continue };
        packed.number(change.at.saturating_sub(at));
        at = at.max(change.at);
        packed.entry(film, change, chunk);
    }
    packed
}

impl Packed {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn item(&mut self, number: u64) {
        self.items += 1;
        self.number(number);
    }

    fn code(&mut self, node: u32, code: u64) {
        self.entries += 1;
        self.number(u64::from(node) * 8 + code);
    }

    fn entry(&mut self, film: &Film, change: &Change, chunk: &[Change]) {
        let node = change.node;
        match change.what {
            What::View { .. } => {
                self.code(node, 0);
                self.number(chunk.len() as u64);
                for change in chunk {
                    if let What::View { subject, view } = change.what {
                        self.item(u64::from(subject) * 5 + view as u64);
                    }
                }
            }
            What::Born(birth) => {
                let spans = film.births.get(birth as usize).map_or(&[][..], Vec::as_slice);
                self.code(node, 1);
                self.number(spans.len() as u64);
                let mut end = 0;
                for span in spans {
                    self.item(u64::from(span.first.saturating_sub(end)));
                    self.item(u64::from(span.count));
                    end = span.first.saturating_add(span.count);
                }
            }
            What::Gone(presence) => {
                self.code(node, 2);
                self.item(match presence {
                    Presence::Absent => 0,
                    Presence::Up => 1,
                    Presence::Leaving => 2,
                    Presence::Left => 3,
                    Presence::Down => 4,
                });
            }
            What::Condition { condition, on } => {
                self.code(node, 3);
                self.item(condition as u64 * 2 + u64::from(on));
            }
            What::FalsePositive { subject } => {
                self.code(node, 4);
                self.item(u64::from(subject));
            }
        }
    }
}
