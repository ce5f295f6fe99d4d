//! Asking the processor for memory that is going to be needed, so that it comes while other work is done.
//!
//! A node among thousands is far from the processor when its turn comes, and its step then waits for one cache line after the
//! other. A driver knows some events ahead whose turn it will be.

use core::slice;

use prefetch_index::prefetch_index;

const LINE_BYTES: usize = 64;

/// Asks for the cache line in which a value begins.
#[inline(always)]
pub(crate) fn ask<T>(value: &T) {
    prefetch_index(slice::from_ref(value), 0);
}

/// Asks for the cache lines of the first `lines_max * 64` bytes of some values.
#[inline(always)]
pub(crate) fn ask_for_all<T>(values: &[T], lines_max: usize) {
    let step = (LINE_BYTES / size_of::<T>()).max(1);
    for value in values.iter().step_by(step).take(lines_max) {
        ask(value);
    }
}
