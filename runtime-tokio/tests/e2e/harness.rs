//! Agents and commands as processes. Whatever is started here is killed, with all that it started, when its value is dropped.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long an agent lives at most.
const AGENT_SECONDS_MAX: &str = "600";

/// Which of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// Debian's.
    Serf,
    /// Ours.
    Rumor,
}

impl Program {
    /// Where it is.
    pub(crate) fn path(self) -> PathBuf {
        match self {
            Self::Serf => "serf".into(),
            Self::Rumor => std::env::var_os("RUMOR_E2E_PROGRAM")
                .unwrap_or_else(|| env!("CARGO_BIN_EXE_rumor").into())
                .into(),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serf => "serf",
            Self::Rumor => "rumor",
        })
    }
}

/// Waits until a condition holds.
pub(crate) fn wait_until(what: &str, holds: impl FnMut() -> bool) {
    wait_within(PATIENCE, what, holds);
}

/// Waits until a condition holds, which it has to within this time.
pub(crate) fn wait_within(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain for {patience:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A process in a group of its own, which dies with this value.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        for name in
            ["SERF_RPC_ADDR", "SERF_RPC_AUTH", "RUMOR_RPC_ADDR", "RUMOR_RPC_AUTH", "RUMOR_ENCRYPT_KEY"]
        {
            command.env_remove(name);
        }
        let started = command.stdin(Stdio::null()).process_group(0).spawn();
        Self(started.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program())))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Sends a signal to the process and what it has started.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process_group(self.pid(), signal).expect("the process is there until it is waited for");
    }

    /// The agent, where the process is the one that limits an agent's life: its one child.
    pub(crate) fn agent(&self) -> Option<Pid> {
        let id = self.0.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        Pid::from_raw(children.trim().parse().ok()?)
    }

    /// Sends a signal to the agent alone.
    pub(crate) fn signal_agent(&self, signal: Signal) {
        let agent = self.agent().expect("the agent is there until it is waited for");
        kill_process(agent, signal).expect("it is ours");
    }

    /// Memory that the agent has at present, KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let agent = self.agent().map_or(0, Pid::as_raw_pid);
        let status = fs::read_to_string(format!("/proc/{agent}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let figure = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse().ok());
        figure.unwrap_or_else(|| panic!("no memory of the agent {agent}: {status}"))
    }

    /// Its end, if it has come.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child can be waited for")
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let what = format!("process {} ends", self.0.id());
        wait_until(&what, || self.ended().is_some());
        self.ended().expect("it has ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where nobody is left in the group, there is nobody to kill.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// How a command ended.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// Exit status; -1 when a signal killed it.
    pub(crate) exit: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// A command under way, whose output is read as it comes.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let (out, err) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(process.0.stdout.take().expect("it is piped"), Arc::clone(&out)),
            collect(process.0.stderr.take().expect("it is piped"), Arc::clone(&err)),
        ];
        Self { process, out, err, readers }
    }

    /// What it has printed so far.
    pub(crate) fn out(&self) -> String {
        text(&self.out)
    }

    /// Interrupts it as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Ran {
        let exit = self.process.wait().code().unwrap_or(-1);
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        Ran { exit, out: text(&self.out), err: text(&self.err) }
    }
}

fn collect(mut from: impl Read + Send + 'static, to: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut chunk) {
            to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..n]);
        }
    })
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// A client command of a program.
pub(crate) fn command(program: Program, args: &[String]) -> Running {
    Running::start(Command::new(program.path()).args(args))
}

/// A port of the loopback interface that is free for UDP and TCP, and was not given to another test.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let fresh = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if fresh && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What will start a program with a limit to its life: should this test itself be killed, nothing stays behind for long.
pub(crate) fn mortal(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", AGENT_SECONDS_MAX]).arg(program);
    command
}

/// A running agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: String,
    /// Its ports.
    pub(crate) gossip: u16,
    pub(crate) rpc: u16,
    pub(crate) process: Process,
    log: PathBuf,
}

impl Agent {
    /// Starts one on free ports of the loopback interface, and waits until it can be spoken to.
    pub(crate) fn start(program: Program, name: &str, folder: &Path, more: &[String]) -> Self {
        // Between the choice of a port and its use somebody else may take it: again, then.
        for _ in 0..5 {
            let mut agent = Self::launch(program, name, folder, free_port(), more);
            if agent.listens() {
                return agent;
            }
            let log = agent.log();
            assert!(log.contains("address already in use"), "agent {name} of {program}:\n{log}");
        }
        panic!("no port stays free");
    }

    /// Starts one that takes commands at this port.
    pub(crate) fn start_at(program: Program, name: &str, folder: &Path, rpc: u16) -> Self {
        let mut agent = Self::launch(program, name, folder, rpc, &[]);
        assert!(agent.listens(), "agent {name} of {program}:\n{}", agent.log());
        agent
    }

    fn launch(program: Program, name: &str, folder: &Path, rpc: u16, more: &[String]) -> Self {
        let gossip = free_port();
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).expect("the folder is writable");
        let mut command = mortal(program.path());
        command.args(["agent", "-profile=lan", &format!("-node={name}")]);
        command.args([format!("-bind=127.0.0.1:{gossip}"), format!("-rpc-addr=127.0.0.1:{rpc}")]).args(more);
        command.stdout(file.try_clone().expect("a file can be shared")).stderr(file);
        Self { name: name.into(), gossip, rpc, process: Process::start(&mut command), log }
    }

    /// Waits until it listens (true) or has ended.
    fn listens(&mut self) -> bool {
        let mut ended = false;
        wait_until(&format!("agent {} listens", self.name), || {
            ended = self.process.ended().is_some();
            ended || TcpStream::connect(("127.0.0.1", self.rpc)).is_ok()
        });
        !ended
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Memory that it has at present, KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.process.resident_kib()
    }

    /// Where others reach it.
    pub(crate) fn gossip_addr(&self) -> String {
        format!("127.0.0.1:{}", self.gossip)
    }

    /// Where it takes commands.
    pub(crate) fn rpc_addr(&self) -> String {
        format!("127.0.0.1:{}", self.rpc)
    }

    /// Asks it something as Debian's serf does: what for tests only look, not what they test.
    pub(crate) fn ask(&self, args: &[&str]) -> Ran {
        let mut line: Vec<String> = vec![args[0].into(), format!("-rpc-addr={}", self.rpc_addr())];
        line.extend(args[1..].iter().map(|arg| (*arg).into()));
        command(Program::Serf, &line).finish()
    }

    /// How many members it lists, whose line contains this.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.ask(&["members"]).out.lines().filter(|line| line.contains(what)).count()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if thread::panicking() {
            // Shown by the test runner only where the test failed.
            println!("--- log of agent {}\n{}", self.name, self.log());
        }
    }
}

/// A script that answers queries, as an event handler: `load` with its name and what was asked, `lines` with several lines.
pub(crate) fn handler(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("handler.sh");
    if !path.exists() {
        let text = "#!/bin/sh\ncase \"$SERF_QUERY_NAME\" in\nload) echo \"$SERF_SELF_NAME has $(cat)\" ;;\n\
                    lines) printf 'one\\ntwo\\n\\n' ;;\nesac\n";
        fs::write(&path, text).expect("the folder is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    format!("query={}", path.display())
}
