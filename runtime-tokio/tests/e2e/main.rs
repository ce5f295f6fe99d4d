//! The program against the real thing: Debian's `serf` as client of our agents, our commands as clients of its agents, and both
//! against themselves, by one script whose transcripts have to be equal wherever the table "Differences from Serf" of README.md does not say
//! otherwise; then the clients that others wrote for Serf, in Python and for node.
//!
//! And real faults, in networks of namespaces that the tests make for themselves: `faults`.
//!
//! Needs root, and Debian's package `serf`, python3 with venv, and npm: `install.sh` beside this file gets the rest.

mod clients;
mod disk;
mod faults;
mod harness;
mod hostile;
mod life;
mod observe;
mod ours;
mod script;
mod transcript;
mod watching;

use std::sync::OnceLock;

use harness::Program::{self, Rumor, Serf};
use transcript::Transcript;

/// What Serf's own commands say to Serf's own agents.
fn baseline() -> &'static Transcript {
    static BASELINE: OnceLock<Transcript> = OnceLock::new();
    BASELINE.get_or_init(|| script::perform(Serf, Serf))
}

fn compare(agent: Program, client: Program) {
    let ours = script::perform(agent, client);
    let differences = baseline().differences(&ours);
    assert!(differences.is_empty(), "{client} against {agent}:\n{}", differences.join("\n"));
}

/// Two runs of one program against itself are equal: what they say by chance is left out, and what they do is not.
#[test]
fn serfs_commands_against_serfs_agent() {
    compare(Serf, Serf);
    let failed = baseline().0.iter().filter(|entry| entry.exit != 0).count();
    assert!(failed > 30 && baseline().0.len() > 2 * failed, "{failed} of {}", baseline().0.len());
}

#[test]
fn serfs_commands_against_our_agent() {
    compare(Rumor, Serf);
}

#[test]
fn our_commands_against_serfs_agent() {
    compare(Serf, Rumor);
}

#[test]
fn our_commands_against_our_agent() {
    compare(Rumor, Rumor);
}
