//! Agents on the hosts of a network.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rumormill_tokio::rpc::client::{Client, ClientError};
use rustix::process::Signal;
use tempfile::TempDir;

use super::network::{Family, Host, Network};
use crate::harness::{Process, Program, mortal, wait_until, wait_within};

/// Where every agent takes commands: its host's own port.
const RPC_PORT: u16 = 7373;
/// Where it shows its metrics.
const HTTP_PORT: u16 = 7374;

/// Timers for tests whose promise does not depend on them: a death is found in two to fifteen seconds.
pub(super) const BRISK: &str = "probe_interval = '500ms'\nprobe_timeout = '250ms'\ngossip_interval = '100ms'\n\
                                push_pull_interval = '3s'\nreconnect_interval = '1s'\n";

/// An agent: its place and settings, through all its lives.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) host: Arc<Host>,
    pub(super) process: Process,
    folder: PathBuf,
    rpc: SocketAddr,
    args: Vec<String>,
    wrapper: Vec<String>,
}

impl Node {
    /// Starts an agent of this name; `core` is what stands in its table of that name.
    pub(super) fn start(host: &Arc<Host>, name: &str, folder: &Path, core: &str, more: &[&str]) -> Self {
        Self::start_by(&[], host, name, folder, core, more)
    }

    /// The same, by way of another program and its arguments.
    pub(super) fn start_by(
        wrapper: &[String],
        host: &Arc<Host>,
        name: &str,
        folder: &Path,
        core: &str,
        more: &[&str],
    ) -> Self {
        let mut node = Self::launch(wrapper, host, name, folder, core, more);
        node.await_commands();
        node
    }

    /// The same, without waiting until it takes commands: it may be meant to stop before.
    pub(super) fn launch(
        wrapper: &[String],
        host: &Arc<Host>,
        name: &str,
        folder: &Path,
        core: &str,
        more: &[&str],
    ) -> Self {
        let config = folder.join(format!("{name}.{}.toml", host.number));
        let rpc = match host.addr() {
            std::net::IpAddr::V4(_) => SocketAddr::from(([127, 0, 0, 1], RPC_PORT)),
            std::net::IpAddr::V6(_) => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], RPC_PORT)),
        };
        let http = SocketAddr::new(rpc.ip(), HTTP_PORT);
        fs::write(&config, format!("http_addr = '{http}'\n[core]\n{core}")).expect("the folder is writable");
        let events = events_file(folder, name, host);
        let mut args: Vec<String> = vec!["agent".into(), format!("-node={name}"), format!("-rpc-addr={rpc}")];
        args.push(format!("-config-file={}", config.display()));
        if !more.iter().any(|arg| arg.starts_with("-event-handler=")) {
            args.push(format!("-event-handler=user=cat >> {}", events.display()));
        }
        if !more.iter().any(|arg| arg.starts_with("-bind")) {
            args.push(format!("-bind={}", SocketAddr::new(host.addr(), 7946)));
        }
        args.extend(more.iter().map(|arg| (*arg).into()));
        let process = run(host, folder, name, wrapper, &args);
        Self {
            name: name.into(),
            host: host.clone(),
            process,
            folder: folder.into(),
            rpc,
            args,
            wrapper: wrapper.into(),
        }
    }

    fn await_commands(&mut self) {
        let (host, rpc, process) = (&self.host, self.rpc, &mut self.process);
        let mut ended = None;
        wait_until(&format!("{} takes commands", self.name), || {
            ended = process.ended();
            ended.is_some() || host.inside(|| TcpStream::connect(rpc).is_ok())
        });
        assert_eq!(ended, None, "{} has ended", self.name);
    }

    /// Ends its life by a signal, and gives its exit status (that of a signal as a shell says it).
    pub(super) fn end(&mut self, signal: Signal) -> i32 {
        self.process.signal_agent(signal);
        let status = self.process.wait();
        status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
    }

    /// Starts it again, with the same settings, but those to join anybody.
    pub(super) fn start_again(&mut self) {
        self.args.retain(|arg| !arg.contains("-join="));
        self.process = run(&self.host, &self.folder, &self.name, &self.wrapper, &self.args);
        self.await_commands();
    }

    /// Where others find it.
    pub(super) fn gossip_addr(&self) -> String {
        SocketAddr::new(self.host.addr(), 7946).to_string()
    }

    /// Speaks to it.
    pub(super) fn call<T: Send>(
        &self,
        work: impl AsyncFnOnce(Client) -> Result<T, ClientError> + Send,
    ) -> Result<T, ClientError> {
        self.host.inside(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .expect("there is room for a runtime")
                .block_on(async { work(Client::connect(&self.rpc.to_string(), None).await?).await })
        })
    }

    /// Everybody that it lists, and how they are; nobody while it does not answer.
    pub(super) fn members(&self) -> BTreeMap<String, String> {
        let members = self.call(async |client| client.members().await).unwrap_or_default();
        members.into_iter().map(|member| (member.name, member.status)).collect()
    }

    /// How it lists this member.
    pub(super) fn sees(&self, name: &str) -> String {
        self.members().remove(name).unwrap_or_default()
    }

    /// Sends an event; whether it was accepted.
    pub(super) fn tell(&self, text: &str) -> bool {
        let line = format!("{text}\n");
        self.call(async |client| client.event("told", line.as_bytes(), false).await).is_ok()
    }

    /// The events that were delivered to it, in all its lives.
    pub(super) fn told(&self) -> Vec<String> {
        let text = fs::read_to_string(events_file(&self.folder, &self.name, &self.host)).unwrap_or_default();
        text.lines().map(Into::into).collect()
    }

    /// What it has logged, in all its lives.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(log_file(&self.folder, &self.name, &self.host)).unwrap_or_default()
    }

    /// Probes of its that were answered by a stream alone.
    pub(super) fn saved_by_stream(&self) -> u64 {
        self.figure("rumormill_probe_rtt_seconds_count{path=\"stream\"}")
    }

    /// How often it has reported that this member failed.
    pub(super) fn failures_of(&self, name: &str) -> usize {
        self.log().lines().filter(|line| line.contains(&format!("EventMemberFailed: {name} "))).count()
    }

    /// One of its metrics, by name and labels.
    pub(super) fn figure(&self, name: &str) -> u64 {
        let page = self.host.inside(|| scrape(SocketAddr::new(self.rpc.ip(), HTTP_PORT)));
        let page = page.unwrap_or_else(|error| panic!("{} shows no metrics: {error}", self.name));
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or_else(|| panic!("{} has no metric {name}:\n{page}", self.name))
    }
}

/// The page of metrics that is shown there.
fn scrape(http: SocketAddr) -> std::io::Result<String> {
    let mut page = String::new();
    let mut connection = TcpStream::connect(http)?;
    connection.write_all(
        format!("GET /metrics HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    connection.read_to_string(&mut page)?;
    Ok(page)
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("--- log of {}\n{}", self.name, self.log());
        }
    }
}

fn events_file(folder: &Path, name: &str, host: &Host) -> PathBuf {
    folder.join(format!("{name}.{}.events", host.number))
}

fn log_file(folder: &Path, name: &str, host: &Host) -> PathBuf {
    folder.join(format!("{name}.{}.log", host.number))
}

fn run(host: &Host, folder: &Path, name: &str, wrapper: &[String], args: &[String]) -> Process {
    let log = OpenOptions::new().create(true).append(true).open(log_file(folder, name, host));
    let log = log.expect("the folder is writable");
    let line: Vec<_> =
        wrapper.iter().map(Into::into).chain([Program::Rumor.path().into_os_string()]).collect();
    let mut command = mortal(&line[0]);
    command.args(&line[1..]).args(args);
    command.stdout(log.try_clone().expect("a file can be shared")).stderr(log);
    host.inside(|| Process::start(&mut command))
}

/// Agents `n1`, `n2`, ... on a network of their own, each on its host.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
    pub(super) network: Network,
    pub(super) folder: TempDir,
}

impl Cluster {
    /// Starts so many, and waits until all know all.
    pub(super) fn start(size: u16, core: &str, more: &[&str]) -> Self {
        let network = Network::new(size, Family::V4);
        let cluster =
            Self::start_on(network, size.into(), core, |_, _| more.iter().map(|arg| (*arg).into()).collect());
        cluster.await_all_alive(Duration::from_secs(30));
        cluster
    }

    /// Starts agents on the first so many hosts of a network; all join the first one. `more` gives the arguments of each, by the folder of
    /// their files and its number from 0.
    pub(super) fn start_on(
        network: Network,
        size: usize,
        core: &str,
        more: impl Fn(&Path, usize) -> Vec<String>,
    ) -> Self {
        let folder = TempDir::new().expect("there is room for a folder");
        let mut nodes: Vec<Node> = Vec::new();
        for (index, host) in network.hosts.iter().take(size).enumerate() {
            let mut args = more(folder.path(), index);
            if let Some(first) = nodes.first() {
                args.extend([format!("-retry-join={}", first.gossip_addr()), "-retry-interval=1s".into()]);
            }
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            nodes.push(Node::start(host, &format!("n{}", index + 1), folder.path(), core, &args));
        }
        Self { nodes, network, folder }
    }

    /// Waits until each of the agents lists all of them as alive, and nobody else.
    pub(super) fn await_all_alive(&self, patience: Duration) {
        for node in &self.nodes {
            let mut seen = BTreeMap::new();
            wait_within(patience, &format!("{} sees all alive", node.name), || {
                seen = node.members();
                seen.len() == self.nodes.len() && seen.values().all(|status| status == "alive")
            });
        }
    }

    /// Waits until each of these has begun so many probes from now on.
    pub(super) fn await_probes<'n>(nodes: impl IntoIterator<Item = &'n Node>, count: u64) {
        for node in nodes {
            let until = node.figure("rumormill_probes_total") + count;
            wait_until(&format!("{} has probed {count} times", node.name), || {
                node.figure("rumormill_probes_total") >= until
            });
        }
    }

    /// Waits until each of these was told this.
    pub(super) fn await_told<'n>(nodes: impl IntoIterator<Item = &'n Node>, text: &str) {
        for node in nodes {
            wait_until(&format!("{} is told {text}", node.name), || {
                node.told().iter().any(|told| told == text)
            });
        }
    }

    /// Whom the agents have reported failed, ever: the reporter and the one reported.
    pub(super) fn failures(&self) -> Vec<(&str, &str)> {
        let pairs = self.nodes.iter().flat_map(|node| self.nodes.iter().map(move |other| (node, other)));
        let reported = pairs.filter(|(node, other)| node.failures_of(&other.name) > 0);
        reported.map(|(node, other)| (&*node.name, &*other.name)).collect()
    }
}
