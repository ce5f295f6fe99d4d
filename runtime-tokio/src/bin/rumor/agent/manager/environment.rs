//! What the environment says about a service manager.

use std::ffi::{OsStr, OsString};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::SocketAddr;
use std::time::Duration;

/// Where it listens, and how it watches.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) address: SocketAddr,
    pub(super) watchdog: Option<Duration>,
}

/// Reads the variables for the process of this number; `None`: there is no manager.
///
/// # Errors
/// A variable cannot be used.
pub(super) fn read(
    variable: impl Fn(&str) -> Option<OsString>,
    process: u32,
) -> Result<Option<Found>, String> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let Some(socket) = set("NOTIFY_SOCKET") else { return Ok(None) };
    let address = address(&socket)?;
    let ours = match set("WATCHDOG_PID") {
        None => true,
        Some(value) => number("WATCHDOG_PID", &value, "a process number")? == u64::from(process),
    };
    let watchdog = match set("WATCHDOG_USEC") {
        None => None,
        Some(value) => Some(number("WATCHDOG_USEC", &value, "microseconds, 1 or more")?),
    };
    let watchdog = watchdog.filter(|_| ours).map(Duration::from_micros);
    Ok(Some(Found { address, watchdog }))
}

/// `/path`, or `@name` in the abstract namespace.
fn address(socket: &OsStr) -> Result<SocketAddr, String> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(socket),
        _ => Err(std::io::Error::other("must begin with / (a path) or @ (an abstract name)")),
    };
    address.map_err(|error| format!("NOTIFY_SOCKET is \"{}\": {error}", socket.display()))
}

fn number(name: &str, value: &OsStr, what: &str) -> Result<u64, String> {
    let parsed = value.to_str().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    parsed.ok_or_else(|| format!("{name} is \"{}\": must be {what}", value.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Result<Option<Found>, String> {
        read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()), 7)
    }

    #[test]
    fn paths_and_abstract_names_are_addresses() {
        let path = found(&[("NOTIFY_SOCKET", "/run/x")]).unwrap().unwrap();
        assert_eq!(path.address.as_pathname().unwrap().to_str(), Some("/run/x"));
        assert_eq!(path.watchdog, None);
        let name = found(&[("NOTIFY_SOCKET", "@a/b")]).unwrap().unwrap();
        assert_eq!(name.address.as_abstract_name(), Some(b"a/b".as_slice()));
    }

    #[test]
    fn nobody_is_told_where_the_environment_names_nobody() {
        assert!(found(&[]).unwrap().is_none());
        assert!(found(&[("NOTIFY_SOCKET", ""), ("WATCHDOG_USEC", "1000")]).unwrap().is_none());
    }

    #[test]
    fn the_watchdog_watches_the_process_that_it_names() {
        let watchdog = |process: &str| {
            let variables =
                [("NOTIFY_SOCKET", "@a"), ("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", process)];
            found(&variables).unwrap().unwrap().watchdog
        };
        assert_eq!(watchdog("7"), Some(Duration::from_secs(30)));
        assert_eq!(watchdog(""), Some(Duration::from_secs(30)));
        assert_eq!(watchdog("8"), None);
    }

    #[test]
    fn a_variable_that_is_wrong_is_named_with_what_would_be_right() {
        let error = |name, value| {
            let variables = [("NOTIFY_SOCKET", "@a"), (name, value)];
            let first = found(&variables[usize::from(name == "NOTIFY_SOCKET")..]);
            first.expect_err(value)
        };
        let long = format!("/{}", "x".repeat(200));
        assert!(error("NOTIFY_SOCKET", &long).starts_with("NOTIFY_SOCKET is \"/xxx"));
        let expected = "NOTIFY_SOCKET is \"vsock:2:9\": must begin with / (a path) or @ (an abstract name)";
        assert_eq!(error("NOTIFY_SOCKET", "vsock:2:9"), expected);
        for value in ["0", "-1", "1s"] {
            let expected = format!("WATCHDOG_USEC is \"{value}\": must be microseconds, 1 or more");
            assert_eq!(error("WATCHDOG_USEC", value), expected);
        }
        assert_eq!(error("WATCHDOG_PID", "me"), "WATCHDOG_PID is \"me\": must be a process number");
    }
}
