//! Arguments of `rumor agent`. What a flag does not say is `None`, so that files and defaults can.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;

use super::TEMPLATE;
use super::values::{LogFormat, LogLevel, Pair, Profile, Secret, parse_duration, truth};

const EXAMPLES: &str = "Examples:
  rumor agent
  rumor agent -node web1 -bind 10.0.0.11 -tag role=web -retry-join 10.0.0.5 -snapshot /var/lib/rumor/snapshot
  rumor agent -config-file /etc/rumor/agent.toml -config-dir /etc/rumor/conf.d
  rumor agent -event-handler 'user:deploy=/usr/local/bin/deploy'

The agent runs in the foreground. Interrupt (Ctrl-C) makes it leave the cluster; SIGHUP makes it read its files again.

It takes commands of Serf's own programs (RPC), but gossips with Rumormill agents only, not yet with Serf's.";

/// `rumor agent`
#[derive(Clone, Debug, Default, clap::Args)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES)]
pub(crate) struct AgentArgs {
    /// A configuration file, JSON or TOML (may be repeated). Files and folders are read in the order given; flags win.
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config_file: Vec<PathBuf>,
    /// A folder whose *.json and *.toml files are read, sorted by name (may be repeated).
    #[arg(long, value_name = "DIR", help_heading = "Configuration")]
    config_dir: Vec<PathBuf>,
    /// Both lists as one, in the order given.
    #[arg(skip)]
    pub(crate) config_paths: Vec<PathBuf>,
    /// The least severe log lines: TRACE, DEBUG, INFO, WARN, ERR [default: INFO].
    #[arg(long, value_enum, value_name = "LEVEL", ignore_case = true, hide_possible_values = true)]
    #[arg(help_heading = "Configuration")]
    pub(crate) log_level: Option<LogLevel>,
    /// What the log looks like: text, json, journald, or auto, which is journald in a systemd unit and text elsewhere
    /// [default: text].
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help_heading = "Configuration")]
    pub(crate) log_format: Option<LogFormat>,
    /// Send the log to syslog too.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Configuration")]
    pub(crate) syslog: Option<bool>,

    /// The node's name, unique in the cluster [default: the host's name].
    #[arg(long, value_name = "NAME", help_heading = "The node")]
    pub(crate) node: Option<String>,
    /// A tag (may be repeated).
    #[arg(long, value_name = "KEY=VALUE", help_heading = "The node")]
    pub(crate) tag: Vec<Pair>,
    /// A file that keeps tags; not together with other tags.
    #[arg(long, value_name = "FILE", help_heading = "The node")]
    pub(crate) tags_file: Option<PathBuf>,
    /// Deprecated: -tag role=ROLE.
    #[arg(long, value_name = "ROLE", help_heading = "The node")]
    pub(crate) role: Option<String>,
    /// A script to run on events (may be repeated): [FILTER[,FILTER...]=]SCRIPT, where FILTER is member-join, member-leave,
    /// member-failed, member-update, member-reap, user, user:NAME, query, query:NAME or *.
    #[arg(long, value_name = "SPEC", help_heading = "The node")]
    pub(crate) event_handler: Vec<String>,
    /// A file that keeps what is known of the cluster, for the next start.
    #[arg(long, value_name = "FILE", help_heading = "The node")]
    pub(crate) snapshot: Option<PathBuf>,

    /// Address to listen on, UDP and TCP [default: 0.0.0.0:7946].
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "The network")]
    pub(crate) bind: Option<String>,
    /// Interface whose address is listened on.
    #[arg(long, value_name = "NAME", help_heading = "The network")]
    pub(crate) iface: Option<String>,
    /// Address that others are told to reach this node at [default: the bound one].
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "The network")]
    pub(crate) advertise: Option<String>,
    /// Address for commands [default: 127.0.0.1:7373].
    #[arg(long, value_name = "HOST:PORT", help_heading = "The network")]
    pub(crate) rpc_addr: Option<String>,
    /// Address for metrics and health over HTTP: /metrics, /healthz, /readyz [default: none; port 7374].
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "The network")]
    pub(crate) http_addr: Option<String>,
    /// Which network the protocol's timing is made for: lan, wan, local [default: lan].
    #[arg(long, value_enum, help_heading = "The network", hide_possible_values = true)]
    pub(crate) profile: Option<Profile>,
    /// Serf's protocol version to announce, 2 to 5; -1: the newest [default: -1].
    #[arg(long, value_name = "VERSION", help_heading = "The network")]
    pub(crate) protocol: Option<i64>,
    /// Send no datagrams, only streams, for networks that drop UDP.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "The network")]
    pub(crate) tcp_only: Option<bool>,
    /// Without effect: this program's own protocol compresses nothing.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "The network")]
    pub(crate) disable_compression: Option<bool>,
    /// How long a leave or a change of tags waits to be sent [default: 5s; at least 1s].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "The network")]
    pub(crate) broadcast_timeout: Option<Duration>,

    /// Join this member at the start, or do not start (may be repeated).
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Joining")]
    pub(crate) join: Vec<String>,
    /// Join this member in the background, trying again until it succeeds (may be repeated).
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Joining")]
    pub(crate) retry_join: Vec<String>,
    /// Time between two tries [default: 30s; at least 1s].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Joining")]
    pub(crate) retry_interval: Option<Duration>,
    /// Tries after which the agent gives up and stops; 0: none [default: 0].
    #[arg(long, value_name = "N", help_heading = "Joining")]
    pub(crate) retry_max: Option<u32>,
    /// Deliver user events that were sent before the join.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Joining")]
    pub(crate) replay: Option<bool>,
    /// Rejoin from the snapshot even after leaving.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Joining")]
    pub(crate) rejoin: Option<bool>,
    /// Find members of the cluster of this name by mDNS.
    #[arg(long, value_name = "CLUSTER", help_heading = "Joining")]
    pub(crate) discover: Option<String>,
    /// Interface for mDNS [default: that of -iface].
    #[arg(long, value_name = "NAME", help_heading = "Joining")]
    pub(crate) mdns_iface: Option<String>,
    /// No mDNS over IPv4.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Joining")]
    pub(crate) mdns_disable_ipv4: Option<bool>,
    /// No mDNS over IPv6.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Joining")]
    pub(crate) mdns_disable_ipv6: Option<bool>,

    /// Key for all packets, 16, 24 or 32 bytes in base64. On the command line every user of this machine can see it: better
    /// $RUMOR_ENCRYPT_KEY, encrypt_key in a file, or -keyring-file.
    #[arg(long, value_name = "KEY", help_heading = "Encryption")]
    pub(crate) encrypt: Option<Secret>,
    /// A file that keeps the keys; not together with a key.
    #[arg(long, value_name = "FILE", help_heading = "Encryption")]
    pub(crate) keyring_file: Option<PathBuf>,
    /// The key of $RUMOR_ENCRYPT_KEY.
    #[arg(skip)]
    pub(crate) encrypt_env: Option<Secret>,

    /// Write every input of the protocol to this new file, for `rumor replay`. It holds secrets.
    #[arg(long, value_name = "FILE", help_heading = "Looking inside")]
    pub(crate) record: Option<PathBuf>,
}

impl AgentArgs {
    /// Merges the two lists of files and folders in the order in which they were given.
    pub(super) fn order_sources(&mut self, matches: &ArgMatches) {
        let mut ordered: Vec<(usize, PathBuf)> = Vec::new();
        for (id, paths) in [("config_file", &mut self.config_file), ("config_dir", &mut self.config_dir)] {
            let indices = matches.indices_of(id).into_iter().flatten();
            ordered.extend(indices.zip(std::mem::take(paths)));
        }
        ordered.sort_by_key(|(index, _)| *index);
        self.config_paths = ordered.into_iter().map(|(_, path)| path).collect();
    }
}
