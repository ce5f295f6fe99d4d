//! `rumor version`.

use super::failure::Outcome;
use super::output::Output;

/// The versions of the agent's protocol that Serf's tools know: what is spoken, and the oldest that is understood.
const PROTOCOL: (u8, u8) = (5, 2);

/// The version of the program, and of the protocol.
pub(crate) fn run() -> Outcome {
    Ok(Output::standard().print(&text())?)
}

fn text() -> String {
    let (spoken, oldest) = PROTOCOL;
    format!("{}\nAgent Protocol: {spoken} (Understands back to: {oldest})\n", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_lines_as_serf_prints_them() {
        let text = super::text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, [env!("CARGO_PKG_VERSION"), "Agent Protocol: 5 (Understands back to: 2)"]);
    }
}
