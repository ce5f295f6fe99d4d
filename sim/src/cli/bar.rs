//! Progress on standard error: on a terminal only.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar as indicatif's template says, of so much if that is known; it shows nothing with `quiet`, or where nobody looks.
pub(super) fn bar(template: &str, prefix: &str, length: Option<u64>, quiet: bool) -> ProgressBar {
    let hidden = quiet || !std::io::stderr().is_terminal();
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(length, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(prefix.to_owned());
    bar
}

/// A bar of simulated seconds.
pub(super) fn simulated(prefix: &str, seconds: u64, quiet: bool) -> ProgressBar {
    bar("{prefix} {wide_bar} {pos}/{len} simulated s, {eta} left", prefix, Some(seconds), quiet)
}
