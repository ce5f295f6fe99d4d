//! `rumor force-leave`: says of a member that it has left.

use super::failure::{Failure, Outcome};
use super::{connect, nearest, refused};
use crate::args::ForceLeaveArgs;

/// Takes a member for left, and with `-prune` forgets it.
pub(crate) async fn run(args: &ForceLeaveArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let members = client.members().await.map_err(|error| refused("Error force leaving", &error))?;
    if !members.iter().any(|member| member.name == args.name) {
        return Err(unknown(&args.name, members.iter().map(|member| member.name.as_str())));
    }
    client.force_leave(&args.name, args.prune).await.map_err(|error| refused("Error force leaving", &error))
}

/// Serf says nothing of a name that nobody has, and exits 0.
fn unknown<'a>(name: &str, members: impl Iterator<Item = &'a str>) -> Failure {
    let failure = Failure::new(format!("Error force leaving: no member is named '{name}'"));
    match nearest(name, members) {
        Some(near) => failure.hint(format!("did you mean '{near}'?")),
        None => failure.hint("`rumor members` lists all names"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_has_is_an_error_with_the_nearest_one() {
        let text = unknown("db-l", ["web-1", "db-1"].into_iter()).text();
        assert_eq!(text, "Error force leaving: no member is named 'db-l'\nhint: did you mean 'db-1'?\n");
        let text = unknown("db-1", ["web"].into_iter()).text();
        assert!(text.ends_with("hint: `rumor members` lists all names\n"), "{text}");
    }
}
