//! `rumor leave`: makes the agent leave the cluster and stop.

use super::failure::Outcome;
use super::output::Output;
use super::{connect, refused};
use crate::args::LeaveArgs;

/// Leaves gracefully.
pub(crate) async fn run(args: &LeaveArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    client.leave().await.map_err(|error| refused("Error leaving", &error))?;
    Ok(Output::standard().print("Graceful leave complete\n")?)
}
