//! The agent's configuration: from files, environment and flags to one [`AgentConfig`].
//!
//! A setting goes this way: each file becomes a tree in which every value knows its place ([`tree`], [`json`]); every tree is
//! read for itself, so that each mistake is found even where a later file hides it ([`read`]); all are laid over each other
//! ([`merge`]) and read once more; what only the whole can tell is checked last ([`cross`]).

mod build;
mod check;
mod core;
mod cross;
mod diagnostic;
mod endpoint;
mod flags;
mod json;
mod merge;
mod problem;
#[cfg(any(test, fuzzing))]
pub(crate) mod property;
mod read;
mod reload;
mod section;
mod source;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use rumormill_tokio::core::Config;
use rumormill_tokio::handlers::{HandlerSpec, Limits};

use crate::args::{AgentArgs, LogFormat, LogLevel, Profile, Secret};

pub(crate) use build::BuildError;
pub(crate) use check::check_config;
pub(crate) use diagnostic::Diagnostic;
pub(crate) use endpoint::Endpoint;
pub(crate) use reload::{Reload, reload};

use problem::Severity;
use source::Documents;
use tree::{Item, Place};

/// The port for commands.
const DEFAULT_RPC_PORT: u16 = 7373;
/// The port for metrics and health.
const DEFAULT_HTTP_PORT: u16 = 7374;
/// The port that statsd and statsite have.
const DEFAULT_STATSD_PORT: u16 = 8125;

/// Everything that an agent is told, defaults filled in. `docs/configuration.md` describes each key.
#[derive(Clone, Debug)]
pub(crate) struct AgentConfig {
    /// `None`: the host's name.
    pub(crate) node_name: Option<String>,
    /// With that of `role`. What a tags file holds is not among them.
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) tags_file: Option<PathBuf>,
    /// Port 7946 where it names none.
    pub(crate) bind: Endpoint,
    pub(crate) interface: Option<String>,
    /// Port as `bind` where it names none.
    pub(crate) advertise: Option<Endpoint>,
    pub(crate) encrypt_key: Option<Secret>,
    pub(crate) keyring_file: Option<PathBuf>,
    pub(crate) log_level: LogLevel,
    pub(crate) log_format: LogFormat,
    /// Port 7373 where it names none.
    pub(crate) rpc_addr: Endpoint,
    pub(crate) rpc_auth: Option<Secret>,
    /// Clients at a time.
    pub(crate) rpc_clients_max: u32,
    /// Serf's protocol version to announce: 2 to 5.
    pub(crate) protocol: u8,
    pub(crate) replay_on_join: bool,
    pub(crate) start_join: Vec<String>,
    pub(crate) retry_join: Vec<String>,
    /// At least 1 s.
    pub(crate) retry_interval: Duration,
    /// Tries that may fail; 0: any number.
    pub(crate) retry_max_attempts: u32,
    pub(crate) event_handlers: Vec<HandlerSpec>,
    pub(crate) handler_limits: Limits,
    pub(crate) profile: Profile,
    pub(crate) snapshot_path: Option<PathBuf>,
    pub(crate) rejoin_after_leave: bool,
    pub(crate) leave_on_terminate: bool,
    pub(crate) skip_leave_on_interrupt: bool,
    pub(crate) discover: Option<String>,
    pub(crate) mdns: Mdns,
    /// The facility, where lines go to syslog too.
    pub(crate) syslog: Option<Facility>,
    /// Whether this node's name is held to letters, digits, dots and dashes; it has been checked.
    pub(crate) validate_node_names: bool,
    /// Metrics and health over HTTP; port 7374 where it names none.
    pub(crate) http_addr: Option<Endpoint>,
    /// Port 8125 where it names none, as with `statsd_addr`.
    pub(crate) statsite_addr: Option<Endpoint>,
    pub(crate) statsd_addr: Option<Endpoint>,
    pub(crate) record: Option<PathBuf>,
    pub(crate) tcp_only: bool,
    /// The protocol's settings: the profile's, then those of `core`, then those of Serf's keys.
    core: Config,
    /// What may not be as somebody wanted; to be logged.
    pub(crate) warnings: Vec<Diagnostic>,
    /// Keys that files, environment or flags mention.
    mentioned: BTreeSet<String>,
}

/// Where and how the cluster is looked for by mDNS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mdns {
    /// `None`: as `interface`.
    pub(crate) interface: Option<String>,
    pub(crate) disable_ipv4: bool,
    pub(crate) disable_ipv6: bool,
}

/// A syslog facility: its name and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facility {
    pub(crate) name: &'static str,
    pub(crate) number: u8,
}

/// Reads files and folders in that order, the environment and the flags.
///
/// # Errors
/// Everything that is wrong, and what is unwise beside it, in the order of files and lines.
pub(crate) fn load(paths: &[PathBuf], flags: &AgentArgs) -> Result<AgentConfig, Vec<Diagnostic>> {
    let (config, diagnostics) = examine(Documents::read(paths), flags, None);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok(AgentConfig { warnings: diagnostics, ..config })
}

/// The settings as far as they could be read, and everything that is wrong or unwise; for an agent that starts, or for the one
/// that runs with these settings.
fn examine(
    documents: Documents,
    flags: &AgentArgs,
    running: Option<&AgentConfig>,
) -> (AgentConfig, Vec<Diagnostic>) {
    let Documents { list, trees, mut problems, paths } = documents;
    // Each problem so far is a file's that is not there, in whole.
    let all_read = !problems.iter().any(|problem| problem.severity == Severity::Error);
    let trees = trees.into_iter().chain([flags::environment(flags), flags::tree(flags)]);
    let mut merged = Item::empty();
    for tree in trees {
        read::read(&tree, &mut problems);
        merge::lay(&mut merged, &tree);
    }
    // Each problem is on the list already.
    let config = read::read(&merged, &mut Vec::new());
    let mut found = Vec::new();
    cross::check(&cross::All { config: &config, merged: &merged, paths: &paths, running }, &mut found);
    // What nobody said may stand in a file that could not be read.
    problems.extend(found.into_iter().filter(|problem| all_read || problem.place != Place::Nowhere));
    (config, diagnostic::explain(&list, problems))
}

#[cfg(test)]
mod tests;
