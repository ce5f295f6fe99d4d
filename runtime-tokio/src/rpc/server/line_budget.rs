//! How much clients can make the log say.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines in one window.
const LINES_MAX: u32 = 20;
/// The window.
const WINDOW: Duration = Duration::from_secs(10);

/// Lets so many lines through in each window.
#[derive(Debug, Default)]
pub(super) struct LineBudget(Mutex<Option<(Instant, u32)>>);

impl LineBudget {
    /// Whether one more line may be logged; when some were not, that is logged once a window.
    pub(super) fn allows(&self) -> bool {
        self.allows_at(Instant::now())
    }

    fn allows_at(&self, now: Instant) -> bool {
        // Nothing that panics runs under the lock.
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, lines) = window.get_or_insert((now, 0));
        if now.duration_since(*begun) >= WINDOW {
            (*begun, *lines) = (now, 0);
        }
        *lines = lines.saturating_add(1);
        let lines = *lines;
        drop(window);
        if lines == LINES_MAX {
            let seconds = WINDOW.as_secs();
            tracing::warn!("agent.ipc: more about clients is not logged within {seconds} seconds");
        }
        lines < LINES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_so_many_lines_and_the_next_one_again() {
        let (budget, start) = (LineBudget::default(), Instant::now());
        let passed =
            |after: u64| (0..100).filter(|_| budget.allows_at(start + Duration::from_secs(after))).count();
        assert_eq!([passed(0), passed(9), passed(10)], [LINES_MAX as usize - 1, 0, LINES_MAX as usize - 1]);
    }
}
