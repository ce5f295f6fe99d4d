//! What SIGHUP changes.
//!
//! Live are the tags, the event handlers, the log's level and format, and the addresses of `retry_join`. A key that files and flags do not
//! mention (any more) stays as it is: to have no handlers, write an empty list. Everything else waits for a restart.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rumormill_tokio::handlers::HandlerSpec;

use super::source::Documents;
use super::{AgentConfig, Diagnostic, examine};
use crate::args::{AgentArgs, LogFormat, LogLevel, Secret};

/// What is to be done, and what waits.
#[derive(Clone, Debug)]
pub(crate) struct Reload {
    /// The settings that hold from now on: the old ones with what is live.
    pub(crate) config: AgentConfig,
    /// Tags to change on those that the node has now, whoever set them.
    pub(crate) tags: Option<TagChange>,
    /// Whether files or flags mention tags: those of `config` then win over what was set while the agent ran.
    pub(crate) mentions_tags: bool,
    /// Handlers instead of the present ones.
    pub(crate) event_handlers: Option<Vec<HandlerSpec>>,
    /// Another log level.
    pub(crate) log_level: Option<LogLevel>,
    /// Another form of the log.
    pub(crate) log_format: Option<LogFormat>,
    /// Other addresses to keep trying to join.
    pub(crate) retry_join: Option<Vec<String>>,
    /// Keys that have changed, but are read at the start only.
    pub(crate) needs_restart: Vec<&'static str>,
    /// What may not be as somebody wanted; to be logged.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Reload {
    /// Whether nothing has changed at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_none()
            && self.event_handlers.is_none()
            && self.log_level.is_none()
            && self.log_format.is_none()
            && self.retry_join.is_none()
            && self.needs_restart.is_empty()
    }
}

/// Tags to set and to delete. Those that somebody set while the agent ran stay, unless a file sets them too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagChange {
    pub(crate) set: BTreeMap<String, String>,
    pub(crate) delete: Vec<String>,
}

/// Reads everything again.
///
/// # Errors
/// Something is wrong: the old settings stay, all of them.
pub(crate) fn reload(
    old: &AgentConfig,
    paths: &[PathBuf],
    flags: &AgentArgs,
) -> Result<Reload, Vec<Diagnostic>> {
    let (new, diagnostics) = examine(Documents::read(paths), flags, Some(old));
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok(compare(old, &new, diagnostics))
}

pub(super) fn compare(old: &AgentConfig, new: &AgentConfig, warnings: Vec<Diagnostic>) -> Reload {
    let mentions = |key: &str| new.mentioned.contains(key);
    let mentions_tags = mentions("tags") || mentions("role");
    let tags = mentions_tags.then(|| change(&old.tags, &new.tags));
    let tags = tags.filter(|change| *change != TagChange::default());
    let event_handlers = (mentions("event_handlers") && new.event_handlers != old.event_handlers)
        .then(|| new.event_handlers.clone());
    let log_level = (mentions("log_level") && new.log_level != old.log_level).then_some(new.log_level);
    let log_format = (mentions("log_format") && new.log_format != old.log_format).then_some(new.log_format);
    let retry_join =
        (mentions("retry_join") && new.retry_join != old.retry_join).then(|| new.retry_join.clone());
    let (before, after) = (old.at_start(), new.at_start());
    let changed = before.iter().zip(&after).filter(|(before, after)| before.1 != after.1);
    let needs_restart = changed.map(|(before, _)| before.0).collect();

    let mut config = old.clone();
    if tags.is_some() {
        config.tags.clone_from(&new.tags);
    }
    if let Some(handlers) = &event_handlers {
        config.event_handlers.clone_from(handlers);
    }
    if let Some(level) = log_level {
        config.log_level = level;
    }
    if let Some(format) = log_format {
        config.log_format = format;
    }
    if let Some(addresses) = &retry_join {
        config.retry_join.clone_from(addresses);
    }
    Reload {
        config,
        tags,
        mentions_tags,
        event_handlers,
        log_level,
        log_format,
        retry_join,
        needs_restart,
        warnings,
    }
}

fn change(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> TagChange {
    let set = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let delete = old.keys().filter(|key| !new.contains_key(*key));
    TagChange { set: set.map(|(k, v)| (k.clone(), v.clone())).collect(), delete: delete.cloned().collect() }
}

impl AgentConfig {
    /// What is read at the start only, by key. Secrets are in it.
    fn at_start(&self) -> Vec<(&'static str, String)> {
        let secret = |secret: &Option<Secret>| format!("{:?}", secret.as_ref().map(Secret::expose));
        vec![
            ("node_name", format!("{:?}", self.node_name)),
            ("tags_file", format!("{:?}", self.tags_file)),
            ("bind", format!("{:?}", self.bind)),
            ("interface", format!("{:?}", self.interface)),
            ("advertise", format!("{:?}", self.advertise)),
            ("encrypt_key", secret(&self.encrypt_key)),
            ("keyring_file", format!("{:?}", self.keyring_file)),
            ("rpc_addr", format!("{:?}", self.rpc_addr)),
            ("rpc_auth", secret(&self.rpc_auth)),
            ("rpc_clients_max", format!("{:?}", self.rpc_clients_max)),
            ("protocol", format!("{:?}", self.protocol)),
            ("replay_on_join", format!("{:?}", self.replay_on_join)),
            ("retry_interval", format!("{:?}", self.retry_interval)),
            ("retry_max_attempts", format!("{:?}", self.retry_max_attempts)),
            ("handlers", format!("{:?}", self.handler_limits)),
            ("profile", format!("{:?}", self.profile)),
            ("snapshot_path", format!("{:?}", self.snapshot_path)),
            ("rejoin_after_leave", format!("{:?}", self.rejoin_after_leave)),
            ("leave_on_terminate", format!("{:?}", self.leave_on_terminate)),
            ("skip_leave_on_interrupt", format!("{:?}", self.skip_leave_on_interrupt)),
            ("discover", format!("{:?}", self.discover)),
            ("mdns", format!("{:?}", self.mdns)),
            ("enable_syslog", format!("{:?}", self.syslog)),
            ("validate_node_names", format!("{:?}", self.validate_node_names)),
            ("http_addr", format!("{:?}", self.http_addr)),
            ("statsite_addr", format!("{:?}", self.statsite_addr)),
            ("statsd_addr", format!("{:?}", self.statsd_addr)),
            ("record", format!("{:?}", self.record)),
            ("tcp_only", format!("{:?}", self.tcp_only)),
            ("core", format!("{:?}", self.core)),
        ]
    }
}
