//! `rumor join`: makes the agent join a cluster.

use super::failure::{Outcome, warn};
use super::output::Output;
use super::{connect, refused};
use crate::args::JoinArgs;

/// Joins by these addresses.
pub(crate) async fn run(args: &JoinArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let joined = client.join(&args.addresses, args.replay).await;
    let reached = joined.map_err(|error| {
        refused("Error joining the cluster", &error)
            .hint("name the gossip address of an agent that runs, such as 10.0.0.1:7946; `rumor members` there shows it")
    })?;
    Output::standard().print(&format!("Successfully joined cluster by contacting {reached} nodes.\n"))?;
    if let Some(text) = silent(args.addresses.len(), reached) {
        warn(&text);
    }
    Ok(())
}

/// What to say where some addresses did not answer. A name may stand for several addresses, so this is the least.
fn silent(named: usize, reached: u32) -> Option<String> {
    let silent = u32::try_from(named).ok()?.checked_sub(reached).filter(|n| *n > 0)?;
    Some(format!("warning: {silent} of {named} addresses did not answer; the agent's log says why\n"))
}

#[cfg(test)]
mod tests {
    use super::silent;

    #[test]
    fn addresses_that_do_not_answer_are_told() {
        let text = silent(3, 1).unwrap();
        assert!(text.starts_with("warning: 2 of 3 addresses did not answer"), "{text}");
        assert_eq!(silent(2, 2), None);
        assert_eq!(silent(1, 2), None);
    }
}
