//! What only all settings together tell: conflicts, and what is unwise.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use rumormill_tokio::core::Seed;
use rumormill_tokio::core::id::META_BYTES_MAX;
use rumormill_tokio::core::tags::Tags;
use rumormill_tokio::core::wire::Wire;

use super::problem::{Problem, plain};
use super::source::SECRETS;
use super::tree::{Item, Place, Value};
use super::{AgentConfig, core};

/// All there is to look at.
pub(super) struct All<'a> {
    pub(super) config: &'a AgentConfig,
    /// Everything that was written.
    pub(super) merged: &'a Item,
    /// The files that were read, by number.
    pub(super) paths: &'a [(usize, PathBuf)],
    /// The settings of the agent that runs, where one does.
    pub(super) running: Option<&'a AgentConfig>,
}

/// Looks at everything.
pub(super) fn check(all: &All<'_>, problems: &mut Vec<Problem>) {
    let All { config, merged, .. } = *all;
    conflicts(config, merged, problems);
    names(config, merged, problems);
    bounds(config, merged, problems);
    keyring(config, merged, problems);
    cipher(config, merged, problems);
    files(all, problems);
    addresses(config, merged, problems);
    without_effect(config, merged, problems);
    secrets(config, merged, problems);
    open_files(all, problems);
}

/// What a dotted key has been set to.
fn find<'a>(merged: &'a Item, key: &str) -> Option<&'a Item> {
    key.split('.').try_fold(merged, |item, key| item.get_set(key))
}

/// The problem at a key's value, and nowhere when nobody wrote it.
fn at(merged: &Item, key: &str, message: impl Into<String>) -> Problem {
    match find(merged, key) {
        Some(item) => Problem::at(item, key, message),
        None => Problem::nowhere(key, message),
    }
}

fn conflicts(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    if config.tags_file.is_some() && !config.tags.is_empty() {
        let message = "a tags file cannot be used together with tags of files or flags";
        problems
            .push(at(merged, "tags_file", message).hint("put all tags into the tags file, or leave it out"));
    }
    if config.keyring_file.is_some() && merged.get_set("encrypt_key").is_some() {
        let message = "a keyring file cannot be used together with a key";
        let problem = at(merged, "encrypt_key", message);
        problems.push(
            problem.hint("put the key into the keyring file, as its first, or leave the keyring file out"),
        );
    }
    if config.mdns.disable_ipv4 && config.mdns.disable_ipv6 {
        let message = "mDNS cannot do without both IPv4 and IPv6";
        problems.push(at(merged, "mdns.disable_ipv6", message).hint("leave discover out to have no mDNS"));
    }
    if config.mdns.interface.is_some() && config.discover.is_none() {
        let message = "is only for mDNS, which needs the cluster's name";
        let problem = at(merged, "mdns.interface", message).hint("set discover (-discover) too");
        let by_flag = matches!(problem.place, Place::Named(_));
        problems.push(if by_flag { problem } else { problem.warning() });
    }
}

fn names(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    let name = config.node_name.clone().unwrap_or_else(host_name);
    let simple = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if config.validate_node_names && !name.chars().all(simple) {
        let name = plain(&name);
        let message = format!("\"{name}\" has other characters than letters, digits, dots and dashes");
        let key = if config.node_name.is_some() { "node_name" } else { "validate_node_names" };
        let hint = "set node_name (-node), or validate_node_names = false";
        problems.push(at(merged, key, message).hint(hint));
    }
    let tags: Tags = config.tags.clone().into_iter().collect();
    let bytes = tags.to_meta().len();
    if bytes > META_BYTES_MAX {
        let message =
            format!("all tags together have {bytes} bytes encoded, but may have at most {META_BYTES_MAX}");
        problems.push(at(merged, "tags", message));
    }
}

/// A setting whose bound is another one, which alone may stand in a file: then the mistake is there.
const BOUND_BY_ANOTHER: (&str, &str) = ("core.probe_timeout", "core.probe_interval");

fn bounds(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    for (field, message) in core::out_of_bounds(&config.core) {
        let by_serfs_key =
            core::ALIASES.iter().find(|(key, alias)| *alias == field && merged.get_set(key).is_some());
        let key = by_serfs_key.map_or_else(|| format!("core.{field}"), |(key, _)| (*key).to_string());
        let (bounded, by) = BOUND_BY_ANOTHER;
        let problem = match find(merged, by) {
            Some(other) if key == bounded && find(merged, bounded).is_none() => {
                Problem::at(other, &key, message)
            }
            _ => at(merged, &key, message),
        };
        problems.push(problem);
    }
}

fn keyring(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    if let Some(path) = &config.keyring_file {
        let wrong = match std::fs::metadata(path) {
            Err(error) => Some(format!("{} cannot be read: {error}", path.display())),
            Ok(meta) if meta.is_file() && meta.len() == 0 => Some(format!("{} is empty", path.display())),
            Ok(meta) => {
                if readable_by_others(&meta) {
                    let message = format!("{} holds keys and can be read by other users", path.display());
                    let hint = format!("chmod 600 {}", path.display());
                    problems.push(at(merged, "keyring_file", message).hint(hint).warning());
                }
                None
            }
        };
        if let Some(message) = wrong {
            let hint = "it is a JSON array of keys in base64, the one to encrypt with first: [\"...\"]";
            problems.push(at(merged, "keyring_file", message).hint(hint));
        }
    }
}

/// Not every cipher takes every key.
fn cipher(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    // A key that is none was reported where it was read.
    let Ok(keyring) = config.keyring() else { return };
    if let Err(error) = Wire::with_keys(&config.core, keyring, &Seed::from_os([0; 32])) {
        let hint = "`rumor keygen` prints a key of 32 bytes; or leave core.cipher out";
        problems.push(at(merged, "encrypt_key", error.to_string()).hint(hint));
    }
}

fn files(all: &All<'_>, problems: &mut Vec<Problem>) {
    let All { config, merged, running, .. } = *all;
    for (key, path) in [
        ("snapshot_path", &config.snapshot_path),
        ("tags_file", &config.tags_file),
        ("record", &config.record),
    ] {
        let Some(folder) = path.as_deref().and_then(folder) else { continue };
        if !folder.is_dir() {
            let message = format!("the folder {} does not exist", folder.display());
            let problem = at(merged, key, message).hint("create it, writable by the agent's user");
            problems.push(if key == "snapshot_path" { problem.warning() } else { problem });
        }
    }
    // The recording that the running agent writes is no reason to refuse.
    let new = running.is_none_or(|running| running.record != config.record);
    if let Some(record) = config.record.as_deref().filter(|record| new && record.exists()) {
        let message = format!("{} exists, and a recording overwrites nothing", record.display());
        problems.push(at(merged, "record", message).hint("name a new file"));
    }
    if config.rejoin_after_leave && config.snapshot_path.is_none() {
        let message = "has no effect without a snapshot, which says whom to rejoin";
        problems.push(
            at(merged, "rejoin_after_leave", message).hint("set snapshot_path (-snapshot) too").warning(),
        );
    }
}

/// The folder of a file that may not exist yet.
fn folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

fn addresses(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    if let Some(advertise) = &config.advertise {
        if advertise.is_unspecified() {
            let message = "is no address at which others can reach this node";
            problems.push(at(merged, "advertise", message).hint("for example \"10.0.0.5\", or leave it out"));
        }
        if advertise.port == Some(0) {
            problems.push(at(merged, "advertise", "port 0 is none at which others can reach this node"));
        }
    } else if config.bind.is_unspecified() && config.interface.is_none() {
        let message =
            "advertise, bind and interface are not set: others are told the first address of this machine";
        let problem = at(merged, "bind", message).hint("set advertise where it has several");
        problems.push(problem.warning());
    }
    if config.rpc_auth.is_none() && !config.rpc_addr.is_loopback() {
        let message = "takes commands from other machines, without a token";
        problems.push(at(merged, "rpc_addr", message).hint("set rpc_auth").warning());
    }
    if config.http_addr.as_ref().is_some_and(|addr| !addr.is_loopback()) {
        let message = "shows how this node does to whoever reaches it";
        let hint = "use 127.0.0.1, or let only those reach it who watch the cluster";
        problems.push(at(merged, "http_addr", message).hint(hint).warning());
    }
    let listed = |key: &str| matches!(merged.get(key), Some(Item { value: Value::List(list), .. }) if !list.is_empty());
    if config.retry_max_attempts > 0 && !listed("retry_join") {
        problems.push(at(merged, "retry_max_attempts", "has no effect without retry_join").warning());
    }
}

fn without_effect(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    if merged.get_set("enable_compression").is_some() {
        let message = "has no effect: this program's own protocol compresses nothing, in either setting";
        problems.push(at(merged, "enable_compression", message).warning());
    }
    if merged.get_set("role").is_some() {
        problems.push(at(merged, "role", "is deprecated").hint("set the tag role instead").warning());
    }
    if merged.get_set("syslog_facility").is_some() && config.syslog.is_none() {
        problems.push(at(merged, "syslog_facility", "has no effect without enable_syslog").warning());
    }
}

fn secrets(config: &AgentConfig, merged: &Item, problems: &mut Vec<Problem>) {
    let key = merged.get_set("encrypt_key");
    if key.is_none() && config.keyring_file.is_none() {
        let message = "there is no key: whoever reaches this node can read everything and join";
        let hint = "set encrypt_key, $RUMOR_ENCRYPT_KEY or keyring_file; `rumor keygen` prints a key";
        problems.push(Problem::nowhere("", message).hint(hint).warning());
    }
    if let Some(item) = key.filter(|item| item.at == Place::Named("-encrypt")) {
        let message = "a key on the command line can be seen by every user of this machine";
        let hint = "use $RUMOR_ENCRYPT_KEY, encrypt_key in a file, or -keyring-file";
        problems.push(Problem::at(item, "encrypt_key", message).hint(hint).warning());
    }
}

/// Secrets in files that others can read.
fn open_files(all: &All<'_>, problems: &mut Vec<Problem>) {
    for key in SECRETS {
        let Some(item) = all.merged.get_set(key) else { continue };
        let Place::Document(number, _) = &item.at else { continue };
        let Some((_, path)) = all.paths.iter().find(|(n, _)| n == number) else { continue };
        if std::fs::metadata(path).is_ok_and(|meta| readable_by_others(&meta)) {
            let problem = Problem::at(item, key, "stands in a file that other users can read");
            problems.push(problem.hint(format!("chmod 600 {}", path.display())).warning());
        }
    }
}

/// The name of a node that is given none.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(unix)]
fn readable_by_others(meta: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_meta: &Metadata) -> bool {
    false
}
