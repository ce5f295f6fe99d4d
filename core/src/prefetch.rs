//! Asking the processor for memory that is going to be needed, so that it comes while other work is done.
//!
//! A node among thousands is far from the processor when its turn comes, and its step then waits for one cache line after the
//! other. A driver knows some events ahead whose turn it will be.

use core::slice;

const LINE_BYTES: usize = 64;

/// Asks for the cache line in which one of some values begins; nobody is asked without the feature `prefetch`.
#[inline(always)]
fn ask_for_one<T>(values: &[T], index: usize) {
    #[cfg(feature = "prefetch")]
    prefetch_index::prefetch_index(values, index);
    #[cfg(not(feature = "prefetch"))]
    let _ = (values, index);
}

/// Asks for the cache line in which a value begins.
#[inline(always)]
pub(crate) fn ask<T>(value: &T) {
    ask_for_one(slice::from_ref(value), 0);
}

/// Asks for the cache lines of some values, at most so many.
#[inline(always)]
pub(crate) fn ask_for_all<T>(values: &[T], lines_max: usize) {
    let step = (LINE_BYTES / size_of::<T>()).max(1);
    for index in (0..values.len()).step_by(step).take(lines_max) {
        ask_for_one(values, index);
    }
}
