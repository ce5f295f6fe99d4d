//! `rumor tags`: changes the agent's tags.

use super::failure::Outcome;
use super::output::Output;
use super::{connect, refused, tag_map};
use crate::args::TagsArgs;

/// Deletes some tags, then sets some.
pub(crate) async fn run(args: &TagsArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let changed = client.tags(&tag_map(&args.set), &args.delete).await;
    changed.map_err(|error| refused("Error setting tags", &error))?;
    Ok(Output::standard().print("Successfully updated agent tags\n")?)
}
