//! Whether an agent is alive, and whether it is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::metrics::Readings;

/// Whether the agent is to join somebody before it is ready. Clones are the same expectation.
///
/// An agent that was told of others when it started ([`Handle::knows_of_others`](crate::Handle::knows_of_others)) is to join them in any case.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    others: Arc<AtomicBool>,
    /// It knew of others when it was born.
    from_birth: bool,
}

impl Expectation {
    /// What is expected of an agent, beside what it knows itself.
    #[must_use]
    pub fn of(agent: &crate::Handle, others: bool) -> Self {
        Self { others: Arc::new(AtomicBool::new(others)), from_birth: agent.knows_of_others() }
    }

    /// Changes it: somebody is to be joined from now on, or nobody any more.
    pub fn set(&self, others: bool) {
        self.others.store(others, Ordering::Relaxed);
    }

    fn is_there(&self) -> bool {
        self.from_birth || self.others.load(Ordering::Relaxed)
    }

    /// Whether the agent is where it should be. One that has met others stays joined: that they are all gone since is no fault of its own.
    pub(super) fn is_met_by(&self, readings: &Result<Readings, String>) -> bool {
        let has_met = |readings: &Readings| readings.stats.figures.members.join > 0;
        !self.is_there() || readings.as_ref().is_ok_and(has_met)
    }
}

/// An answer about health.
#[derive(Debug)]
pub(super) struct Health {
    word: &'static str,
    reasons: Vec<String>,
    figures: serde_json::Value,
}

/// Whether the process and its core's task are alive.
pub(super) fn live(readings: Result<&Readings, &String>) -> Health {
    Health {
        word: "alive",
        reasons: readings.err().cloned().into_iter().collect(),
        figures: figures(readings),
    }
}

/// Whether the agent does what it is there for.
pub(super) fn ready(readings: Result<&Readings, &String>, joined: bool) -> Health {
    let mut reasons = Vec::new();
    match readings {
        Err(reason) => reasons.push(reason.clone()),
        Ok(readings) => {
            if !joined {
                reasons.push("the agent has not joined anybody yet".into());
            }
            let stats = &readings.stats;
            if stats.lag >= stats.probe_timeout {
                reasons.push(format!(
                    "the core lags: it came {:.3} s late to what was due in the last seconds, and with {:.3} s or more it takes for silent \
                     who has answered",
                    stats.lag.as_secs_f64(),
                    stats.probe_timeout.as_secs_f64()
                ));
            }
        }
    }
    Health { word: "ready", reasons, figures: figures(readings) }
}

fn figures(readings: Result<&Readings, &String>) -> serde_json::Value {
    let Ok(Readings { stats, .. }) = readings else { return serde_json::Value::Null };
    serde_json::json!({
        "members_alive": stats.members.alive,
        "members": stats.members.total(),
        "health_score": stats.health,
        "lag_seconds": stats.lag.as_secs_f64(),
    })
}

impl Health {
    pub(super) fn is_well(&self) -> bool {
        self.reasons.is_empty()
    }

    /// A line for each reason, or the word that all is well.
    pub(super) fn to_text(&self) -> String {
        if self.is_well() {
            return format!("{}\n", self.word);
        }
        self.reasons.iter().flat_map(|reason| [reason, "\n"]).collect()
    }

    pub(super) fn to_json(&self) -> String {
        let Self { word, reasons, figures } = self;
        let document = serde_json::json!({ *word: self.is_well(), "reasons": reasons, "figures": figures });
        format!("{document}\n")
    }
}
