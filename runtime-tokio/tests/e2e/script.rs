//! What is said and done: one script for any agent and any client.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{self, Agent, Program, Ran, Running, command, wait_until};
use crate::transcript::{Entry, Kind, Normaliser, Transcript};

/// Keys of the clusters, and one that none has at first.
const KEY: &str = "JuiKPBTCMllTcMcVGh9fjgsGmD62CdjVHKNMVsteE2o=";
const NEW_KEY: &str = "HQ37hWa7O1ZF7dV+mGCzsbQ4DO7aQ8h1EPFEYtUWfkw=";

/// Whose doing a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// That of our agent, whoever asks.
    Agent,
    /// That of our command, whomever it asks.
    Command,
}
use Side::{Agent as OurAgent, Command as OurCommand};

struct Session {
    agent: Program,
    client: Program,
    folder: TempDir,
    names: Normaliser,
    transcript: Transcript,
}

/// Performs the script: agents of one program, commands of another.
pub(crate) fn perform(agent: Program, client: Program) -> Transcript {
    let folder = TempDir::new().expect("there is room for a folder");
    let (names, transcript) = Default::default();
    let mut session = Session { agent, client, folder, names, transcript };
    session.alone();
    session.guarded();
    session.cluster();
    session.transcript
}

impl Session {
    fn start(&mut self, name: &str, more: &[&str]) -> Agent {
        let more: Vec<String> = more.iter().map(|arg| (*arg).into()).collect();
        let agent = Agent::start(self.agent, name, self.folder.path(), &more);
        self.names.name_port(agent.gossip, format!("<{name}>"));
        self.names.name_port(agent.rpc, format!("<rpc of {name}>"));
        agent
    }

    /// A file in the session's folder.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("the folder is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        path.display().to_string()
    }

    fn running(&self, at: &Agent, line: &[&str]) -> Running {
        let mut args: Vec<String> = vec![line[0].into(), format!("-rpc-addr={}", at.rpc_addr())];
        args.extend(line[1..].iter().map(|arg| (*arg).into()));
        command(self.client, &args)
    }

    fn note(&mut self, line: &[&str], kind: Kind, ran: &Ran) -> &mut Entry {
        let text = self.names.normalise(self.client, kind, ran);
        let name = self.names.normalise(
            Program::Serf,
            Kind::Exact,
            &Ran { exit: 0, out: line.join(" "), err: String::new() },
        );
        self.transcript.0.push(Entry { name, exit: ran.exit, text, otherwise: None });
        self.transcript.0.last_mut().expect("it was just put there")
    }

    /// One command, which has to do what Serf's does.
    fn step(&mut self, at: &Agent, line: &[&str], kind: Kind) {
        let mut ran = self.running(at, line).finish();
        // On a busy machine a question may get lost.
        for _ in 0..3 {
            if line[0] == "reachability" && ran.exit != 0 {
                ran = self.running(at, line).finish();
            }
        }
        // As its time runs out, Serf's agent now and then brings an answer of nobody.
        let of_nobody =
            |ran: &Ran| ran.exit == 0 && ["from ''", "\"\""].iter().any(|nobody| ran.out.contains(nobody));
        for _ in 0..5 {
            if line[0] == "query" && of_nobody(&ran) {
                ran = self.running(at, line).finish();
            }
        }
        self.note(line, kind, &ran);
    }

    /// One command, which on purpose does something else, as the table of differences says.
    fn step_but(
        &mut self,
        at: &Agent,
        line: &[&str],
        kind: Kind,
        (side, id): (Side, &str),
        exit: i32,
        text: &str,
    ) {
        let table = include_str!("../../../README.md");
        assert!(table.contains(&format!("| {id} |")), "the table of differences has no line {id}");
        let ours = match side {
            OurAgent => self.agent,
            OurCommand => self.client,
        };
        let ran = self.running(at, line).finish();
        let entry = self.note(line, kind, &ran);
        if ours == Program::Rumor {
            entry.otherwise = Some((exit, text.into()));
        }
    }

    /// An agent without keys and without peers.
    fn alone(&mut self) {
        let a = self.start("alone", &[]);
        self.step(&a, &["members"], Kind::Exact);
        self.step(&a, &["members", "-format=json"], Kind::Exact);
        self.step(&a, &["keys", "-list"], Kind::Reason);
        self.step(&a, &["rtt", "alone"], Kind::Exact);
        self.step(&a, &["reachability"], Kind::Exact);
        self.step(&a, &["leave"], Kind::Exact);
        let nobody = a;
        wait_until("nobody listens", || std::net::TcpStream::connect(nobody.rpc_addr()).is_err());
        for line in [&["members"][..], &["event", "x"], &["leave"], &["monitor"], &["reachability"]] {
            let ran = self.running(&nobody, line).finish();
            self.note(line, Kind::Reason, &ran);
        }
    }

    /// An agent that wants a token.
    fn guarded(&mut self) {
        let file = self.file("auth.json", r#"{"rpc_auth": "sesame"}"#);
        let a = self.start("guarded", &["-config-file", &file]);
        self.step(&a, &["members", "-rpc-auth=sesame"], Kind::Exact);
        self.step(&a, &["members", "-rpc-auth=simsim"], Kind::Exact);
        self.step(&a, &["members"], Kind::Exact);
        self.step(&a, &["event", "x"], Kind::Exact);
        self.step(&a, &["event", "-rpc-auth", "sesame", "x"], Kind::Exact);
    }

    /// Three agents, and for a while a fourth.
    fn cluster(&mut self) {
        let handler = harness::handler(self.folder.path());
        let keyring =
            |session: &Self, name: &str| session.file(&format!("{name}.keys"), &format!("[\"{KEY}\"]"));
        let rings = ["a", "b", "c", "d"].map(|name| keyring(self, name));
        let a = self.start(
            "a",
            &["-tag", "role=web", "-tag", "zone=x", "-event-handler", &handler, "-keyring-file", &rings[0]],
        );
        let seed = a.gossip_addr();
        let mut b =
            self.start("b", &["-event-handler", &handler, "-keyring-file", &rings[1], "-join", &seed]);
        let c = self.start("c", &["-tag", "role=db", "-keyring-file", &rings[2], "-join", &seed]);
        for agent in [&a, &b, &c] {
            wait_until("all three know each other", || agent.count(" alive") == 3);
        }
        self.members(&a);
        self.coordinates(&a);
        self.events(&a);
        self.queries(&a);
        self.keys(&a);
        self.usage(&a);
        self.step(&a, &["info"], Kind::Figures);
        self.step(&a, &["info", "-format=json"], Kind::Figures);
        self.step(&a, &["reachability", "-verbose"], Kind::Lines);
        self.joining_and_failing(&a, &b, &rings[3]);
        self.tags(&a);
        self.leaving(&a, &mut b);
    }

    fn members(&mut self, a: &Agent) {
        self.step(a, &["members"], Kind::Lines);
        self.step(a, &["members", "-detailed"], Kind::Lines);
        self.step(a, &["members", "-format=json"], Kind::Lines);
        self.step(a, &["members", "-format", "json", "-name=b"], Kind::Exact);
        self.step(a, &["members", "--detailed", "--name", "b"], Kind::Exact);
        self.step(a, &["members", "-tag", "role=d.*"], Kind::Exact);
        self.step(a, &["members", "-name=\\w", "-status=[[:alpha:]]+|\\d"], Kind::Lines);
        self.step(a, &["members", "-status=alive", "-tag=role=web", "-tag=zone=x"], Kind::Exact);
        let none = (OurCommand, "members-no-match");
        self.step_but(a, &["members", "-status=failed"], Kind::Exact, none, 0, "");
        // Anchored: no part of the name is enough.
        self.step_but(a, &["members", "-name=x"], Kind::Exact, none, 0, "");
        self.step(a, &["members", "-status=failed", "-format=json"], Kind::Exact);
        self.step(a, &["members", "-name=("], Kind::Reason);
    }

    fn coordinates(&mut self, a: &Agent) {
        for pair in [["a", "b"], ["a", "c"]] {
            wait_until("round trips are known", || a.ask(&["rtt", pair[0], pair[1]]).exit == 0);
        }
        self.step(a, &["rtt", "b"], Kind::Exact);
        self.step(a, &["rtt", "a", "c"], Kind::Exact);
        self.step(a, &["rtt", "nobody"], Kind::Exact);
        self.step(a, &["rtt", "a", "nobody"], Kind::Exact);
    }

    fn events(&mut self, a: &Agent) {
        self.step(a, &["event", "deploy"], Kind::Exact);
        self.step(a, &["event", "-coalesce=false", "deploy", "v1 of it"], Kind::Exact);
        let long = "x".repeat(600);
        self.step(a, &["event", &long], Kind::Exact);
        self.step(a, &["event", "big", &"x".repeat(505)], Kind::Exact);
        self.step(a, &["query", "big", &"x".repeat(1600)], Kind::Exact);
        self.step(a, &["tags", "-set", &format!("big={long}")], Kind::Exact);
    }

    fn queries(&mut self, a: &Agent) {
        let timeout = "-timeout=1s";
        self.step(a, &["query", timeout, "load", "to carry"], Kind::Lines);
        self.step(a, &["query", timeout, "-format=json", "load"], Kind::Lines);
        self.step(a, &["query", timeout, "-no-ack", "load"], Kind::Lines);
        self.step(a, &["query", timeout, "-no-ack", "-format=json", "load"], Kind::Lines);
        self.step(a, &["query", timeout, "-node=b", "lines"], Kind::Lines);
        self.step(a, &["query", timeout, "-node=b", "-format=json", "lines"], Kind::Exact);
        self.step(a, &["query", timeout, "-tag", "role=web", "load"], Kind::Lines);
        self.step(a, &["query", timeout, "-node=nobody", "load"], Kind::Exact);
        self.step(a, &["query", timeout, "-node=nobody", "-format=json", "load"], Kind::Exact);
        self.step(a, &["query", "_serf_internal"], Kind::Exact);
        self.step(a, &["query", "_serf_ping", "with a payload"], Kind::Exact);
    }

    fn keys(&mut self, a: &Agent) {
        self.step(a, &["keys", "-list"], Kind::Lines);
        self.step(a, &["keys", "-install", NEW_KEY], Kind::Exact);
        self.step(a, &["keys", "-list"], Kind::Lines);
        self.step(a, &["keys", "-use", NEW_KEY], Kind::Exact);
        self.step(a, &["keys", "-remove", KEY], Kind::Exact);
        self.step(a, &["keys", "-list"], Kind::Lines);
        self.step(a, &["keys", "-remove", NEW_KEY], Kind::Members);
        self.step(a, &["keys", "-use", KEY], Kind::Members);
        self.step(a, &["keys", "-install", "AAAA"], Kind::Reason);
        self.step(a, &["keys", "-install", "!"], Kind::Reason);
    }

    fn tags(&mut self, a: &Agent) {
        self.step(a, &["tags", "-set", "role=lb", "-set", "k=a=b", "-delete", "zone"], Kind::Exact);
        self.step(a, &["members", "-name=a"], Kind::Exact);
        self.step(a, &["tags", "-delete", "nosuch", "-set", "odd=<&>\u{8}\ttab"], Kind::Exact);
        self.step(a, &["members", "-name=a", "-format=json"], Kind::Exact);
        self.step(a, &["tags", "-delete", "odd"], Kind::Exact);
    }

    fn usage(&mut self, a: &Agent) {
        for line in [
            &["event"][..],
            &["event", "a", "b", "c"],
            &["query"],
            &["query", "-timeout=x", "load"],
            &["query", "-format=xml", "load"],
            &["query", "-relay-factor=300", "load"],
            &["query", "-tag=x", "load"],
            &["members", "-format=xml"],
            &["members", "-tag", "role"],
            &["members", "-nosuch"],
            &["join"],
            &["force-leave"],
            &["keys"],
            &["keys", "-list", "-use", KEY],
            &["tags"],
            &["tags", "-set", "x"],
            &["rtt"],
            &["rtt", "a", "b", "c"],
            &["info", "-format=xml"],
            &["monitor", "-log-level=nosuch"],
        ] {
            self.step(a, line, Kind::Usage);
        }
    }

    /// A monitor sees how a fourth agent comes; then it is killed, and taken for one that left.
    fn joining_and_failing(&mut self, a: &Agent, b: &Agent, ring: &str) {
        let line = ["monitor", "-log-level=err"];
        let monitor = self.running(a, &line);
        wait_until("the monitor shows events", || {
            a.ask(&["event", "-coalesce=false", "ready"]);
            monitor.out().contains("\"ready\"")
        });
        a.ask(&["event", "-coalesce=false", "deploy", "v1\n"]);
        a.ask(&["event", "-coalesce=false", "empty"]);
        a.ask(&["query", "-timeout=1s", "-no-ack", "load", "q"]);
        b.ask(&["tags", "-set", "rack=7"]);
        wait_until("the monitor shows the new tag", || monitor.out().contains("member-update"));
        let d = self.start("d", &["-tag", "role=db", "-keyring-file", ring]);
        // The cluster has another key by now.
        self.step(a, &["join", &d.gossip_addr()], Kind::Reason);
        fs::write(ring, format!("[\"{NEW_KEY}\"]")).expect("the folder is writable");
        drop(d);
        let d = self.start("d", &["-tag", "role=db", "-keyring-file", ring]);
        self.step(a, &["join", &d.gossip_addr()], Kind::Exact);
        wait_until("the monitor shows the join", || monitor.out().contains("member-join"));
        monitor.interrupt();
        let ran = monitor.finish();
        self.note(&line, Kind::Events, &ran);

        let nobody = format!("127.0.0.1:{}", harness::free_port());
        self.step(a, &["join", &nobody], Kind::Reason);
        let one_of_two = (OurCommand, "join-warns");
        let text = "Successfully joined cluster by contacting 1 nodes.\n\
                    warning: 1 of 2 addresses did not answer; the agent's log says why";
        self.step_but(a, &["join", &d.gossip_addr(), &nobody], Kind::Exact, one_of_two, 0, text);

        d.process.signal(Signal::KILL);
        wait_until("the killed one is failed", || a.count(" failed") == 1);
        self.step(a, &["members"], Kind::Lines);
        self.step(a, &["members", "-status=failed", "-format=json"], Kind::Exact);
        self.step(a, &["reachability"], Kind::Exact);
        self.unknown(a);
        self.step(a, &["force-leave", "d"], Kind::Exact);
        wait_until("the killed one has left", || a.count(" left") == 1);
        self.step(a, &["members"], Kind::Lines);
        self.step(a, &["force-leave", "-prune", "d"], Kind::Exact);
        wait_until("the killed one is forgotten", || a.count("127.0.0.1:") == 3);
        self.step(a, &["members"], Kind::Lines);
    }

    /// Both of ours say that there is nobody of that name, each in its own words.
    fn unknown(&mut self, a: &Agent) {
        let line = ["force-leave", "nobody"];
        let side = if self.client == Program::Rumor { OurCommand } else { OurAgent };
        self.step_but(a, &line, Kind::Reason, (side, "force-leave-unknown"), 1, "Error force leaving");
    }

    fn leaving(&mut self, a: &Agent, b: &mut Agent) {
        let line = ["monitor", "-log-level=err"];
        let monitor = self.running(b, &line);
        wait_until("the monitor shows events", || {
            b.ask(&["event", "-coalesce=false", "ready"]);
            monitor.out().contains("\"ready\"")
        });
        self.step(b, &["leave"], Kind::Exact);
        let ran = monitor.finish();
        let ended = ran.exit;
        self.note(&line, Kind::Usage, &ran);
        assert_eq!(ended, 1, "a monitor whose agent went away has failed");
        assert!(b.process.wait().success(), "an agent that left has not failed");
        wait_until("the other has left", || a.count(" left") == 1);
        self.step(a, &["members"], Kind::Lines);
    }
}
