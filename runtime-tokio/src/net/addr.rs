//! Addresses: what an operator writes, what an interface has, and what a node tells others of itself.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use if_addrs::IfOperStatus;
use rumormill_core::id::canonical;

use crate::agent::Error;

/// The port of an address that names none: Serf's.
pub const DEFAULT_PORT: u16 = 7946;
/// How long the look-up of one name may take.
const LOOKUP_MAX: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 64;

/// Where to join, as written.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Address(SocketAddr),
    Name(String, u16),
}

/// Reads `host`, `host:port`, `[v6]`, `[v6]:port` or `v6`, each with an optional `name/` in front (a member's name, which
/// memberlist takes there).
fn parse(text: &str, default_port: u16) -> Result<Target, String> {
    let expected = "expected host, host:port, [v6] or [v6]:port";
    let rest = match text.split_once('/') {
        Some(("", _)) => return Err(format!("\"{text}\" begins with a slash; {expected}")),
        Some((_, rest)) => rest,
        None => text,
    };
    if let Ok(ip) = rest.parse::<IpAddr>() {
        return Ok(Target::Address(SocketAddr::new(ip, default_port)));
    }
    if let Ok(addr) = rest.parse::<SocketAddr>() {
        return check_port(text, addr.port()).map(|_| Target::Address(addr));
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(inner) => {
            let Some((host, after)) = inner.split_once(']') else {
                return Err(format!("\"{text}\" has no closing bracket; {expected}"));
            };
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err(format!("\"{text}\" goes on after the bracket; {expected}")),
            }
        }
        // More than one colon without brackets is an IPv6 address with a zone.
        None => match rest.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (rest, None),
        },
    };
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("\"{}\" names no host; {expected}", text.escape_debug()));
    }
    let port = match port {
        None => default_port,
        Some(port) => {
            let number = port
                .parse()
                .map_err(|_| format!("\"{text}\": the port {port} is no number from 1 to 65535"))?;
            check_port(text, number)?
        }
    };
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(Target::Address(SocketAddr::new(ip, port))),
        Err(_) => Ok(Target::Name(host.into(), port)),
    }
}

fn check_port(text: &str, port: u16) -> Result<u16, String> {
    if port == 0 { Err(format!("\"{text}\": port 0 is no port to connect to")) } else { Ok(port) }
}

/// The addresses that were meant, and what stands for none.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) failed: Vec<Error>,
}

/// Looks up what an operator wrote, all addresses of each name.
pub(crate) async fn resolve(texts: &[String], default_port: u16) -> Resolved {
    let mut resolved = Resolved::default();
    for text in texts {
        match parse(text, default_port) {
            Ok(Target::Address(addr)) => resolved.addresses.push(canonical(addr)),
            Ok(Target::Name(host, port)) => match look_up(&host, port).await {
                Ok(addresses) => resolved.addresses.extend(addresses),
                Err(source) => {
                    let what = format!("looking up \"{}\"", host.escape_debug());
                    resolved.failed.push(Error::Io { what, source });
                }
            },
            Err(why) => resolved.failed.push(Error::Setting(why)),
        }
    }
    resolved
}

async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::time::timeout(LOOKUP_MAX, tokio::net::lookup_host((host, port)));
    let found = found.await.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer in 10 s"))??;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for addr in found.map(canonical).take(ADDRESSES_MAX) {
        if !addresses.contains(&addr) {
            addresses.push(addr);
        }
    }
    if addresses.is_empty() { Err(io::Error::other("the name has no address")) } else { Ok(addresses) }
}

/// An address of an interface.
#[derive(Clone, Debug)]
struct Place {
    interface: String,
    ip: IpAddr,
    up: bool,
}

fn places() -> Result<Vec<Place>, Error> {
    let found = if_addrs::get_if_addrs()
        .map_err(|source| Error::Io { what: "listing the network interfaces".into(), source })?;
    let down = |status: &IfOperStatus| matches!(status, IfOperStatus::Down | IfOperStatus::NotPresent);
    Ok(found
        .into_iter()
        .map(|one| Place { ip: one.ip(), up: !down(&one.oper_status), interface: one.name })
        .collect())
}

const fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// The address to use of an interface: its first IPv4 address, else its first IPv6 address, without link-local ones.
///
/// # Errors
/// There is no interface of that name (the error lists those that there are), or it has no address to use.
pub fn interface_address(name: &str) -> Result<IpAddr, Error> {
    interface_addresses(name).map(|addresses| addresses[0])
}

/// All addresses of an interface that can be used, at least one: IPv4 first, without link-local ones.
///
/// # Errors
/// As [`interface_address`].
pub fn interface_addresses(name: &str) -> Result<Vec<IpAddr>, Error> {
    usable(name, &places()?)
}

fn usable(name: &str, places: &[Place]) -> Result<Vec<IpAddr>, Error> {
    let of_it = places.iter().filter(|place| place.interface == name);
    let mut addresses: Vec<IpAddr> =
        of_it.clone().map(|place| place.ip).filter(|ip| !is_link_local(*ip)).collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    if !addresses.is_empty() {
        return Ok(addresses);
    }
    let mut message = if of_it.count() == 0 {
        format!("there is no interface \"{}\" with an address; there are", name.escape_debug())
    } else {
        format!("interface \"{name}\" has link-local addresses only; the interfaces are")
    };
    if places.is_empty() {
        message.push_str(" none");
    }
    for place in places {
        let _ = write!(message, " {} ({})", place.interface, place.ip);
    }
    Err(Error::Setting(message))
}

/// What a node tells others of where it is: what it was told to, else where it is bound, else an address of this machine.
/// A port of 0 stands for the bound one.
pub(crate) fn advertised(explicit: Option<SocketAddr>, bound: SocketAddr) -> Result<SocketAddr, Error> {
    let addr = match explicit {
        Some(addr) if addr.port() == 0 => SocketAddr::new(addr.ip(), bound.port()),
        Some(addr) => addr,
        None if bound.ip().is_unspecified() => SocketAddr::new(choose(bound, &places()?)?, bound.port()),
        None => bound,
    };
    let addr = canonical(addr);
    if addr.ip().is_unspecified() {
        return Err(Error::Setting(format!(
            "{addr} cannot be advertised: peers would not know where this node is; give the address under which they reach it"
        )));
    }
    Ok(addr)
}

/// The address of this machine that peers most likely reach: a private IPv4 address, else any IPv4, else an IPv6 address.
fn choose(bound: SocketAddr, places: &[Place]) -> Result<IpAddr, Error> {
    let fits = |ip: &IpAddr| {
        !ip.is_loopback() && !is_link_local(*ip) && !ip.is_unspecified() && (bound.is_ipv6() || ip.is_ipv4())
    };
    let rank = |ip: &IpAddr| match ip {
        IpAddr::V4(v4) if v4.is_private() => 0,
        IpAddr::V4(_) => 1,
        IpAddr::V6(v6) if v6.is_unique_local() => 2,
        IpAddr::V6(_) => 3,
    };
    let candidates = places.iter().filter(|place| place.up).map(|place| place.ip).filter(fits);
    candidates.min_by_key(rank).ok_or_else(|| {
        Error::Setting(format!(
            "listening on {bound}, but no interface that is up has an address that others could reach; give one to advertise"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_operators_write_is_understood() {
        let at = |text: &str| Ok(Target::Address(text.parse().unwrap()));
        let name = |host: &str, port| Ok(Target::Name(host.to_owned(), port));
        for (text, expected) in [
            ("10.0.0.1", at("10.0.0.1:7000")),
            ("10.0.0.1:7947", at("10.0.0.1:7947")),
            ("::1", at("[::1]:7000")),
            ("[::1]", at("[::1]:7000")),
            ("[::1]:7947", at("[::1]:7947")),
            ("node-1/10.0.0.1:7947", at("10.0.0.1:7947")),
            ("localhost", name("localhost", 7000)),
            ("db.example.com:1", name("db.example.com", 1)),
            ("fe80::1%eth0", name("fe80::1%eth0", 7000)),
            ("[fe80::1%eth0]:9", name("fe80::1%eth0", 9)),
        ] {
            assert_eq!(parse(text, 7000), expected, "{text}");
        }
        for text in
            ["", ":7946", "/10.0.0.1", "a:b", "a:0", "10.0.0.1:0", "a:65536", "[::1", "[::1]x", "a b", "n/"]
        {
            let error = parse(text, 7000).unwrap_err();
            assert!(error.contains(&format!("\"{text}\"")), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse(&text, 7946);
        }
    }

    fn place(interface: &str, ip: &str) -> Place {
        Place { interface: interface.into(), ip: ip.parse().unwrap(), up: true }
    }

    #[test]
    fn the_address_of_an_interface_is_not_link_local_and_rather_ipv4() {
        let places = [
            place("lo", "127.0.0.1"),
            place("eth0", "fe80::1"),
            place("eth0", "2001:db8::1"),
            place("eth0", "192.0.2.7"),
            place("eth1", "fe80::2"),
        ];
        let ips =
            |texts: &[&str]| -> Vec<IpAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        assert_eq!(usable("eth0", &places).unwrap(), ips(&["192.0.2.7", "2001:db8::1"]));
        let error = usable("eth1", &places).unwrap_err().to_string();
        assert!(error.contains("link-local"), "{error}");
        let error = usable("eth9", &places).unwrap_err().to_string();
        assert!(error.contains("eth9") && error.contains("eth0 (192.0.2.7)"), "{error}");
    }

    #[test]
    fn a_node_bound_everywhere_advertises_a_private_address_rather_than_a_public_one() {
        let mut places = vec![
            place("lo", "127.0.0.1"),
            place("eth1", "fd00::1"),
            place("eth0", "192.0.2.7"),
            place("eth2", "10.1.2.3"),
        ];
        let v4 = "0.0.0.0:7946".parse().unwrap();
        let v6 = "[::]:7946".parse().unwrap();
        assert_eq!(choose(v4, &places).unwrap().to_string(), "10.1.2.3");
        places.pop();
        assert_eq!(choose(v4, &places).unwrap().to_string(), "192.0.2.7");
        places.pop();
        assert_eq!(choose(v6, &places).unwrap().to_string(), "fd00::1");
        assert!(choose(v4, &places).unwrap_err().to_string().contains("0.0.0.0:7946"));
    }

    #[test]
    fn nobody_advertises_an_unspecified_address() {
        let bound: SocketAddr = "127.0.0.1:7946".parse().unwrap();
        assert_eq!(advertised(None, bound).unwrap(), bound);
        let explicit = |text: &str| advertised(Some(text.parse().unwrap()), bound);
        assert_eq!(explicit("192.0.2.1:0").unwrap(), "192.0.2.1:7946".parse().unwrap());
        for text in ["0.0.0.0:1", "[::]:1", "[::ffff:0.0.0.0]:1"] {
            assert!(explicit(text).unwrap_err().to_string().contains("cannot be advertised"));
        }
    }

    #[tokio::test]
    async fn every_address_of_a_name_counts_and_a_bad_name_spoils_only_itself() {
        let texts =
            ["127.0.0.1:1".into(), "[bad".into(), "localhost:2".into(), "[::ffff:127.0.0.9]:3".into()];
        let resolved = resolve(&texts, 7946).await;
        assert_eq!(resolved.failed.len(), 1, "{resolved:?}");
        assert_eq!(resolved.addresses[0], "127.0.0.1:1".parse().unwrap());
        assert_eq!(*resolved.addresses.last().unwrap(), "127.0.0.9:3".parse().unwrap());
        assert!(resolved.addresses[1..].iter().any(|addr| addr.ip().is_loopback() && addr.port() == 2));
    }
}
