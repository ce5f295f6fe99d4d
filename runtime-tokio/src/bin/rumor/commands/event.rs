//! `rumor event`: tells all members something.

use super::failure::Outcome;
use super::output::Output;
use super::{connect, refused};
use crate::args::EventArgs;

/// Sends a user event.
pub(crate) async fn run(args: &EventArgs) -> Outcome {
    let EventArgs { rpc, coalesce, name, payload } = args;
    let client = connect(rpc).await?;
    let sent = client.event(name, &payload.0, *coalesce).await;
    sent.map_err(|error| refused("Error sending event", &error))?;
    let text = format!("Event '{name}' dispatched! Coalescing enabled: {coalesce}\n");
    Ok(Output::standard().print_foreign(text.as_bytes())?)
}
