//! What the manager hears without being asked: how the cluster does, that the agent is alive, and that it takes its time.

use std::time::Duration;

use rumormill_tokio::core::io::Status;
use rumormill_tokio::{Handle, Members};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Manager, Stage};

/// The shortest time between two lines about the members.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// How often more time is asked for while the agent starts, and how much: a join tries one address after the other.
const ASK_EVERY: Duration = Duration::from_secs(20);
const ASK_FOR: Duration = Duration::from_secs(60);

impl Manager {
    /// Asks for more time until the agent is ready.
    pub(in super::super) async fn ask_for_time(self) {
        let message = format!("EXTEND_TIMEOUT_USEC={}", ASK_FOR.as_micros());
        while self.is(Stage::Starting) {
            self.say(&message).await;
            sleep(ASK_EVERY).await;
        }
    }

    /// Tells of the agent for as long as it runs.
    pub(in super::super) async fn attend(self, agent: Handle) {
        if self.0.is_some() {
            let answers = || {
                let agent = agent.clone();
                async move { agent.stats().await.is_ok() }
            };
            tokio::join!(self.tell_of_members(&agent), self.feed_watchdog(answers));
        }
    }

    /// A line whenever there are more or fewer members of a kind; and that the agent stops, when it leaves by a command.
    async fn tell_of_members(&self, agent: &Handle) {
        let mut list = agent.watch_members();
        let mut said = String::new();
        loop {
            let members = list.borrow_and_update().clone();
            if members.get(agent.name()).is_some_and(|me| me.status == Status::Leaving) {
                self.stopping().await;
            }
            let line = counts(&members);
            if line != said {
                self.status(&line).await;
                said = line;
            }
            sleep(STATUS_EVERY).await;
            if list.changed().await.is_err() {
                // The agent has ended.
                return;
            }
        }
    }

    /// A sign of life at half of the manager's patience, for as long as somebody `answers`. The question goes through the driver's
    /// own queue, so that an agent that hangs is silent, and is started again.
    pub(super) async fn feed_watchdog<F: Future<Output = bool>>(&self, answers: impl Fn() -> F) {
        let Some(patience) = self.0.as_ref().and_then(|line| line.watchdog) else { return };
        let mut ticks = interval((patience / 2).max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if !answers().await {
                return;
            }
            self.say("WATCHDOG=1").await;
        }
    }
}

/// How many members there are of each kind; those that are alive and failed always, the others where there are any.
pub(super) fn counts(members: &Members) -> String {
    let count = |status| members.iter().filter(|member| member.status == status).count();
    let mut line = format!("{} members alive, {} failed", count(Status::Alive), count(Status::Failed));
    for (status, word) in [(Status::Leaving, "leaving"), (Status::Left, "left")] {
        if count(status) > 0 {
            line.push_str(&format!(", {} {word}", count(status)));
        }
    }
    line
}
