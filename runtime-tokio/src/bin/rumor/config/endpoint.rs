//! Addresses as people write them: `host`, `host:port`, `:port`, `::1`, `[::1]`, `[::1]:port`.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// A host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// An address without brackets, or a name; empty: every address of this machine.
    pub(crate) host: String,
    /// The port, where one was written.
    pub(crate) port: Option<u16>,
}

impl Endpoint {
    /// The address, where the host is one or is left out.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        if self.host.is_empty() { Some(Ipv4Addr::UNSPECIFIED.into()) } else { self.host.parse().ok() }
    }

    /// Whether every address of this machine is meant.
    pub(crate) fn is_unspecified(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }

    /// Whether only this machine can be meant.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// `host:port` to send to, for who looks names up itself. No host: this machine.
    pub(crate) fn to_dial(&self, default_port: u16) -> String {
        let host = if self.host.is_empty() { "127.0.0.1" } else { &self.host };
        Self { host: host.into(), port: Some(self.port.unwrap_or(default_port)) }.to_string()
    }

    /// The first address of the host. Blocks while a name is looked up.
    ///
    /// # Errors
    /// The name has no address.
    pub(crate) fn resolve(&self, default_port: u16) -> io::Result<SocketAddr> {
        let port = self.port.unwrap_or(default_port);
        if let Some(ip) = self.ip() {
            return Ok(SocketAddr::new(ip, port));
        }
        let mut found = (self.host.as_str(), port).to_socket_addrs()?;
        found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix('[') {
            let Some((host, rest)) = rest.split_once(']') else {
                return Err("the bracket [ is not closed".into());
            };
            let port = match rest {
                "" => None,
                rest => Some(port(rest.strip_prefix(':').ok_or("after ] only :port may follow")?)?),
            };
            return if is_v6(host) {
                Ok(Self { host: host.into(), port })
            } else {
                Err(format!("{host:?} in brackets is no IPv6 address"))
            };
        }
        if is_v6(text) {
            return Ok(Self { host: text.into(), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, number)) => (host, Some(port(number)?)),
            None => (text, None),
        };
        if host.contains(':') {
            return Err("an IPv6 address with a port stands in brackets: [fd00::1]:7946".into());
        }
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !host.chars().all(name) {
            return Err(format!("{host:?} is neither an address nor a host's name"));
        }
        if !host.is_empty()
            && host.chars().all(|c| c.is_ascii_digit() || c == '.')
            && host.parse::<IpAddr>().is_err()
        {
            return Err(format!("{host:?} is no IPv4 address"));
        }
        Ok(Self { host: host.into(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (_, None) => f.write_str(&self.host),
        }
    }
}

fn is_v6(host: &str) -> bool {
    // A zone says through which interface a link-local address is meant.
    match host.split_once('%') {
        Some((host, zone)) => !zone.is_empty() && host.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv6Addr>().is_ok(),
    }
}

fn port(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    number.ok_or_else(|| format!("{text:?} is no port (0 to 65535)"))
}

/// Checks an address to join: as [`Endpoint`], with a member's name and a slash before it where the member is known.
pub(super) fn joinable(text: &str) -> Result<String, String> {
    let address = match text.split_once('/') {
        Some(("", _)) => return Err("there is no name before the slash".into()),
        Some((_, address)) => address,
        None => text,
    };
    let endpoint: Endpoint = address.parse()?;
    if endpoint.is_unspecified() {
        return Err(format!("{address:?} names no host that could be joined"));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (text, host, port) in [
            ("10.0.0.1", "10.0.0.1", None),
            ("10.0.0.1:80", "10.0.0.1", Some(80)),
            (":80", "", Some(80)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[::1]:80", "::1", Some(80)),
            ("[fe80::1%eth0]:80", "fe80::1%eth0", Some(80)),
            ("web-1.example_x", "web-1.example_x", None),
            ("web-1:65535", "web-1", Some(65535)),
        ] {
            assert_eq!(text.parse(), Ok(Endpoint { host: host.into(), port }), "{text}");
        }
    }

    #[test]
    fn wrong_ones_are_explained() {
        for (text, message) in [
            ("10.0.0.1:x", "\"x\" is no port (0 to 65535)"),
            ("10.0.0.1:65536", "\"65536\" is no port (0 to 65535)"),
            ("10.0.0.1:+8", "\"+8\" is no port (0 to 65535)"),
            ("10.0.0.999", "\"10.0.0.999\" is no IPv4 address"),
            ("[::1", "the bracket [ is not closed"),
            ("[::1]80", "after ] only :port may follow"),
            ("[web]:80", "\"web\" in brackets is no IPv6 address"),
            ("fd00::zz:80", "an IPv6 address with a port stands in brackets: [fd00::1]:7946"),
            ("a b", "\"a b\" is neither an address nor a host's name"),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(message.into()), "{text}");
        }
        assert_eq!(joinable("one/10.0.0.1:80"), Ok("one/10.0.0.1:80".into()));
        assert!(joinable("/10.0.0.1").is_err());
        assert!(joinable("").is_err());
        assert!(joinable("0.0.0.0").is_err());
    }

    #[test]
    fn addresses_need_no_lookup() {
        let resolved =
            |text: &str| text.parse::<Endpoint>().expect(text).resolve(7946).expect(text).to_string();
        assert_eq!(resolved("10.0.0.1"), "10.0.0.1:7946");
        assert_eq!(resolved(":1"), "0.0.0.0:1");
        assert_eq!(resolved("[::1]:2"), "[::1]:2");
    }

    #[test]
    fn what_is_dialled_has_a_host_and_a_port() {
        let dialled = |text: &str| text.parse::<Endpoint>().expect(text).to_dial(8125);
        assert_eq!(dialled("10.0.0.1"), "10.0.0.1:8125");
        assert_eq!(dialled("::1"), "[::1]:8125");
        assert_eq!(dialled("stats.example:1"), "stats.example:1");
        assert_eq!(dialled(":9"), "127.0.0.1:9");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(text in "[a-z0-9.:\\[\\]%/-]{0,24}") {
            let _ = joinable(&text);
            if let Ok(endpoint) = text.parse::<Endpoint>() {
                prop_assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
            }
        }
    }
}
