//! Finding the cluster by multicast DNS (facts 4.6).
//!
//! Each member announces the service `_serf_CLUSTER._tcp` with its name, advertised address and port, and asks for the others at the
//! start and every 60 seconds. Addresses found are given out in batches, to be joined; unlike with Serf, one that could not be
//! joined is given out again later, each time after a longer while.
//!
//! Anybody on the network can answer: what is kept is bounded, and so is the rate at which addresses are given out. An address is
//! announced only on interfaces whose network it belongs to.

mod finds;

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::{Duration, Instant};

use mdns_sd::{
    DaemonEvent, IfKind, Receiver, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent, ServiceInfo,
    TxtProperty,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};
use tracing::{debug, info, warn};

use crate::throttle::Throttle;
use finds::Finds;

/// How often the others are asked for.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// Longest name of a cluster: the service's name has `serf_` before it and at most 30 bytes.
pub const CLUSTER_BYTES_MAX: usize = 25;
/// Batches that may wait to be joined.
const BATCHES_MAX: usize = 16;
/// Verdicts that may wait to be taken down.
const VERDICTS_MAX: usize = 64;
/// Addresses of one answer that are looked at.
const ADDRESSES_PER_SERVICE_MAX: usize = 8;
/// After so many services the resolver, whose memory is not ours to bound, begins afresh.
const SERVICES_MAX: u32 = 4096;
/// How long the resolver has to say good-bye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// The port of multicast DNS (RFC 6762).
const MDNS_PORT: u16 = 5353;

/// What is announced and looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The cluster's name: 1 to [`CLUSTER_BYTES_MAX`] letters, digits, `_` and `-`.
    pub cluster: String,
    /// This node's name.
    pub node: String,
    /// The address that this node advertises.
    pub addr: SocketAddr,
    /// The one interface to use; default: all.
    pub interface: Option<String>,
    /// Whether IPv4 is not used.
    pub disable_ipv4: bool,
    /// Whether IPv6 is not used.
    pub disable_ipv6: bool,
    /// The UDP port of multicast DNS; another than 5353 is for tests.
    pub port: u16,
}

impl Options {
    /// For a cluster of this name and a node of that name and address, on all interfaces.
    #[must_use]
    pub fn new(cluster: impl Into<String>, node: impl Into<String>, addr: SocketAddr) -> Self {
        Self {
            cluster: cluster.into(),
            node: node.into(),
            addr,
            interface: None,
            disable_ipv4: false,
            disable_ipv6: false,
            port: MDNS_PORT,
        }
    }

    /// # Errors
    /// What cannot be, and what would be right.
    fn check(&self) -> Result<(), DiscoveryError> {
        let refused = |problem: String| Err(DiscoveryError::Setting(problem));
        let Self { cluster, .. } = self;
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if cluster.is_empty() || cluster.len() > CLUSTER_BYTES_MAX || !cluster.chars().all(good) {
            return refused(format!(
                "{cluster:?} is no name for a cluster to discover: use 1 to {CLUSTER_BYTES_MAX} letters, digits, _ and -"
            ));
        }
        if cluster.contains("--") || cluster.ends_with('-') {
            return refused(format!(
                "{cluster:?} is no name for a cluster to discover: no - at the end, and no two in a row"
            ));
        }
        if self.disable_ipv4 && self.disable_ipv6 {
            return refused("discovery needs IPv4 or IPv6: one of them must stay enabled".into());
        }
        if self.addr.ip().is_unspecified() || self.addr.port() == 0 {
            return refused(format!(
                "{} cannot be announced: advertise an address that others can reach",
                self.addr
            ));
        }
        match &self.interface {
            Some(name) if !has_interface(name) => refused(format!("there is no network interface {name:?}")),
            _ => Ok(()),
        }
    }

    fn service_type(&self) -> String {
        format!("_serf_{}._tcp.local.", self.cluster)
    }

    fn service(&self) -> Result<ServiceInfo, mdns_sd::Error> {
        let text = TxtProperty::from(format!("Serf '{}' cluster", self.cluster).as_str());
        // The host's name in the records of its addresses: of what it may be made of, so that any node's name does.
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
        let host: String = self.node.chars().map(plain).take(63).collect();
        ServiceInfo::new(
            &self.service_type(),
            &self.node,
            &format!("{host}.local."),
            self.addr.ip(),
            self.addr.port(),
            vec![text],
        )
    }

    /// A resolver that announces this node.
    fn daemon(&self) -> Result<ServiceDaemon, mdns_sd::Error> {
        let daemon = ServiceDaemon::new_with_port(self.port)?;
        daemon.set_service_name_len_max(30)?;
        if let Some(name) = &self.interface {
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(IfKind::Name(name.clone()))?;
        }
        if self.disable_ipv4 {
            daemon.disable_interface(IfKind::IPv4)?;
        }
        if self.disable_ipv6 {
            daemon.disable_interface(IfKind::IPv6)?;
        }
        daemon.register(self.service()?)?;
        Ok(daemon)
    }

    /// Whether an address that somebody announces may be joined.
    fn is_wanted(&self, addr: SocketAddr) -> bool {
        let ip = addr.ip();
        let enabled = if addr.is_ipv4() { !self.disable_ipv4 } else { !self.disable_ipv6 };
        let reachable = !ip.is_unspecified() && !ip.is_multicast() && addr.port() != 0;
        enabled && reachable && addr != self.addr
    }
}

/// Why discovery did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// A setting cannot be: what it is, and what would be right.
    #[error("{0}")]
    Setting(String),
    /// The resolver did not start.
    #[error("multicast DNS does not start: {0}")]
    Resolver(#[from] mdns_sd::Error),
}

/// How joining an address went.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    addr: SocketAddr,
    joined: bool,
}

/// A running search. Dropped, it stops without a good-bye.
#[derive(Debug)]
pub struct Discovery {
    verdicts: mpsc::Sender<Verdict>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Discovery {
    /// Announces this node, and looks for others until [`Discovery::shutdown`]: batches of addresses to join come from the
    /// receiver. Needs a tokio runtime.
    ///
    /// # Errors
    /// A setting cannot be, or the resolver does not start.
    pub fn start(options: Options) -> Result<(Self, mpsc::Receiver<Vec<SocketAddr>>), DiscoveryError> {
        options.check()?;
        let daemon = options.daemon()?;
        let (verdicts, taken) = mpsc::channel(VERDICTS_MAX);
        let (batches, receiver) = mpsc::channel(BATCHES_MAX);
        let (stop, stopped) = oneshot::channel();
        info!("agent.mdns: announcing {} as member of cluster {:?}", options.addr, options.cluster);
        let search = Search {
            options,
            daemon,
            finds: Finds::default(),
            batches,
            services: 0,
            trouble: Throttle::new(Duration::from_secs(60)),
        };
        let task = tokio::spawn(search.run(taken, stopped));
        Ok((Self { verdicts, stop, task }, receiver))
    }

    /// These were joined: they are not given out again.
    pub fn joined(&self, addresses: &[SocketAddr]) {
        self.judge(addresses, true);
    }

    /// These could not be joined: they are given out again after a while, if they are still announced.
    pub fn failed(&self, addresses: &[SocketAddr]) {
        self.judge(addresses, false);
    }

    fn judge(&self, addresses: &[SocketAddr], joined: bool) {
        for addr in addresses {
            // One that does not fit, or comes too late, is of no weight.
            let _ = self.verdicts.try_send(Verdict { addr: *addr, joined });
        }
    }

    /// Takes the announcement back, and stops.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        if self.task.await.is_err() {
            warn!("agent.mdns: the search has panicked");
        }
    }
}

/// What the task has.
struct Search {
    options: Options,
    daemon: ServiceDaemon,
    finds: Finds,
    batches: mpsc::Sender<Vec<SocketAddr>>,
    /// Services that the resolver has told of since it began.
    services: u32,
    trouble: Throttle,
}

impl Search {
    async fn run(mut self, mut verdicts: mpsc::Receiver<Verdict>, mut stopped: oneshot::Receiver<()>) {
        let mut ask = interval(ASK_EVERY);
        ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answers = None;
        let mut troubles = self.daemon.monitor().ok();
        loop {
            let due = self.finds.due();
            tokio::select! {
                _ = &mut stopped => break,
                _ = ask.tick() => {
                    if self.begin_afresh_if_many() {
                        troubles = self.daemon.monitor().ok();
                    }
                    answers = self.ask().or(answers);
                }
                answer = next(answers.as_ref()) => match answer {
                    Some(event) => self.take(event),
                    // The resolver gave up on us: ask again at the next turn.
                    None => answers = None,
                },
                event = next(troubles.as_ref()) => match event {
                    Some(DaemonEvent::Error(error)) => self.warn(&error.to_string()),
                    Some(_) => {}
                    None => troubles = None,
                },
                Some(verdict) = verdicts.recv() => {
                    self.finds.judge(verdict.addr, verdict.joined, Instant::now());
                }
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => self.give_out(),
            }
        }
        goodbye(&self.daemon).await;
    }

    fn ask(&mut self) -> Option<Receiver<ServiceEvent>> {
        match self.daemon.browse(&self.options.service_type()) {
            Ok(answers) => Some(answers),
            Err(error) => {
                self.warn(&format!("asking for members: {error}"));
                None
            }
        }
    }

    fn take(&mut self, event: ServiceEvent) {
        match event {
            ServiceEvent::ServiceFound(..) => self.services = self.services.saturating_add(1),
            ServiceEvent::ServiceResolved(service) => {
                let now = Instant::now();
                for addr in addresses(&service).filter(|addr| self.options.is_wanted(*addr)) {
                    if !self.finds.found(addr, now) && self.trouble.pass(now).is_some() {
                        warn!(
                            "agent.mdns: more addresses are announced than can be joined: {addr} is passed over"
                        );
                    }
                }
            }
            _ => {}
        }
    }

    fn give_out(&mut self) {
        let now = Instant::now();
        let batch = self.finds.take_batch(now);
        if batch.is_empty() {
            return;
        }
        debug!("agent.mdns: found {batch:?}");
        if let Err(mpsc::error::TrySendError::Full(batch)) = self.batches.try_send(batch) {
            self.finds.take_back(&batch, now);
        }
    }

    /// A flood of answers fills the resolver's cache, which has no bound but their time to live.
    fn begin_afresh_if_many(&mut self) -> bool {
        if self.services <= SERVICES_MAX {
            return false;
        }
        self.warn(&format!("{} services were announced: the resolver begins afresh", self.services));
        self.services = 0;
        match self.options.daemon() {
            Ok(daemon) => {
                // Not waited for: it is not to say good-bye in our name.
                let _ = std::mem::replace(&mut self.daemon, daemon).shutdown();
                true
            }
            Err(error) => {
                self.warn(&error.to_string());
                false
            }
        }
    }

    fn warn(&mut self, what: &str) {
        if self.trouble.pass(Instant::now()).is_some() {
            warn!("agent.mdns: {what}");
        }
    }
}

/// The next of what a resolver tells; waits for ever where there is nothing to listen to.
async fn next<T>(receiver: Option<&Receiver<T>>) -> Option<T> {
    match receiver {
        Some(receiver) => receiver.recv_async().await.ok(),
        None => std::future::pending().await,
    }
}

/// A shut-down resolver takes its announcements back first.
async fn goodbye(daemon: &ServiceDaemon) {
    if let Ok(done) = daemon.shutdown() {
        let _ = timeout(GOODBYE_WITHIN, done.recv_async()).await;
    }
}

fn addresses(service: &ResolvedService) -> impl Iterator<Item = SocketAddr> {
    let port = service.get_port();
    service.get_addresses().iter().take(ADDRESSES_PER_SERVICE_MAX).map(move |ip| match ip {
        // A link-local address means nothing without its interface.
        ScopedIp::V6(v6) if v6.addr().is_unicast_link_local() => {
            SocketAddrV6::new(*v6.addr(), port, 0, v6.scope_id().index).into()
        }
        ip => SocketAddr::new(ip.to_ip_addr(), port),
    })
}

fn has_interface(name: &str) -> bool {
    let any: IpAddr = [0, 0, 0, 0].into();
    std::net::UdpSocket::bind((any, 0))
        .is_ok_and(|socket| rustix::net::netdevice::name_to_index(&socket, name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(node: &str, addr: &str) -> Options {
        Options::new("test", node, addr.parse().unwrap())
    }

    #[test]
    fn what_cannot_be_is_explained() {
        let said = |options: Options| options.check().unwrap_err().to_string();
        let good = options("a", "10.0.0.1:7946");
        assert!(good.check().is_ok());
        let named = |cluster: &str| Options { cluster: cluster.into(), ..good.clone() };
        assert!(named("a-cluster_of-25-characters").check().is_err());
        assert!(named("a-cluster_of_25_character").check().is_ok());
        let text = said(named("a b"));
        assert_eq!(
            text,
            "\"a b\" is no name for a cluster to discover: use 1 to 25 letters, digits, _ and -"
        );
        assert!(said(named("")).starts_with("\"\" is no name"));
        assert!(said(named("a.b")).starts_with("\"a.b\" is no name"));
        assert!(said(named("a--b")).ends_with("no two in a row"));
        let neither = Options { disable_ipv4: true, disable_ipv6: true, ..good.clone() };
        assert_eq!(said(neither), "discovery needs IPv4 or IPv6: one of them must stay enabled");
        let nowhere = Options { interface: Some("nowhere0".into()), ..good.clone() };
        assert_eq!(said(nowhere), "there is no network interface \"nowhere0\"");
        assert!(Options { interface: Some("lo".into()), ..good.clone() }.check().is_ok());
        let any = Options { addr: "0.0.0.0:7946".parse().unwrap(), ..good };
        assert!(said(any).starts_with("0.0.0.0:7946 cannot be announced"));
    }

    #[test]
    fn the_service_is_what_serf_announces() {
        let service = options("node one.x", "10.0.0.1:7946").service().unwrap();
        assert_eq!(service.get_type(), "_serf_test._tcp.local.");
        assert_eq!(service.get_fullname(), "node one\\.x._serf_test._tcp.local.");
        assert_eq!((service.get_hostname(), service.get_port()), ("node-one-x.local.", 7946));
        let texts: Vec<_> = service.get_properties().iter().map(|text| (text.key(), text.val())).collect();
        assert_eq!(texts, [("Serf 'test' cluster", None)]);
    }

    #[test]
    fn only_addresses_of_others_that_can_be_reached_are_wanted() {
        let ours = Options { disable_ipv6: true, ..options("a", "10.0.0.1:7946") };
        let wanted = ["10.0.0.2:7946", "10.0.0.1:7947", "127.0.0.1:1"];
        let unwanted = ["10.0.0.1:7946", "0.0.0.0:7946", "10.0.0.2:0", "224.0.0.251:5353", "[fd00::1]:7946"];
        assert!(wanted.iter().all(|addr| ours.is_wanted(addr.parse().unwrap())));
        assert!(unwanted.iter().all(|addr| !ours.is_wanted(addr.parse().unwrap())));
    }

    /// Two of one cluster and one of another, on the loopback interface alone.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn members_of_one_cluster_find_each_other() {
        // Any port does; the process's number keeps runs at the same time apart.
        let port = 20_000 + (std::process::id() % 20_000) as u16;
        let on_loopback = |cluster: &str, node: &str, addr: &str| {
            let interface = Some("lo".into());
            let addr = addr.parse().unwrap();
            Discovery::start(Options { interface, port, ..Options::new(cluster, node, addr) }).unwrap()
        };
        let (other, mut others_finds) = on_loopback("elsewhere", "c", "127.0.0.1:7003");
        let (a, mut found_by_a) = on_loopback("a_cluster_of_25_character", "a", "127.0.0.1:7001");
        let (b, mut found_by_b) = on_loopback("a_cluster_of_25_character", "b", "127.0.0.1:7002");
        let patience = Duration::from_secs(60);
        let found = timeout(patience, found_by_a.recv()).await.expect("a finds b").unwrap();
        assert_eq!(found, ["127.0.0.1:7002".parse().unwrap()]);
        let found = timeout(patience, found_by_b.recv()).await.expect("b finds a").unwrap();
        assert_eq!(found, ["127.0.0.1:7001".parse().unwrap()]);
        a.joined(&found);
        assert!(others_finds.try_recv().is_err());
        for discovery in [a, b, other] {
            discovery.shutdown().await;
        }
        assert_eq!(found_by_a.recv().await, None);
    }
}
