//! Runs that panic: for whoever looks for what fails, a panic is something found, and not the end of the search.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether panics of this thread are told to nobody but the caller.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What something gives, or the words with which it panics, on one line.
///
/// # Errors
/// The words.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| words(panic.as_ref()))
}

/// The same, while the panic hook says nothing: for what is expected to panic again and again.
///
/// # Errors
/// The words.
pub(crate) fn caught_quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    // The hook is the whole process's, so it asks which thread it is: other panics are told as ever.
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !QUIET.try_with(Cell::get).unwrap_or(false) {
                others(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = caught(run);
    QUIET.set(before);
    result
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    // What compares two values says so on three lines.
    let lines: Vec<&str> = text.unwrap_or("without a word").lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_its_words_on_one_line() {
        assert_eq!(caught(|| 3), Ok(3));
        let quietly = caught_quietly(|| assert_eq!(1 + 1, 3));
        assert_eq!(quietly.unwrap_err(), "assertion `left == right` failed left: 2 right: 3");
        let inner = caught_quietly(|| caught_quietly(|| panic!("no {}", "way")));
        assert_eq!(inner, Ok(Err::<(), _>("no way".to_owned())));
        assert!(!QUIET.get());
        assert_eq!(words(&7_u8), "without a word");
    }
}
