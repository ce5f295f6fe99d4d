//! Where waiting messages lie.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::wire::Kind;

/// Bytes of a message up to which it lies in its entry.
const SHORT: usize = 30;

/// The length of a message that does not.
const LONG: u8 = u8::MAX;

/// A message that waits, two to a cache line.
#[derive(Clone, Debug)]
#[repr(align(32))]
struct Entry {
    kind: Kind,
    /// How much of `short` is the message; [`LONG`] when it lies elsewhere.
    length: u8,
    short: [u8; SHORT],
}

const _: () = assert!(size_of::<Entry>() == 32, "two waiting messages share a cache line");
/// Entries that share a cache line.
const ENTRIES_IN_LINE: usize = 2;
/// Entries up to which all are brought near at once: 4 KiB.
const NEAR_ENTRIES_MAX: usize = 128;

impl Entry {
    fn new(kind: Kind, bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        let length = match short.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                bytes.len() as u8
            }
            None => LONG,
        };
        Self { kind, length, short }
    }
}

/// The messages of a queue, each in a slot of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    /// Each entry's message where it is long, up to the last that was.
    long: Vec<Box<[u8]>>,
    vacant: Vec<u32>,
}

impl Entries {
    /// Bytes beyond a message that [`Entries::append`] has use for while it appends.
    pub(super) const BEYOND: usize = SHORT;

    /// Keeps a message; its slot.
    pub(super) fn put(&mut self, kind: Kind, bytes: &[u8]) -> u32 {
        let entry = Entry::new(kind, bytes);
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.entries[slot as usize] = entry;
                slot
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        // Asked of the message: the entry may still be on its way from memory.
        if bytes.len() > SHORT {
            let place = slot as usize;
            self.long.resize_with(self.long.len().max(place + 1), Box::default);
            self.long[place] = bytes.into();
        }
        slot
    }

    /// Appends a message; its kind.
    #[inline]
    pub(super) fn append(&self, slot: u32, out: &mut Vec<u8>) -> Kind {
        let Entry { kind, length, short } = &self.entries[slot as usize];
        if *length == LONG {
            out.extend_from_slice(&self.long[slot as usize]);
            return *kind;
        }
        // A copy of fixed length takes no call.
        let end = out.len() + usize::from(*length);
        out.extend_from_slice(short);
        out.truncate(end);
        *kind
    }

    /// The slot may be used again. The memory of a long message is given back.
    pub(super) fn vacate(&mut self, slot: u32) {
        if let Some(long) = self.long.get_mut(slot as usize) {
            *long = Box::default();
        }
        self.vacant.push(slot);
    }

    /// Reads something of each cache line of the entries, unless they are many: what is going to be copied one after another
    /// comes from memory at once.
    pub(super) fn bring_near(&self) {
        if self.entries.len() <= NEAR_ENTRIES_MAX {
            let lines = self.entries.chunks(ENTRIES_IN_LINE).filter_map(<[Entry]>::first);
            core::hint::black_box(lines.fold(0, |all, entry| all ^ entry.length));
        }
    }

    /// Asks for the entries, unless they are many.
    #[inline]
    pub(super) fn prefetch(&self) {
        if self.entries.len() <= NEAR_ENTRIES_MAX {
            crate::prefetch::ask_for_all(&self.entries, NEAR_ENTRIES_MAX / ENTRIES_IN_LINE);
        }
    }
}
