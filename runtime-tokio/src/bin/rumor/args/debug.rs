//! Arguments of the commands that look into a running agent.

use super::TEMPLATE;
use super::rpc::Rpc;
use super::values::Format;

/// `rumor debug`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor debug why web3
  rumor debug why", subcommand_required = true)]
pub(crate) struct DebugArgs {
    #[command(subcommand)]
    pub(crate) command: DebugCommand,
}

/// What to look at.
#[derive(Debug, clap::Subcommand)]
#[command(help_template = TEMPLATE)]
pub(crate) enum DebugCommand {
    /// Tell why a member is what it is: who suspected it and when, who confirmed, how its probes went, how well the agent itself is.
    Why(WhyArgs),
}

/// `rumor debug why`
#[derive(Debug, clap::Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:
  rumor debug why web3
  rumor debug why -format=json web3
  rumor debug why")]
pub(crate) struct WhyArgs {
    /// The member; without: the members of whose trouble the agent remembers something.
    #[arg(value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) rpc: Rpc,
}

impl DebugArgs {
    pub(super) fn rpc(&mut self) -> &mut Rpc {
        match &mut self.command {
            DebugCommand::Why(args) => &mut args.rpc,
        }
    }
}
