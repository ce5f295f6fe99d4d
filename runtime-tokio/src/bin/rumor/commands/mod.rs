//! What the client commands do: each asks an agent by RPC, and prints what Serf's command of that name prints.
//!
//! Data goes to standard output, everything else to standard error. Where the output differs from Serf's on purpose, it stands in
//! the table "Differences from Serf" of README.md.

mod event;
mod failure;
mod force_leave;
mod go_syntax;
mod info;
mod join;
mod keygen;
mod keys;
mod leave;
mod members;
mod monitor;
mod output;
mod query;
mod reachability;
mod rtt;
mod tags;
mod version;
mod wait;
mod why;

use std::collections::BTreeMap;
use std::process::ExitCode;

use rumormill_tokio::rpc::client::{Client, ClientError};

use crate::args::{Command, DebugCommand, Pair, Rpc};
use failure::{Failure, Outcome};

/// Carries out a command that needs no more than an agent's RPC, or not even that; `None` for all others.
pub(crate) async fn run(command: &Command) -> Option<ExitCode> {
    let outcome = match command {
        Command::Event(args) => event::run(args).await,
        Command::Query(args) => query::run(args).await,
        Command::ForceLeave(args) => force_leave::run(args).await,
        Command::Join(args) => join::run(args).await,
        Command::Leave(args) => leave::run(args).await,
        Command::Members(args) => members::run(args).await,
        Command::Monitor(args) => monitor::run(args).await,
        Command::Tags(args) => tags::run(args).await,
        Command::Keys(args) => keys::run(args).await,
        Command::Keygen => keygen::run(),
        Command::Info(args) => info::run(args).await,
        Command::Reachability(args) => reachability::run(args).await,
        Command::Rtt(args) => rtt::run(args).await,
        Command::Wait(args) => wait::run(args).await,
        Command::Debug(args) => match &args.command {
            DebugCommand::Why(args) => why::run(args).await,
        },
        Command::Version => version::run(),
        _ => return None,
    };
    Some(failure::exit(outcome))
}

/// Where an agent listens when an address names no port.
const DEFAULT_PORT: u16 = 7373;

/// The agent that a command speaks to.
async fn connect(rpc: &Rpc) -> Outcome<Client> {
    let address = with_port(rpc.addr());
    Client::connect(&address, rpc.auth()).await.map_err(|error| unreachable(&address, &error))
}

/// An address with a port: the one that it has, or the default one.
fn with_port(address: &str) -> String {
    // Go dials the machine itself where no host is named.
    if address.starts_with(':') && !address.starts_with("::") {
        return format!("127.0.0.1{address}");
    }
    let host_ends = address.rfind(']').map_or(0, |end| end + 1);
    match address[host_ends..].matches(':').count() {
        // A name, an IPv4 address, or an IPv6 address in brackets.
        0 => format!("{address}:{DEFAULT_PORT}"),
        1 => address.into(),
        // An IPv6 address without brackets.
        _ => format!("[{address}]:{DEFAULT_PORT}"),
    }
}

/// There is no agent to speak to.
fn unreachable(address: &str, error: &ClientError) -> Failure {
    let failure = Failure::new(format!("Error connecting to Serf agent: {error}"));
    match error {
        ClientError::Auth(_) => failure.hint(TOKEN_WANTED),
        ClientError::Protocol(_) | ClientError::Closed(_) => failure.hint(format!(
            "whatever listens at {address} is no agent's RPC, or an agent that has as many clients as it takes (rpc_clients_max); \
             name another address with -rpc-addr or RUMOR_RPC_ADDR"
        )),
        _ => failure.hint(format!(
            "start an agent with `rumor agent -rpc-addr={address}`, or name the RPC address of one that runs with -rpc-addr or \
             RUMOR_RPC_ADDR"
        )),
    }
}

const TOKEN_WANTED: &str = "give the agent's rpc_auth in RUMOR_RPC_AUTH or with -rpc-auth";

/// The agent did not do it. `what` is Serf's beginning of the message.
fn refused(what: &str, error: &ClientError) -> Failure {
    let failure = Failure::new(format!("{what}: {error}"));
    match error {
        ClientError::Auth(_) => failure.hint(TOKEN_WANTED),
        ClientError::Closed(_) => failure.hint("the agent's log may say why"),
        _ => failure,
    }
}

/// Pairs as a map; of two with one key the later wins.
fn tag_map(pairs: &[Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect()
}

/// The name that is most like another one, if any is.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    names.filter(|other| likeness(other) > 0.8).max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_the_default_port() {
        for (given, wanted) in [
            ("127.0.0.1:17373", "127.0.0.1:17373"),
            ("127.0.0.1", "127.0.0.1:7373"),
            (":17373", "127.0.0.1:17373"),
            ("agent.example", "agent.example:7373"),
            ("[::1]:17373", "[::1]:17373"),
            ("[::1]", "[::1]:7373"),
            ("::1", "[::1]:7373"),
        ] {
            assert_eq!(with_port(given), wanted);
        }
    }

    #[test]
    fn no_agent_is_told_as_serf_tells_it_with_what_to_do_next() {
        let error =
            ClientError::Connect { address: "127.0.0.1:1".into(), reason: "connection refused".into() };
        let text = unreachable("127.0.0.1:1", &error).text();
        assert!(
            text.starts_with("Error connecting to Serf agent: 127.0.0.1:1: connection refused\nhint: start"),
            "{text}"
        );
        let error = ClientError::Auth("Invalid authentication token".into());
        let text = unreachable("127.0.0.1:1", &error).text();
        assert!(
            text.starts_with("Error connecting to Serf agent: Invalid authentication token\nhint: give"),
            "{text}"
        );
    }

    #[test]
    fn only_a_name_that_is_like_it_is_near() {
        assert_eq!(nearest("web-l", ["db-1", "web-1", "web-22"].into_iter()), Some("web-1"));
        assert_eq!(nearest("x", ["db-1"].into_iter()), None);
    }
}
