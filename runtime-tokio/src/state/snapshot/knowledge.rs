//! What a snapshot knows, and the lines that say so (facts 2.16).
//!
//! Each line is true by itself, so that a file cut after any line says what was true at some moment. Serf reads the same file:
//! what only we say stands in lines that it takes for comments. A failed member is announced before it is taken off the list
//! of the living (`# failed:`, then `not-alive:`), so that no cut forgets it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use rumormill_core::id::{Incarnation, LamportTime, NodeName};
use rumormill_core::wire::Clocks;

/// Members that are kept, alive and failed together: as many as a node's table may have.
pub(super) const MEMBERS_MAX: usize = 1 << 20;

/// What is known of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Knowledge {
    pub(super) alive: BTreeMap<String, SocketAddr>,
    pub(super) failed: BTreeMap<String, SocketAddr>,
    pub(super) clocks: Clocks,
    pub(super) incarnation: Incarnation,
    /// Whether the node left, and has met nobody since.
    pub(super) left: bool,
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Alive(SocketAddr),
    Failed(SocketAddr),
    Gone,
}

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Alive(&'a str, SocketAddr),
    NotAlive(&'a str),
    Clock(LamportTime),
    EventClock(LamportTime),
    QueryClock(LamportTime),
    Leave,
    /// Ours, a comment to Serf.
    Failed(&'a str, SocketAddr),
    /// Ours, a comment to Serf: takes a member off the list of the failed.
    Gone(&'a str),
    /// Ours, a comment to Serf.
    Incarnation(Incarnation),
    /// A comment, or what Serf once wrote and no longer reads.
    Nothing,
}

impl<'a> Line<'a> {
    /// What a line says, its end apart.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(line: &'a str) -> Result<Self, &'static str> {
        if let Some(comment) = line.strip_prefix('#') {
            return Self::parse_comment(comment);
        }
        if line == "leave" {
            return Ok(Self::Leave);
        }
        let (key, value) = line.split_once(": ").ok_or("it is none of the lines that a snapshot has")?;
        match key {
            "alive" => placed(value).map(|(name, addr)| Self::Alive(name, addr)),
            "not-alive" => named(value).map(Self::NotAlive),
            "clock" => time(value).map(Self::Clock),
            "event-clock" => time(value).map(Self::EventClock),
            "query-clock" => time(value).map(Self::QueryClock),
            "coordinate" => Ok(Self::Nothing),
            _ => Err("it is none of the lines that a snapshot has"),
        }
    }

    fn parse_comment(comment: &'a str) -> Result<Self, &'static str> {
        let Some((key, value)) = comment.trim_start().split_once(": ") else { return Ok(Self::Nothing) };
        match key {
            "failed" => placed(value).map(|(name, addr)| Self::Failed(name, addr)),
            "gone" => named(value).map(Self::Gone),
            "incarnation" => {
                value.parse().map(|n| Self::Incarnation(Incarnation(n))).map_err(|_| "it has no number")
            }
            _ => Ok(Self::Nothing),
        }
    }
}

/// `NAME ADDR:PORT`; the name may have spaces.
fn placed(value: &str) -> Result<(&str, SocketAddr), &'static str> {
    let (name, addr) = value.rsplit_once(' ').ok_or("it has no address")?;
    let addr: SocketAddr = addr.parse().map_err(|_| "its address is none")?;
    if addr.ip().is_unspecified() || addr.port() == 0 {
        return Err("its address cannot be reached");
    }
    Ok((named(name)?, addr))
}

fn named(name: &str) -> Result<&str, &'static str> {
    NodeName::check(name).map(|()| name).map_err(|_| "its name is no node name")
}

fn time(value: &str) -> Result<LamportTime, &'static str> {
    match value.parse().map(LamportTime) {
        Ok(time) if time <= LamportTime::MAX => Ok(time),
        Ok(_) => Err("its time is beyond 2^63"),
        Err(_) => Err("it has no number"),
    }
}

impl Knowledge {
    /// Takes what a line says. `keep_after_leave`: a leave forgets nothing.
    ///
    /// # Errors
    /// There are too many members.
    pub(super) fn apply(&mut self, line: &Line<'_>, keep_after_leave: bool) -> Result<(), &'static str> {
        match *line {
            Line::Alive(name, addr) => {
                self.left = false;
                self.failed.remove(name);
                add(&mut self.alive, self.failed.len(), name, addr)
            }
            Line::Failed(name, addr) => {
                self.alive.remove(name);
                add(&mut self.failed, self.alive.len(), name, addr)
            }
            Line::NotAlive(name) => {
                self.alive.remove(name);
                Ok(())
            }
            Line::Gone(name) => {
                self.failed.remove(name);
                Ok(())
            }
            Line::Incarnation(incarnation) => {
                self.incarnation = self.incarnation.max(incarnation);
                Ok(())
            }
            Line::Leave => {
                self.left = true;
                if !keep_after_leave {
                    let incarnation = self.incarnation;
                    *self = Self { incarnation, left: true, ..Self::default() };
                }
                Ok(())
            }
            Line::Clock(time) => self.witness(Clocks { member: time, ..Clocks::default() }, keep_after_leave),
            Line::EventClock(time) => {
                self.witness(Clocks { event: time, ..Clocks::default() }, keep_after_leave)
            }
            Line::QueryClock(time) => {
                self.witness(Clocks { query: time, ..Clocks::default() }, keep_after_leave)
            }
            Line::Nothing => Ok(()),
        }
    }

    /// Serf may write a clock after its leave; in a cluster that was left it means nothing.
    fn witness(&mut self, seen: Clocks, keep_after_leave: bool) -> Result<(), &'static str> {
        if !self.left || keep_after_leave {
            self.clocks = later(self.clocks, seen);
        }
        Ok(())
    }

    /// Takes a member's fate, and appends the lines that say so; none when it is known already.
    pub(super) fn settle(&mut self, name: &str, fate: Fate, lines: &mut String) {
        match fate {
            Fate::Alive(addr) => {
                if self.alive.get(name) == Some(&addr) || self.is_full_for(name) {
                    return;
                }
                self.failed.remove(name);
                self.alive.insert(name.into(), addr);
                put(lines, format_args!("alive: {name} {addr}"));
            }
            Fate::Failed(addr) => {
                if self.failed.get(name) == Some(&addr) || self.is_full_for(name) {
                    return;
                }
                self.failed.insert(name.into(), addr);
                put(lines, format_args!("# failed: {name} {addr}"));
                if self.alive.remove(name).is_some() {
                    put(lines, format_args!("not-alive: {name}"));
                }
            }
            Fate::Gone => {
                if self.alive.remove(name).is_some() {
                    put(lines, format_args!("not-alive: {name}"));
                }
                if self.failed.remove(name).is_some() {
                    put(lines, format_args!("# gone: {name}"));
                }
            }
        }
    }

    /// Takes clocks, and appends lines for those that grew.
    pub(super) fn advance(&mut self, seen: Clocks, lines: &mut String) {
        let before = self.clocks;
        self.clocks = later(before, seen);
        clock_lines(before, self.clocks, lines);
    }

    /// Takes an incarnation, and appends a line if it grew.
    pub(super) fn announce(&mut self, incarnation: Incarnation, lines: &mut String) {
        if incarnation > self.incarnation {
            self.incarnation = incarnation;
            put(lines, format_args!("# incarnation: {}", incarnation.0));
        }
    }

    /// All of it, in as few lines as say it.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        if self.incarnation > Incarnation::default() {
            put(&mut lines, format_args!("# incarnation: {}", self.incarnation.0));
        }
        for (name, addr) in &self.failed {
            put(&mut lines, format_args!("# failed: {name} {addr}"));
        }
        for (name, addr) in &self.alive {
            put(&mut lines, format_args!("alive: {name} {addr}"));
        }
        clock_lines(Clocks::default(), self.clocks, &mut lines);
        if self.left {
            lines.push_str("leave\n");
        }
        lines
    }

    pub(super) fn members(&self) -> usize {
        self.alive.len() + self.failed.len()
    }

    fn is_full_for(&self, name: &str) -> bool {
        self.members() >= MEMBERS_MAX && !self.alive.contains_key(name) && !self.failed.contains_key(name)
    }
}

fn add(
    map: &mut BTreeMap<String, SocketAddr>,
    others: usize,
    name: &str,
    addr: SocketAddr,
) -> Result<(), &'static str> {
    if map.len() + others >= MEMBERS_MAX && !map.contains_key(name) {
        return Err("there are too many members");
    }
    map.insert(name.into(), addr);
    Ok(())
}

/// The later of each clock.
pub(super) fn later(a: Clocks, b: Clocks) -> Clocks {
    Clocks { member: a.member.max(b.member), event: a.event.max(b.event), query: a.query.max(b.query) }
}

fn clock_lines(before: Clocks, after: Clocks, lines: &mut String) {
    let clocks = [
        ("clock", before.member, after.member),
        ("event-clock", before.event, after.event),
        ("query-clock", before.query, after.query),
    ];
    for (key, before, after) in clocks {
        if after > before {
            put(lines, format_args!("{key}: {}", after.0));
        }
    }
}

fn put(lines: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(lines, "{line}");
}
