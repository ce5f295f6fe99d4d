//! How a command finds its agent.

use super::set;
use super::values::Secret;

/// Where an agent listens for commands, unless told otherwise.
const DEFAULT_ADDR: &str = "127.0.0.1:7373";

/// The agent to speak to. Flags win over the environment.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Rpc {
    /// The agent's RPC address [default: $RUMOR_RPC_ADDR, $SERF_RPC_ADDR or 127.0.0.1:7373].
    #[arg(long = "rpc-addr", value_name = "HOST:PORT", help_heading = "The agent to speak to")]
    addr: Option<String>,
    /// The agent's RPC token [default: $RUMOR_RPC_AUTH or $SERF_RPC_AUTH]. On the command line every user of this machine can
    /// see it.
    #[arg(long = "rpc-auth", value_name = "TOKEN", help_heading = "The agent to speak to")]
    auth: Option<Secret>,
}

impl Rpc {
    /// The agent's address, as it was given: `host:port`, `[v6]:port`, or `host` alone.
    pub(crate) fn addr(&self) -> &str {
        self.addr.as_deref().unwrap_or(DEFAULT_ADDR)
    }

    /// The token, if there is one.
    pub(crate) fn auth(&self) -> Option<&str> {
        self.auth.as_ref().map(Secret::expose)
    }

    /// Takes what no flag said from the environment.
    pub(super) fn fill(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        let first = |names: [&str; 2]| names.iter().find_map(|name| set(env, name));
        self.addr = self.addr.take().filter(|addr| !addr.is_empty());
        self.addr = self.addr.take().or_else(|| first(["RUMOR_RPC_ADDR", "SERF_RPC_ADDR"]));
        let auth = self.auth.take().map(Secret::into_inner);
        self.auth = auth.or_else(|| first(["RUMOR_RPC_AUTH", "SERF_RPC_AUTH"])).filter(|t| !t.is_empty()).map(Secret::new);
    }
}
