//! `rumor agent`: an agent in the foreground, with everything around it: log, commands, handlers, mDNS, signals.

/// Says something on standard output. Where that is closed or full, an agent goes on.
macro_rules! say {
    ($($text:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut anstream::stdout(), format_args!("{}\n", format_args!($($text)*)));
    }};
}

/// The same on standard error.
macro_rules! complain {
    ($($text:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut anstream::stderr(), format_args!("{}\n", format_args!($($text)*)));
    }};
}

mod joining;
mod log;
mod manager;
mod reloading;
mod signals;
mod start;

use std::process::ExitCode;

use crate::args::{AgentArgs, LogFormat};
use crate::config::{self, AgentConfig, Diagnostic};
use log::{Log, Syslog};
use manager::Manager;
use start::Failure;

/// Runs an agent until it has left, is told to stop, or cannot go on.
pub(crate) fn run(args: &AgentArgs) -> ExitCode {
    let config = match config::load(&args.config_paths, args) {
        Ok(config) => config,
        Err(problems) => {
            for problem in problems {
                complain!("==> {problem}");
            }
            return ExitCode::FAILURE;
        }
    };
    let syslog = match config.syslog.map(Syslog::open).transpose() {
        Ok(syslog) => syslog,
        Err(error) => {
            complain!("==> Syslog setup failed: {error}");
            return ExitCode::FAILURE;
        }
    };
    let log = match Log::install(config.log_level, config.log_format, syslog) {
        Ok(log) => log,
        Err(error) => {
            complain!("==> Log setup failed: {error}");
            if config.log_format == LogFormat::Journald {
                complain!("  hint: log_format = \"auto\" takes the journal only where there is one");
            }
            return ExitCode::FAILURE;
        }
    };
    let code = run_logged(config, args, &log);
    log.flush();
    code
}

fn run_logged(config: AgentConfig, args: &AgentArgs, log: &Log) -> ExitCode {
    warn_of(&config.warnings);
    // The driver, its streams and clients share one thread: an agent is idle nearly always, and many may run on one machine.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain!("==> Error starting: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(lead_a_life(config, args, log.clone())) {
        Ok(code) => code,
        Err(failure) => {
            complain!("==> {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn lead_a_life(config: AgentConfig, args: &AgentArgs, log: Log) -> Result<ExitCode, Failure> {
    say!("==> Starting rumor agent...");
    let manager = Manager::from_environment().unwrap_or_else(|reason| {
        tracing::warn!("agent: nobody is told when this agent is ready: {reason}");
        Manager::default()
    });
    let asking = tokio::spawn(manager.clone().ask_for_time());
    let running = match start::start(&config, log).await {
        Ok(running) => running,
        Err(failure) => {
            manager.status(&failure.to_string()).await;
            return Err(failure);
        }
    };
    start::announce(&running, &config);
    let attending = tokio::spawn(manager.clone().attend(running.agent.clone()));
    let code = running.until_it_ends(config, args, &manager).await;
    asking.abort();
    attending.abort();
    Ok(code)
}

/// What may not be as somebody wanted.
fn warn_of(warnings: &[Diagnostic]) {
    for warning in warnings {
        tracing::warn!("agent: {}", warning.line());
    }
}
