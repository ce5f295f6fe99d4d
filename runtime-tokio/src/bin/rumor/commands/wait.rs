//! `rumor wait`: until the members are as a condition says.

use std::time::Duration;

use rumormill_tokio::rpc::client::{Client, ClientError};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::failure::{Failure, Outcome};
use super::{refused, unreachable, with_port};
use crate::args::{Condition, Counts, WaitArgs};

/// Events say when to look again. Some changes make no event (`alive` to `leaving`), and an overrun stream loses some, so that
/// now and then it looks anyway.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long until an agent that is not there is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(200);
/// Everything that happens to members.
const MEMBER_EVENTS: &str = "member-join,member-leave,member-failed,member-update,member-reap";

/// What keeps it waiting.
enum Missing {
    /// There is no agent to ask.
    Agent(Failure),
    /// The members are otherwise.
    Members(Vec<String>),
}

/// Waits, also for the agent itself: it may be about to start.
pub(crate) async fn run(args: &WaitArgs) -> Outcome {
    let address = with_port(args.rpc.addr());
    let deadline = Instant::now() + args.timeout;
    let mut missing = None;
    loop {
        match Client::connect(&address, args.rpc.auth()).await {
            Ok(client) => match watch(&client, &args.until, deadline, &mut missing).await {
                Ok(()) => return Ok(()),
                // The agent went away: perhaps it comes back.
                Err(ClientError::Closed(_)) if Instant::now() < deadline => {}
                Err(ClientError::TimedOut(_)) => return Err(gave_up(args, missing)),
                Err(error) => return Err(refused("Error getting members", &error)),
            },
            Err(error @ ClientError::Connect { .. }) => {
                missing = Some(Missing::Agent(unreachable(&address, &error)));
                if Instant::now() + TRY_AGAIN > deadline {
                    return Err(gave_up(args, missing));
                }
            }
            Err(error) => return Err(unreachable(&address, &error)),
        }
        sleep(TRY_AGAIN).await;
    }
}

/// Looks, and looks again whenever something happened to a member, until the condition holds or the time is up.
async fn watch(
    client: &Client,
    until: &Condition,
    deadline: Instant,
    missing: &mut Option<Missing>,
) -> Result<(), ClientError> {
    // Before the first look, so that nothing happens unseen between the two.
    let mut events = client.stream(MEMBER_EVENTS).await?;
    loop {
        let members = client.members().await?;
        let counts = Counts::of(members.iter().map(|member| member.status.as_str()));
        if until.holds(&counts) {
            return Ok(());
        }
        *missing = Some(Missing::Members(until.missing(&counts)));
        if Instant::now() >= deadline {
            return Err(ClientError::TimedOut("the condition"));
        }
        let next = deadline.min(Instant::now() + LOOK_AGAIN);
        match timeout_at(next, events.next()).await {
            // Whatever it was: look.
            Ok(Some(Ok(_) | Err(ClientError::Missed(_)))) | Err(_) => {}
            Ok(Some(Err(error))) => return Err(error),
            Ok(None) => return Err(ClientError::Closed(String::new())),
        }
        // A burst of events is one reason to look.
        while let Ok(Some(Ok(_))) = timeout(Duration::ZERO, events.next()).await {}
    }
}

fn gave_up(args: &WaitArgs, missing: Option<Missing>) -> Failure {
    let begin = format!("Timed out after {:?} waiting for {}", args.timeout, args.until);
    match missing {
        Some(Missing::Members(unmet)) => Failure::new(format!("{begin}: {}", unmet.join(", ")))
            .hint("`rumor members` shows who is missing"),
        Some(Missing::Agent(failure)) => failure.after(&begin),
        None => Failure::new(begin),
    }
}
