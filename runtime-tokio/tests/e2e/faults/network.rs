//! A network that a test has for itself: hosts that are network namespaces, joined by a bridge in one more.
//!
//! The namespaces have no names: open files of this process keep them, so that they are gone with it, however it ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Which addresses the hosts of a network have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4 alone.
    V4,
    /// IPv6 alone, on the loopback interface too.
    V6,
    /// Both.
    Both,
}

/// Everything that is open in it keeps a namespace, and so does this value.
#[derive(Debug)]
struct Namespace(File);

impl Namespace {
    fn new() -> Self {
        let mut maker = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo made; read until_it_is_kept"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is unshare");
        let mut said = String::new();
        let out = maker.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut said).expect("a pipe can be read");
        assert_eq!(said, "made\n", "network namespaces need root");
        let kept = File::open(format!("/proc/{}/ns/net", maker.id())).expect("it is there");
        drop(maker.stdin.take());
        maker.wait().expect("a child can be waited for");
        Self(kept)
    }

    /// Does something in there. What it starts and opens stays in there.
    fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let there = || {
            move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("root may enter a namespace");
            work()
        };
        thread::scope(|scope| scope.spawn(there).join()).unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Where `ip` finds it.
    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }

    /// Has `ip` do these lines in there.
    fn ip(&self, lines: &str) {
        self.inside(|| {
            let mut ip = Command::new("ip");
            let mut ip =
                ip.args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("there is ip (iproute2)");
            let mut input = ip.stdin.take().expect("it is piped");
            input.write_all(lines.as_bytes()).expect("ip reads its lines");
            drop(input);
            assert!(ip.wait().expect("a child can be waited for").success(), "ip:\n{lines}");
        });
    }
}

/// One machine of a network.
#[derive(Debug)]
pub(super) struct Host {
    namespace: Namespace,
    /// Its number, from 1.
    pub(super) number: u16,
    family: Family,
}

impl Host {
    /// Does something on it.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.namespace.inside(work)
    }

    pub(super) fn v4(&self) -> Ipv4Addr {
        let [high, low] = self.number.to_be_bytes();
        Ipv4Addr::new(10, 77, high, low)
    }

    pub(super) fn v6(&self) -> Ipv6Addr {
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, self.number)
    }

    /// The address by which the others know it: its IPv4 address where it has both.
    pub(super) fn addr(&self) -> IpAddr {
        if self.family == Family::V6 { self.v6().into() } else { self.v4().into() }
    }

    /// Adds a rule to a chain of its packet filter.
    pub(super) fn filter(&self, chain: &str, rule: &str) {
        self.iptables(&["-A", chain], rule);
    }

    /// Takes all rules away.
    pub(super) fn heal(&self) {
        self.iptables(&["-F"], "");
    }

    /// Cuts it off from another, both ways.
    pub(super) fn cut_off(&self, other: &Self) {
        self.filter("INPUT", &format!("-s {} -j DROP", other.addr()));
        self.filter("OUTPUT", &format!("-d {} -j DROP", other.addr()));
    }

    /// Packets that its rules have dropped so far: a fault must be seen to act.
    pub(super) fn dropped(&self) -> u64 {
        let table = self.iptables(&["-L", "-v", "-x", "-n"], "");
        let rules = table.lines().filter(|line| line.contains(" DROP "));
        rules.filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum()
    }

    fn iptables(&self, action: &[&str], rule: &str) -> String {
        let program = if self.family == Family::V6 { "ip6tables" } else { "iptables" };
        let ran = self.inside(|| {
            let mut command = Command::new(program);
            command.args(["-w", "30"]).args(action).args(rule.split_whitespace());
            command.output().expect("there is iptables")
        });
        assert!(
            ran.status.success(),
            "{program} {action:?} {rule}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }
}

/// Hosts that reach each other.
#[derive(Debug)]
pub(super) struct Network {
    _hub: Namespace,
    pub(super) hosts: Vec<Arc<Host>>,
}

impl Network {
    pub(super) fn new(hosts: u16, family: Family) -> Self {
        let hub = Namespace::new();
        hub.ip("link add hub type bridge mcast_snooping 0\nlink set hub up\n");
        let hosts = (1..=hosts).map(|number| {
            let host = Host { namespace: Namespace::new(), number, family };
            let there = host.namespace.path();
            hub.ip(&format!(
                "link add h{number} type veth peer name eth0 netns {there}\nlink set h{number} master hub up\n"
            ));
            let mut lines = String::from("link set lo up\nlink set eth0 up\n");
            if family == Family::V6 {
                lines.push_str("addr del 127.0.0.1/8 dev lo\n");
            } else {
                lines.push_str(&format!("addr add {}/16 dev eth0\n", host.v4()));
            }
            if family != Family::V4 {
                lines.push_str(&format!("addr add {}/64 dev eth0 nodad\n", host.v6()));
            }
            host.namespace.ip(&lines);
            Arc::new(host)
        });
        Self { hosts: hosts.collect(), _hub: hub }
    }
}
