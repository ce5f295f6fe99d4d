//! `rumor rtt`: the estimated round trip between two members.

use rumormill_tokio::core::coordinate::Coordinate;
use rumormill_tokio::rpc::client::Client;

use super::failure::{Failure, Outcome};
use super::output::Output;
use super::{connect, refused};
use crate::args::RttArgs;

/// Estimates by network coordinates.
pub(crate) async fn run(args: &RttArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let second = match &args.node2 {
        Some(name) => name.clone(),
        None => own_name(&client).await?,
    };
    let (one, two) = (coordinate(&client, &args.node1).await?, coordinate(&client, &second).await?);
    let text = text((&args.node1, &one), (&second, &two));
    Ok(Output::standard().print_foreign(text.as_bytes())?)
}

async fn own_name(client: &Client) -> Outcome<String> {
    let stats = client.stats().await.map_err(|error| refused("Error querying agent", &error))?;
    let name = stats.get("agent").and_then(|agent| agent.get("name"));
    name.cloned().ok_or_else(|| Failure::new("The agent does not say its own name").hint("name two members"))
}

async fn coordinate(client: &Client, name: &str) -> Outcome<Coordinate> {
    let found = client.coordinate(name).await;
    let found = found.map_err(|error| refused("Error getting coordinates", &error))?;
    let found = found.map(|at| {
        let wrong = || {
            Failure::new(format!("The coordinate of node \"{name}\" has {} dimensions, not 8", at.vec.len()))
        };
        at.to_core().ok_or_else(wrong)
    });
    found.unwrap_or_else(|| {
        Err(Failure::new(format!("Could not find a coordinate for node \"{name}\"")).hint(
            "`rumor members` lists all names; a new member's coordinate is known after its first probe",
        ))
    })
}

fn text(one: (&str, &Coordinate), two: (&str, &Coordinate)) -> String {
    let milliseconds = one.1.distance(two.1).as_secs_f64() * 1e3;
    format!("Estimated {} <-> {} rtt: {milliseconds:.3} ms\n", one.0, two.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_three_decimals() {
        let near = Coordinate::START;
        let mut far = Coordinate { height: 0.000_5, ..near };
        far.vector[0] = 0.012;
        assert_eq!(text(("a", &near), ("b", &far)), "Estimated a <-> b rtt: 12.510 ms\n");
        assert_eq!(text(("a", &near), ("a", &near)), "Estimated a <-> a rtt: 0.020 ms\n");
    }
}
