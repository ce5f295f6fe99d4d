//! What SIGHUP does: files and flags are read again, and what is live is put into force.

use rumormill_tokio::core::tags::Tags;
use tracing::{error, info, warn};

use super::start::{Running, shown, wanted};
use super::warn_of;
use crate::args::AgentArgs;
use crate::config::{self, AgentConfig, Reload, TagChange};

/// Puts changed settings into force; the settings that hold then. Where something is wrong, all stay as they were.
pub(super) async fn reload(running: &Running, config: AgentConfig, args: &AgentArgs) -> AgentConfig {
    anstream::println!("==> Reloading configuration...");
    let reload = match config::reload(&config, &args.config_paths, args) {
        Ok(reload) => reload,
        Err(problems) => {
            for problem in &problems {
                error!("agent: {}", problem.line());
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
    put_into_force(running, &reload).await;
    reload.config
}

async fn put_into_force(running: &Running, reload: &Reload) {
    if let Some(level) = reload.log_level {
        running.log.set_level(level);
        info!("agent: log level is {} now", level.name());
    }
    if let Some(handlers) = &reload.event_handlers {
        running.handlers.replace(handlers.clone());
        running.shown_handlers.send_replace(shown(handlers));
        info!("agent: {} event handlers now", handlers.len());
    }
    if reload.retry_join.is_some() {
        running.wanted.send_replace(wanted(&reload.config));
    }
    if let Some(change) = &reload.tags
        && let Err(error) = running.agent.set_tags(changed(&running.agent.me().tags(), change)).await
    {
        error!("agent: tags could not be announced: {error}");
    }
}

/// The present tags with a change.
fn changed(present: &Tags, TagChange { set, delete }: &TagChange) -> Tags {
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
        let change =
            TagChange { set: [("a".to_owned(), "9".to_owned())].into(), delete: vec!["b".to_owned()] };
        let tags: Vec<_> =
            changed(&present, &change).iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        assert_eq!(tags, [("a".to_owned(), "9".to_owned()), ("c".to_owned(), "3".to_owned())]);
    }
}
