//! What SIGHUP does: files and flags are read again, and what is live is put into force.

use std::collections::BTreeMap;

use rumormill_tokio::core::tags::Tags;
use tracing::{error, info, warn};

use super::start::{Running, shown, wanted};
use super::warn_of;
use crate::args::AgentArgs;
use crate::config::{self, AgentConfig, Reload};

/// Puts changed settings into force; the settings that hold then. Where something is wrong, all stay as they were.
pub(super) async fn reload(running: &Running, config: AgentConfig, args: &AgentArgs) -> AgentConfig {
    say!("==> Reloading configuration...");
    let mut reload = match config::reload(&config, &args.config_paths, args) {
        Ok(reload) => reload,
        Err(problems) => {
            for problem in &problems {
                match problem.is_error() {
                    true => error!("agent: {}", problem.line()),
                    false => warn!("agent: {}", problem.line()),
                }
            }
            error!("agent: Failed to reload configuration; everything stays as it was");
            return config;
        }
    };
    warn_of(&reload.warnings);
    if reload.is_empty() {
        info!("agent: reloaded: nothing has changed");
    }
    if !reload.needs_restart.is_empty() {
        warn!("agent: changed, but read at the start only: {}", reload.needs_restart.join(", "));
    }
    if let Some(format) = reload.log_format
        && let Err(error) = running.log.set_format(format)
    {
        error!("agent: log format stays {}: {error}", config.log_format.name());
        (reload.log_format, reload.config.log_format) = (None, config.log_format);
    }
    put_into_force(running, &reload).await;
    reload.config
}

async fn put_into_force(running: &Running, reload: &Reload) {
    if let Some(level) = reload.log_level {
        running.log.set_level(level);
        info!("agent: log level is {} now", level.name());
    }
    if let Some(format) = reload.log_format {
        info!("agent: log format is {} now", format.name());
    }
    if let Some(handlers) = &reload.event_handlers {
        running.handlers.replace(handlers.clone());
        running.shown_handlers.send_replace(shown(handlers));
        info!("agent: {} event handlers now", handlers.len());
    }
    if reload.retry_join.is_some() {
        running.wanted.send_replace(wanted(&reload.config));
        running.watched.expects.set(reload.config.expects_others());
    }
    if reload.mentions_tags {
        let present = running.agent.me().tags();
        let delete = reload.tags.as_ref().map_or(&[][..], |change| &change.delete);
        let wanted = changed(&present, &reload.config.tags, delete);
        if wanted != present
            && let Err(error) = running.agent.set_tags(wanted).await
        {
            error!("agent: tags could not be announced, and are tried again at the next reload: {error}");
        }
    }
}

/// The present tags with a change.
fn changed(present: &Tags, set: &BTreeMap<String, String>, delete: &[String]) -> Tags {
    let kept = present.iter().filter(|(key, _)| !delete.iter().any(|gone| gone == key));
    let set = set.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    kept.chain(set).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_somebody_set_meanwhile_stay() {
        let present: Tags = [("a", "1"), ("b", "2"), ("c", "3")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into_iter()
            .collect();
        let set = [("a".to_owned(), "9".to_owned())].into();
        let tags: Vec<_> = changed(&present, &set, &["b".to_owned()])
            .iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        assert_eq!(tags, [("a".to_owned(), "9".to_owned()), ("c".to_owned(), "3".to_owned())]);
    }
}
