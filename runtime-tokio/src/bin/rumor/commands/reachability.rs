//! `rumor reachability`: whether every live member answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rumormill_tokio::rpc::client::{Client, QueryParams, QueryRecord};

use super::failure::{Failure, Outcome};
use super::output::{Output, in_one_line};
use super::{connect, refused};
use crate::args::ReachabilityArgs;

/// A query that agents acknowledge and no application sees.
const PING: &str = "_serf_ping";

/// Asks all members for an acknowledgement, and compares who answered with who is alive.
pub(crate) async fn run(args: &ReachabilityArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let members = client.members().await.map_err(|error| refused("Error getting members", &error))?;
    let live: Vec<String> =
        members.iter().filter(|member| member.status == "alive").map(|member| member.name.clone()).collect();
    let output = Output::standard();
    output.print(&format!("Total members: {}, live members: {}\n", members.len(), live.len()))?;
    output.print("Starting reachability test...\n")?;
    let acks = tokio::select! {
        acks = ask(&client, args.verbose, output) => acks?,
        _ = tokio::signal::ctrl_c() => return Err(Failure::silent()),
    };
    verdict(&live, &acks)?;
    Ok(output.print("Successfully contacted all live nodes\n")?)
}

/// How often each member acknowledged.
async fn ask(client: &Client, verbose: bool, output: Output) -> Outcome<BTreeMap<String, u32>> {
    let began = Instant::now();
    let mut last = Duration::ZERO;
    let params = QueryParams { name: PING.into(), ack: true, ..QueryParams::default() };
    let mut answers = client.query(params).await.map_err(|error| refused("Error sending query", &error))?;
    let mut acks = BTreeMap::new();
    while let Some(answer) = answers.next().await {
        let answer = answer.map_err(|error| refused("Error receiving answers", &error))?;
        // Serf's agent brings an ack of nobody now and then as the time runs out.
        if let QueryRecord::Ack { from } = answer
            && !from.is_empty()
        {
            last = began.elapsed();
            if verbose {
                output.print_foreign(format!("\tAck from '{from}'\n").as_bytes())?;
            }
            *acks.entry(from).or_default() += 1;
        }
    }
    if verbose {
        output.print(&format!(
            "Query time: {:.2} sec, time to last response: {:.2} sec\n",
            began.elapsed().as_secs_f64(),
            last.as_secs_f64()
        ))?;
    }
    Ok(acks)
}

const TIPS: &str = "to find out why:
* every member's bind address and port must be reachable from all others, by UDP and by TCP: look at firewalls
* an advertised address must lead to the bound one; behind address translation (NAT) that has to be arranged
* look for warnings of the members named above, and of this one, with `rumor monitor`";

/// All live members answered, once each, and nobody else.
fn verdict(live: &[String], acks: &BTreeMap<String, u32>) -> Outcome {
    let missing: Vec<&String> = live.iter().filter(|name| !acks.contains_key(*name)).collect();
    let extra: Vec<&String> = acks.keys().filter(|name| !live.contains(name)).collect();
    let twice: Vec<&String> = acks.iter().filter(|(_, count)| **count > 1).map(|(name, _)| name).collect();
    let mut text = String::new();
    let mut tell = |title: &str, names: &[&String], meaning: &str| {
        if !names.is_empty() {
            let mut names: Vec<String> =
                names.iter().map(|name| format!("\t{}\n", in_one_line(name))).collect();
            names.sort_unstable();
            text.push_str(&format!("{title}\n{}{meaning}\n", names.concat()));
        }
    };
    tell(
        "Received less acks than live nodes! Missing acks from:",
        &missing,
        "They are taken for alive, but the question or its answer got lost.",
    );
    tell(
        "Received more acks than live nodes! Acks from non-live nodes:",
        &extra,
        "They are not taken for alive, yet they answer: either they have just joined, or they are falsely accused.",
    );
    tell("Duplicate responses from:", &twice, "Two members with one name: names have to be unique.");
    if text.is_empty() { Ok(()) } else { Err(Failure::new(text).hint(TIPS)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(live: &[&str], acks: &[(&str, u32)]) -> Result<(), String> {
        let live: Vec<String> = live.iter().map(|name| (*name).into()).collect();
        let acks = acks.iter().map(|(name, count)| ((*name).into(), *count)).collect();
        verdict(&live, &acks).map_err(|failure| failure.text())
    }

    #[test]
    fn it_succeeds_only_where_all_live_members_answered_once() {
        assert_eq!(judged(&["a", "b"], &[("a", 1), ("b", 1)]), Ok(()));
        let text = judged(&["b", "a", "c"], &[("c", 1)]).unwrap_err();
        assert!(
            text.starts_with("Received less acks than live nodes! Missing acks from:\n\ta\n\tb\n"),
            "{text}"
        );
        assert!(text.contains("\nhint: to find out why:\n"), "{text}");
        let text = judged(&["a"], &[("a", 1), ("x", 1)]).unwrap_err();
        assert!(
            text.starts_with("Received more acks than live nodes! Acks from non-live nodes:\n\tx\n"),
            "{text}"
        );
        let text = judged(&["a"], &[("a", 2)]).unwrap_err();
        assert!(text.starts_with("Duplicate responses from:\n\ta\n"), "{text}");
    }

    #[test]
    fn one_missing_and_one_extra_do_not_cancel_out() {
        let text = judged(&["a", "b"], &[("a", 1), ("x", 1)]).unwrap_err();
        assert!(text.contains("\tb\n") && text.contains("\tx\n"), "{text}");
    }
}
