//! Arguments of commands that speak to an agent.

use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser as _};

use super::condition::Condition;
use super::rpc::Rpc;
use super::values::{Format, LogLevel, Pair, Payload, parse_duration, truth};
use super::TEMPLATE;

/// `rumor event`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor event deploy v1.2.3
  rumor event -coalesce=false restart")]
pub(crate) struct EventArgs {
    /// The event's name.
    pub(crate) name: String,
    /// Its data.
    #[arg(value_parser = OsStringValueParser::new().map(Payload::from), default_value = "", hide_default_value = true)]
    pub(crate) payload: Payload,
    /// Whether agents may merge it with other events of the same name.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true")]
    pub(crate) coalesce: bool,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor query`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor query load
  rumor query -tag role='web.*' -format=json version
  rumor query -node web1 -node web2 -timeout 5s uptime")]
pub(crate) struct QueryArgs {
    /// The query's name.
    pub(crate) name: String,
    /// Its data.
    #[arg(value_parser = OsStringValueParser::new().map(Payload::from), default_value = "", hide_default_value = true)]
    pub(crate) payload: Payload,
    /// How answers are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Ask only this member (may be repeated).
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Vec<String>,
    /// Ask only members whose tag matches a regular expression, as a whole (may be repeated).
    #[arg(long, value_name = "KEY=REGEX")]
    pub(crate) tag: Vec<Pair>,
    /// How long answers are taken; 0: what the agent finds right for the cluster's size.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "0")]
    pub(crate) timeout: Duration,
    /// Do not ask members to acknowledge that they got it.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth, hide_default_value = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    pub(crate) no_ack: bool,
    /// Members through which each answer is sent a second time, for bad networks.
    #[arg(long, value_name = "0..255", default_value_t = 0)]
    pub(crate) relay_factor: u8,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor force-leave`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor force-leave web3
  rumor force-leave -prune web3")]
pub(crate) struct ForceLeaveArgs {
    /// The member's name.
    pub(crate) name: String,
    /// Forget it at once, instead of showing it as left for a day.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth, hide_default_value = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    pub(crate) prune: bool,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor join`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor join 10.0.0.5
  rumor join -replay seed1:7946 [fd00::5]:7946")]
pub(crate) struct JoinArgs {
    /// Members of the cluster; one that answers is enough.
    #[arg(required = true, value_name = "HOST[:PORT]")]
    pub(crate) addresses: Vec<String>,
    /// Whether user events that were sent before are delivered here.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth, hide_default_value = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    pub(crate) replay: bool,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor leave`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor leave")]
pub(crate) struct LeaveArgs {
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor members`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor members
  rumor members -status alive -tag role=web
  rumor members -detailed -format=json")]
pub(crate) struct MembersArgs {
    /// Show protocol versions too.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth, hide_default_value = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    pub(crate) detailed: bool,
    /// How members are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Only members whose name matches, as a whole.
    #[arg(long, value_name = "REGEX")]
    pub(crate) name: Option<String>,
    /// Deprecated: -tag role=REGEX.
    #[arg(long, value_name = "REGEX")]
    pub(crate) role: Option<String>,
    /// Only members whose status (alive, leaving, left, failed) matches, as a whole.
    #[arg(long, value_name = "REGEX")]
    pub(crate) status: Option<String>,
    /// Only members whose tag matches, as a whole (may be repeated).
    #[arg(long, value_name = "KEY=REGEX")]
    pub(crate) tag: Vec<Pair>,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor monitor`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor monitor
  rumor monitor -log-level=debug")]
pub(crate) struct MonitorArgs {
    /// The least severe log lines to print.
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    pub(crate) log_level: LogLevel,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor tags`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor tags -set role=web -set rack=7
  rumor tags -delete rack")]
#[group(id = "changes", required = true, multiple = true, args = ["set", "delete"])]
pub(crate) struct TagsArgs {
    /// Set a tag (may be repeated).
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Pair>,
    /// Delete a tag (may be repeated).
    #[arg(long, value_name = "KEY")]
    pub(crate) delete: Vec<String>,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor keys`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor keys -list
  rumor keys -install \"$(rumor keygen)\"")]
#[group(id = "change", required = true, multiple = false, args = ["install", "use_key", "remove", "list"])]
pub(crate) struct KeysArgs {
    /// Give all members a key, in base64, to decrypt with.
    #[arg(long, value_name = "KEY")]
    install: Option<String>,
    /// Have all members encrypt with a key that is installed.
    #[arg(long = "use", value_name = "KEY")]
    use_key: Option<String>,
    /// Take a key from all members; not the one that is in use.
    #[arg(long, value_name = "KEY")]
    remove: Option<String>,
    /// List the keys that members have.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    list: Option<bool>,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// What `rumor keys` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyChange<'a> {
    /// Give all members this key.
    Install(&'a str),
    /// Encrypt with this key.
    Use(&'a str),
    /// Take this key away.
    Remove(&'a str),
    /// Change nothing.
    List,
}

impl KeysArgs {
    /// The one thing that it is to do.
    pub(crate) fn change(&self) -> KeyChange<'_> {
        match (&self.install, &self.use_key, &self.remove) {
            (Some(key), _, _) => KeyChange::Install(key),
            (_, Some(key), _) => KeyChange::Use(key),
            (_, _, Some(key)) => KeyChange::Remove(key),
            // One of the four is there.
            (None, None, None) => KeyChange::List,
        }
    }
}

/// `rumor info`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor info
  rumor info -format=json")]
pub(crate) struct InfoArgs {
    /// How figures are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor reachability`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor reachability -verbose")]
pub(crate) struct ReachabilityArgs {
    /// Print each answer.
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, value_parser = truth, hide_default_value = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor rtt`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor rtt web2
  rumor rtt web1 web2")]
pub(crate) struct RttArgs {
    /// A member.
    pub(crate) node1: String,
    /// Another; by default the agent's own.
    pub(crate) node2: Option<String>,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

/// `rumor wait`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor wait --until 'alive>=5'
  rumor wait --until 'alive=3,failed=0' --timeout 2m")]
pub(crate) struct WaitArgs {
    /// Counts of members that must all be so, joined by commas: alive, failed, leaving, left or total; >=, <=, ==, =, > or <;
    /// a number.
    #[arg(long, value_name = "CONDITION")]
    pub(crate) until: Condition,
    /// How long to wait before giving up with status 1; 0: look once.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "30s")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}
