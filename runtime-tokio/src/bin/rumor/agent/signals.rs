//! Signals, and how an agent ends (facts 4.2).

use std::process::ExitCode;
use std::time::Duration;

use rumormill_tokio::agent::Stopped;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use super::manager::Manager;
use super::reloading::reload;
use super::start::Running;
use crate::args::AgentArgs;
use crate::config::AgentConfig;

/// How long a leave may take beyond what the node itself allows: Serf's fixed limit, which a slow queue exceeds there.
const LEAVE_GRACE: Duration = Duration::from_secs(3);

/// The signals that an agent listens for.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    user: Signal,
}

enum Caught {
    Interrupt,
    Terminate,
    Reload,
    Figures,
}

impl Signals {
    /// # Errors
    /// The system does not let it.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
        })
    }

    async fn next(&mut self) -> Caught {
        tokio::select! {
            _ = self.interrupt.recv() => Caught::Interrupt,
            _ = self.terminate.recv() => Caught::Terminate,
            _ = self.hangup.recv() => Caught::Reload,
            _ = self.user.recv() => Caught::Figures,
        }
    }
}

impl Running {
    /// Serves until the agent has ended, whoever ends it; its exit status.
    pub(super) async fn until_it_ends(
        mut self,
        mut config: AgentConfig,
        args: &AgentArgs,
        manager: &Manager,
    ) -> ExitCode {
        let agent = self.agent.clone();
        let stopped = agent.stopped();
        tokio::pin!(stopped);
        let mut is_ready = false;
        let code = loop {
            tokio::select! {
                // What `wait_for` gives must not be held: it would hold up whoever joins.
                true = async { self.tried.wait_for(|tried| *tried).await.is_ok() }, if !is_ready => {
                    is_ready = true;
                    manager.ready().await;
                }
                reason = &mut stopped => break ended(&reason),
                _ = &mut self.joining => {
                    agent.shutdown().await;
                    break ExitCode::FAILURE;
                }
                caught = self.signals.next() => match caught {
                    Caught::Reload => {
                        manager.reloading().await;
                        config = reload(&self, config, args).await;
                        manager.reloaded().await;
                    }
                    Caught::Figures => self.print_figures().await,
                    end => {
                        manager.stopping().await;
                        break match end {
                            Caught::Interrupt if config.skip_leave_on_interrupt => self.give_up("interrupt").await,
                            Caught::Terminate if !config.leave_on_terminate => self.give_up("terminated").await,
                            Caught::Interrupt => self.leave("interrupt").await,
                            _ => self.leave("terminated").await,
                        };
                    }
                },
            }
        };
        manager.stopping().await;
        self.joining.abort();
        if let Some((stop, task)) = self.searching {
            stop.send_replace(true);
            // What it was about does not matter any more.
            let _ = task.await;
        }
        self.watched.stop().await;
        // Clients are told how their last command ended, and handlers have their time.
        let _ = tokio::join!(self.rpc, self.handling);
        code
    }

    async fn give_up(&self, signal: &str) -> ExitCode {
        say!("==> Caught signal: {signal}");
        self.agent.shutdown().await;
        ExitCode::FAILURE
    }

    /// Leaves; a second signal, or too much time, and it is gone without.
    async fn leave(&mut self, signal: &str) -> ExitCode {
        say!("==> Caught signal: {signal}");
        say!("==> Gracefully shutting down agent...");
        let agent = self.agent.clone();
        let within = self.leave_within + LEAVE_GRACE;
        let left = tokio::select! {
            left = agent.leave() => left.map_err(|error| error.to_string()),
            () = tokio::time::sleep(within) => Err(format!("it took longer than {within:?}")),
            () = self.signals.another() => Err("there was a second signal".into()),
        };
        match left {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                error!("agent: stopped without having left: {reason}");
                self.agent.shutdown().await;
                ExitCode::FAILURE
            }
        }
    }

    /// What the agent has done so far, on standard error.
    async fn print_figures(&self) {
        match self.watched.sources.read().await {
            Ok(readings) => complain!("==> Figures of {}\n{}", self.agent.name(), readings.to_prometheus()),
            Err(error) => warn!("agent: no figures: {error}"),
        }
    }
}

impl Signals {
    /// A signal to end, while the agent is starting or ending.
    pub(super) async fn another(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn ended(reason: &Stopped) -> ExitCode {
    match reason {
        Stopped::Left | Stopped::Shutdown => {
            info!("agent: Serf shutdown detected, quitting");
            ExitCode::SUCCESS
        }
        Stopped::MustStop(why) => {
            error!("agent: {why}");
            complain!("==> The agent cannot go on: {why}");
            ExitCode::FAILURE
        }
    }
}
