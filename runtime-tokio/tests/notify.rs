//! The program under a service manager: what systemd would hear of an agent, on a socket of the test's own.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent whose manager is the test; killed when it is dropped.
struct Managed {
    agent: Child,
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Managed {
    fn start(socket: UnixDatagram, name: &OsStr, args: &[&str]) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rumor"));
        command
            .args(["agent", "-node=a", "-profile=local", "-bind=127.0.0.1:0", "-rpc-addr=127.0.0.1:0"])
            .args(args);
        command.env("NOTIFY_SOCKET", name).env("WATCHDOG_USEC", "100000").env_remove("WATCHDOG_PID");
        let agent = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { agent, socket, heard: Vec::new() }
    }

    /// On a socket at a path in this folder.
    fn at_path(folder: &TempDir, args: &[&str]) -> Self {
        let path = folder.path().join("notify");
        Self::start(UnixDatagram::bind(&path).unwrap(), path.as_os_str(), args)
    }

    /// The next message that is no sign of life.
    fn hears(&mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Signs of life do not end.
            assert!(Instant::now() < deadline, "nothing new: {:?}", self.heard);
            let mut message = [0; 1000];
            let length =
                self.socket.recv(&mut message).unwrap_or_else(|error| panic!("{error}: {:?}", self.heard));
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            if text != "WATCHDOG=1" {
                self.heard.push(text.clone());
                return text;
            }
        }
    }

    /// The next message but for signs of life and lines for people.
    fn hears_news(&mut self) -> String {
        loop {
            let text = self.hears();
            if !text.starts_with("STATUS=") && !text.starts_with("EXTEND_TIMEOUT_USEC=") {
                return text;
            }
        }
    }

    /// Listens until something that begins so was said, unless it was before.
    fn until(&mut self, wanted: &str) {
        while !self.heard.iter().any(|text| text.starts_with(wanted)) {
            self.hears();
        }
    }

    /// Listens until a sign of life comes.
    fn until_alive(&self) {
        let mut message = [0; 1000];
        loop {
            let length = self.socket.recv(&mut message).expect("a sign of life");
            if message[..length] == *b"WATCHDOG=1" {
                return;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.agent), signal).unwrap();
    }

    fn ends(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.agent.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the agent does not end: {:?}", self.heard);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

#[test]
fn a_manager_hears_of_a_whole_life() {
    let folder = TempDir::new().unwrap();
    let told = folder.path().join("told");
    let handler = format!("-event-handler=member-join=env > {0}.new; mv {0}.new {0}", told.display());
    let mut managed = Managed::at_path(&folder, &[&handler]);
    assert_eq!(managed.hears(), "EXTEND_TIMEOUT_USEC=60000000");
    assert_eq!(managed.hears_news(), "READY=1");
    managed.until("STATUS=1 members alive, 0 failed");
    assert_eq!(managed.heard.iter().filter(|text| *text == "READY=1").count(), 1);

    managed.signal(Signal::HUP);
    let reloading = managed.hears_news();
    let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
    assert!(micros.parse::<u64>().is_ok_and(|micros| micros > 0), "{reloading}");
    assert_eq!(managed.hears_news(), "READY=1");

    // A script must not speak for the agent.
    let deadline = Instant::now() + PATIENCE;
    let environment = loop {
        if let Ok(text) = std::fs::read_to_string(&told) {
            break text;
        }
        assert!(Instant::now() < deadline, "no script ran");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(environment.contains("SERF_EVENT=member-join\n"), "{environment}");
    assert!(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG"), "{environment}");

    managed.signal(Signal::INT);
    assert_eq!(managed.hears_news(), "STOPPING=1");
    assert_eq!(managed.ends(), Some(0));
}

#[test]
fn signs_of_life_go_on_and_end_with_the_agent() {
    let name = format!("rumormill-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let mut managed = Managed::start(socket, OsStr::new(&format!("@{name}")), &[]);
    managed.until("READY=1");
    for _ in 0..5 {
        managed.until_alive();
    }
    // Stopped as a machine would stop it: all that was said is read, and then there is silence.
    managed.signal(Signal::STOP);
    managed.socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    while managed.socket.recv(&mut [0; 1000]).is_ok() {}
    managed.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    managed.signal(Signal::CONT);
    managed.until_alive();
    managed.signal(Signal::TERM);
    managed.until("STOPPING=1");
    assert_eq!(managed.ends(), Some(1));
}

#[test]
fn an_agent_is_ready_when_it_has_tried_to_join_and_not_before() {
    let folder = TempDir::new().unwrap();
    // Somebody who takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let join = format!("-retry-join={address}");
    let mut managed = Managed::at_path(&folder, &[&join, "-retry-interval=60s"]);
    managed.until("STATUS=1 members alive, 0 failed");
    // It has reached the one whom it is to join, and is not ready yet.
    let (stream, _) = silent.accept().unwrap();
    managed.socket.set_nonblocking(true).unwrap();
    let mut message = [0; 1000];
    while let Ok(length) = managed.socket.recv(&mut message) {
        assert_ne!(&message[..length], b"READY=1");
    }
    managed.socket.set_nonblocking(false).unwrap();
    drop(stream);
    assert_eq!(managed.hears_news(), "READY=1");
}

#[test]
fn an_agent_that_cannot_start_says_why() {
    let folder = TempDir::new().unwrap();
    let mut managed = Managed::at_path(&folder, &["-join=127.0.0.1:1"]);
    managed.until("STATUS=Failed to join the cluster: ");
    assert_eq!(managed.ends(), Some(1));
    assert!(!managed.heard.iter().any(|text| text == "READY=1"));
}

#[test]
fn a_manager_that_cannot_be_told_is_said_and_the_agent_runs() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let mut agent = Command::new(env!("CARGO_BIN_EXE_rumor"))
        .args(["agent", "-node=a", "-bind=127.0.0.1:0", "-rpc-addr=127.0.0.1:0"])
        .env("NOTIFY_SOCKET", "vsock:2:9")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let text = || std::fs::read_to_string(&log).unwrap_or_default();
    while !text().contains("EventMemberJoin: a") && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = agent.kill();
    agent.wait().unwrap();
    let line = "NOTIFY_SOCKET is \"vsock:2:9\": must begin with / (a path) or @ (an abstract name)";
    assert!(text().contains(line) && text().contains("EventMemberJoin: a"), "{}", text());
}
