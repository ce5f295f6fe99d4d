//! What is shown of it all.

use std::time::{SystemTime, UNIX_EPOCH};

use rumormill_core::io::{State, Status};
use rumormill_core::{Instant, Node};

use super::History;
use super::health::HealthLog;
use super::stories::Story;
use crate::agent::why::{Happening, HealthChange, LocalHealth, Present, SCHEMA, Troubled, What, Why};

/// From the core's time to dates. Dates follow the machine's clock as it is now: when it was set meanwhile, they are wrong where
/// "ago" is right.
struct Dates {
    now: Instant,
    now_unix_ms: u64,
}

impl Dates {
    fn at(now: Instant) -> Self {
        let now_unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
        Self { now, now_unix_ms }
    }

    /// The date in milliseconds since 1970, and milliseconds ago.
    fn of(&self, at: Instant) -> (u64, u64) {
        let ago = self.now.since(at).as_millis() as u64;
        (self.now_unix_ms.saturating_sub(ago), ago)
    }

    fn happening(&self, (at, what): &(Instant, What)) -> Happening {
        let (at_unix_ms, ago_ms) = self.of(*at);
        Happening { at_unix_ms, ago_ms, what: what.clone() }
    }
}

impl History {
    /// All that is known of a member, the loop's lag apart; `None` of one that is neither a member nor remembered.
    pub(in crate::agent) fn why(&self, name: &str, node: &Node, now: Instant) -> Option<Why> {
        let dates = Dates::at(now);
        let (story, present) = (self.stories.get(name), present(name, node, now));
        if story.is_none() && present.is_none() {
            return None;
        }
        let mut round_trips = self.answers.of(name, now);
        let me = node.identity().name.as_str();
        if name != me {
            round_trips.estimate_ms = node.rtt(me, name).map(|rtt| rtt.as_secs_f64() * 1e3);
        }
        let happenings =
            story.map(|story: &Story| story.happenings.iter().map(|h| dates.happening(h)).collect());
        Some(Why {
            schema: SCHEMA,
            observer: me.into(),
            at_unix_ms: dates.now_unix_ms,
            observer_age_ms: now.since(self.born).as_millis() as u64,
            member: name.into(),
            present,
            happenings: happenings.unwrap_or_default(),
            happenings_forgotten: story.map_or(0, |story| story.forgotten),
            round_trips,
            local_health: local_health(&self.health, node, &dates),
            loop_lag_ms: 0.0,
        })
    }

    /// Members that had trouble, the latest first.
    pub(in crate::agent) fn troubled(&self, node: &Node, now: Instant) -> Vec<Troubled> {
        let dates = Dates::at(now);
        let each = self.stories.latest_first().map(|(name, story)| Troubled {
            member: name.into(),
            state: node.member(name).map(|view| state_name(view.state).into()),
            happenings: story.happenings.len() as u32,
            last: story.happenings.back().map(|last| dates.happening(last)).unwrap_or_default(),
        });
        each.collect()
    }
}

fn present(name: &str, node: &Node, now: Instant) -> Option<Present> {
    let view = node.member(name)?;
    let since = node.member_since(name).unwrap_or(now);
    Some(Present {
        status: status_name(view.status).into(),
        state: state_name(view.state).into(),
        for_ms: now.since(since).as_millis() as u64,
        incarnation: view.incarnation.0,
        address: view.identity.addr.to_string().into(),
        is_observer: view.identity.name == node.identity().name,
    })
}

fn local_health(log: &HealthLog, node: &Node, dates: &Dates) -> LocalHealth {
    let changes = log.changes.iter().map(|change| {
        let (at_unix_ms, ago_ms) = dates.of(change.at);
        HealthChange { at_unix_ms, ago_ms, from: change.from, to: change.to, because: change.because.clone() }
    });
    let worst = node.config().awareness_max.saturating_sub(1);
    LocalHealth { score: node.health(), worst, changes: changes.collect() }
}

const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Alive => "alive",
        Status::Leaving => "leaving",
        Status::Left => "left",
        Status::Failed => "failed",
    }
}

const fn state_name(state: State) -> &'static str {
    match state {
        State::Alive => "alive",
        State::Suspect => "suspect",
        State::Dead => "dead",
        State::Left => "left",
        State::Forgotten => "forgotten",
    }
}
