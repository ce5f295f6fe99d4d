//! `rumor debug why`: what the agent knows of a member and of the trouble that it had.

use std::fmt::Write as _;

use chrono::{Local, TimeZone as _};
use rumormill_tokio::agent::why::{Happening, Present, Through, Troubled, What, Why};
use rumormill_tokio::rpc::client::{Client, ClientError};
use rumormill_tokio::rpc::messages::errors::UNSUPPORTED_COMMAND;

use super::failure::{Failure, Outcome};
use super::output::{Cell, Output, in_one_line, table};
use super::{connect, nearest, refused};
use crate::args::{Format, WhyArgs};

/// What every message begins with.
const BEGIN: &str = "Error asking the agent";

/// Tells of one member, or who had trouble.
pub(crate) async fn run(args: &WhyArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let output = Output::standard();
    let Some(node) = &args.node else {
        let troubled = client.troubled().await.map_err(|error| failure(&args.rpc, &error))?;
        match args.format {
            Format::Text => output.print(&list(&troubled, output.colours))?,
            Format::Json => output.print_json(&troubled)?,
        }
        return Ok(());
    };
    let why = match client.why(node).await {
        Ok(why) => why,
        Err(error) => return Err(with_nearest(failure(&args.rpc, &error), &client, node).await),
    };
    match args.format {
        Format::Text => output.print(&text(&why))?,
        Format::Json => output.print_json(&why)?,
    }
    Ok(())
}

fn failure(rpc: &crate::args::Rpc, error: &ClientError) -> Failure {
    match error {
        ClientError::Remote(words) if words == UNSUPPORTED_COMMAND => {
            Failure::new(format!("{BEGIN}: the one at {} cannot tell", rpc.addr()))
                .hint("it is Serf's, or an older one: only agents of Rumormill remember why")
        }
        error => refused(BEGIN, error),
    }
}

/// For a name that nobody has: the name that was meant, perhaps.
async fn with_nearest(failure: Failure, client: &Client, node: &str) -> Failure {
    // After any other failure there is nobody to ask.
    let Ok(members) = client.members().await else { return failure };
    if members.iter().any(|member| member.name == node) {
        return failure;
    }
    let troubled = client.troubled().await.unwrap_or_default();
    let names = members.iter().map(|m| &*m.name).chain(troubled.iter().map(|t| &*t.member));
    match nearest(node, names) {
        Some(near) => failure.hint(format!("did you mean '{near}'?")),
        None => failure.hint("`rumor members` lists all names"),
    }
}

fn list(troubled: &[Troubled], colours: bool) -> String {
    if troubled.is_empty() {
        return "No member had trouble that the agent remembers.\n".into();
    }
    let rows: Vec<Vec<Cell>> = troubled
        .iter()
        .map(|one| {
            let last = format!("{} ago: {}", span(one.last.ago_ms), words(&one.last.what));
            vec![Cell::new(&one.member), Cell::new(one.state.as_deref().unwrap_or("gone")), Cell::new(&last)]
        })
        .collect();
    table(&rows, colours)
}

fn text(why: &Why) -> String {
    let mut text = String::new();
    let (member, observer) = (in_one_line(&why.member), in_one_line(&why.observer));
    // Writing to a string cannot fail.
    let _ = match &why.present {
        Some(present) => writeln!(text, "{}", now(&member, &observer, present)),
        None => writeln!(text, "{member} is no member any more, as {observer} sees it"),
    };
    if why.happenings.is_empty() {
        let age = span(why.observer_age_ms);
        let _ = writeln!(
            text,
            "Nothing has happened to it: nobody has suspected it since {observer} started {age} ago"
        );
    } else {
        let _ = writeln!(text, "\nWhat happened, by the clock of {observer}:");
    }
    if why.happenings_forgotten > 0 {
        let _ = writeln!(text, "  ({} earlier happenings are forgotten)", why.happenings_forgotten);
    }
    for happening in &why.happenings {
        let _ = writeln!(text, "  {}", line(happening));
    }
    text.push('\n');
    round_trips(why, &mut text);
    health(why, &mut text);
    let _ = writeln!(text, "Lag of {observer}: at worst {:.1} ms in the last minute", why.loop_lag_ms);
    text
}

fn now(member: &str, observer: &str, present: &Present) -> String {
    let Present { status, state, for_ms, incarnation, address, is_observer } = present;
    let (status, state, address, since) =
        (in_one_line(status), in_one_line(state), in_one_line(address), span(*for_ms));
    let itself = if *is_observer { " (the agent itself)" } else { "" };
    let detector = match (&*status, &*state) {
        ("alive", "alive") => format!("for {since}"),
        _ => format!("{state} to the failure detector for {since}"),
    };
    format!(
        "{member}{itself} at {address} is {status}, as {observer} sees it: {detector}, incarnation {incarnation}"
    )
}

fn line(happening: &Happening) -> String {
    let at = i64::try_from(happening.at_unix_ms).ok().and_then(|ms| Local.timestamp_millis_opt(ms).single());
    let at = at.map_or_else(|| "?".into(), |at| at.format("%Y/%m/%d %H:%M:%S%.3f").to_string());
    format!("{at}  {}", in_one_line(&words(&happening.what)))
}

fn words(what: &What) -> String {
    match what {
        What::ProbeFailed { incarnation: _, accuses, nacks_expected, nacks, local_health } => {
            let helpers = match nacks_expected {
                0 => "no helper owed a word".into(),
                _ => format!("{nacks} of {nacks_expected} helpers said that they heard nothing either"),
            };
            let anyway = if *accuses { "" } else { "; it was heard of otherwise meanwhile" };
            format!("own probe failed: {helpers}; local health {local_health}{anyway}")
        }
        What::Suspected { incarnation, accuser, through, timeout_ms } => format!(
            "suspected (incarnation {incarnation}) by {accuser}{}; it has {} to refute",
            way(*through, ": own probe"),
            span(*timeout_ms)
        ),
        What::Confirmed { accuser, confirmations, timeout_ms } => format!(
            "suspected by {accuser} too: confirmation {confirmations}, {} to refute from the first on",
            span(*timeout_ms)
        ),
        What::Refuted { incarnation, through } => {
            format!("refuted: alive at incarnation {incarnation}{}", way(*through, ""))
        }
        What::Accused { incarnation, announced, through } => format!(
            "accused at incarnation {incarnation}{}: refuted with incarnation {announced}",
            way(*through, "")
        ),
        What::DeclaredFailed { incarnation, accuser, through } => format!(
            "declared failed (incarnation {incarnation}) by {accuser}{}",
            way(*through, ": the time to refute was over")
        ),
        What::Left { incarnation, through } => {
            format!("left (incarnation {incarnation}){}", way(*through, ""))
        }
        What::Returned { incarnation, through } => {
            format!("back alive at incarnation {incarnation}{}", way(*through, ""))
        }
        _ => "something that this version of rumor has no words for".into(),
    }
}

const fn way(through: Through, own: &'static str) -> &'static str {
    match through {
        Through::Own => own,
        Through::Gossip => ", heard by gossip",
        Through::PushPull => ", heard by push/pull",
    }
}

fn round_trips(why: &Why, text: &mut String) {
    let trips = &why.round_trips;
    let Some(last) = &trips.last else {
        let _ = writeln!(text, "Round trips: no answered probe of it is remembered");
        return;
    };
    let _ = write!(
        text,
        "Round trips: last {:.3} ms ({}) {} ago",
        last.ms,
        in_one_line(&last.path),
        span(last.ago_ms)
    );
    if let Some(p50) = trips.direct_p50_ms {
        let _ = write!(text, "; median of {} direct ones {p50:.3} ms", trips.direct);
    }
    if trips.not_direct > 0 {
        let _ = write!(text, "; {} late, by helpers or over a stream", trips.not_direct);
    }
    if let Some(estimate) = trips.estimate_ms {
        let _ = write!(text, "; estimate {estimate:.3} ms");
    }
    text.push('\n');
}

fn health(why: &Why, text: &mut String) {
    let (health, observer) = (&why.local_health, in_one_line(&why.observer));
    let well = if health.score == 0 { "healthy" } else { "it waits longer before it accuses" };
    let _ = writeln!(text, "Local health of {observer}: {} of {} ({well})", health.score, health.worst);
    for change in &health.changes {
        let because = in_one_line(&change.because);
        let _ = writeln!(text, "  {} ago: {} -> {}: {because}", span(change.ago_ms), change.from, change.to);
    }
}

/// Milliseconds for people: two units at most.
fn span(ms: u64) -> String {
    let secs = ms / 1000;
    match secs {
        0 => format!("{ms} ms"),
        1..60 => format!("{secs}.{} s", ms % 1000 / 100),
        60..3600 => format!("{}m{:02}s", secs / 60, secs % 60),
        3600..86_400 => format!("{}h{:02}m", secs / 3600, secs % 3600 / 60),
        _ => format!("{}d{:02}h", secs / 86_400, secs % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use rumormill_tokio::agent::why::{LocalHealth, RoundTrip, RoundTrips};

    use super::*;

    fn alive() -> Why {
        Why {
            observer: "n1".into(),
            observer_age_ms: 7_260_000,
            member: "n3".into(),
            present: Some(Present {
                status: "alive".into(),
                state: "alive".into(),
                for_ms: 7_000_000,
                incarnation: 1,
                address: "10.0.0.3:7946".into(),
                is_observer: false,
            }),
            round_trips: RoundTrips {
                last: Some(RoundTrip { ms: 0.4, path: "direct".into(), ago_ms: 2000 }),
                direct_p50_ms: Some(0.5),
                direct: 9,
                not_direct: 0,
                estimate_ms: Some(0.45),
            },
            local_health: LocalHealth { score: 0, worst: 7, changes: Vec::new() },
            loop_lag_ms: 1.26,
            ..Why::default()
        }
    }

    #[test]
    fn of_a_healthy_member_it_says_so_plainly() {
        let wanted = "n3 at 10.0.0.3:7946 is alive, as n1 sees it: for 1h56m, incarnation 1\n\
                      Nothing has happened to it: nobody has suspected it since n1 started 2h01m ago\n\n\
                      Round trips: last 0.400 ms (direct) 2.0 s ago; median of 9 direct ones 0.500 ms; estimate 0.450 ms\n\
                      Local health of n1: 0 of 7 (healthy)\n\
                      Lag of n1: at worst 1.3 ms in the last minute\n";
        assert_eq!(text(&alive()), wanted);
    }

    #[test]
    fn a_story_is_told_in_its_order_and_names_cannot_drive_the_terminal() {
        let happening = |what| Happening { at_unix_ms: 1_700_000_000_123, ago_ms: 9_000, what };
        let accuser: Box<str> = "n2\u{1b}[2J".into();
        let why = Why {
            happenings: vec![
                happening(What::ProbeFailed {
                    incarnation: 1,
                    accuses: true,
                    nacks_expected: 3,
                    nacks: 2,
                    local_health: 1,
                }),
                happening(What::Suspected {
                    incarnation: 1,
                    accuser: "n1".into(),
                    through: Through::Own,
                    timeout_ms: 24_000,
                }),
                happening(What::Confirmed { accuser, confirmations: 1, timeout_ms: 11_300 }),
                happening(What::Unknown),
            ],
            happenings_forgotten: 3,
            ..alive()
        };
        let text = text(&why);
        let found: Vec<usize> = [
            "(3 earlier happenings are forgotten)",
            ".123  own probe failed: 2 of 3 helpers said",
            "suspected (incarnation 1) by n1: own probe; it has 24.0 s to refute",
            "suspected by n2\\u{1b}[2J too: confirmation 1, 11.3 s to refute from the first on",
            "has no words for",
        ]
        .into_iter()
        .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")))
        .collect();
        assert!(found.is_sorted(), "{text}");
    }

    #[test]
    fn nobody_in_trouble_is_said_in_words() {
        assert_eq!(list(&[], false), "No member had trouble that the agent remembers.\n");
        let last = Happening {
            ago_ms: 90_000,
            what: What::Returned { incarnation: 2, through: Through::Gossip },
            at_unix_ms: 0,
        };
        let one = Troubled { member: "n3".into(), state: None, happenings: 1, last };
        assert_eq!(
            list(&[one], false),
            "n3  gone  1m30s ago: back alive at incarnation 2, heard by gossip\n"
        );
    }
}
