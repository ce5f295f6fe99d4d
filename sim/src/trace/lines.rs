//! A recording as lines for people and as JSON for programs.

use anstyle::{AnsiColor, Style};

use super::entry::{Entry, Fate, Packet, What};
use super::filter::{Filter, Kind};
use super::recorder::Recording;
use super::words;
use crate::scenario::Scenario;
use crate::truth::node_name;

/// One happening, in words.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Line {
    /// Seconds since t = 0.
    pub time: f64,
    /// At which node; absent: to the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Of which kind, see [`Kind::name`].
    pub kind: &'static str,
    /// What happened.
    pub what: String,
    /// What made the node do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// The packet or segment that was sent, held back or arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet: Option<PacketLine>,
    #[serde(skip)]
    mood: Mood,
}

/// What a [`Line`] says of a packet.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct PacketLine {
    /// Its number in the recording: the same where it is sent and where it arrives.
    pub number: u32,
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// When it left, seconds; absent: it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<f64>,
    /// The millisecond in which it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<u64>,
    /// Its number among the link's packets of that millisecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u16>,
    /// Its length, bytes.
    pub bytes: u32,
    /// What became of it.
    pub fate: String,
}

/// What a line's colour tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Plain,
    Good,
    Doubt,
    Bad,
    Stage,
}

impl Mood {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Doubt => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Stage => AnsiColor::Cyan.on_default(),
        }
    }
}

/// The lines of a recording, in order. Of faults, which are recorded always, those that the filter means.
pub fn lines<'a>(
    scenario: &'a Scenario,
    recording: &'a Recording,
    filter: &'a Filter,
) -> impl Iterator<Item = Line> + 'a {
    let mask = filter.mask();
    let meant = move |entry: &&Entry| match &entry.what {
        What::FaultBegins { nodes, .. } => {
            mask & Kind::Fault.bit() != 0 && entry.time >= filter.from && filter.has_node(nodes)
        }
        What::FaultEnds { .. } => mask & Kind::Fault.bit() != 0 && entry.time >= filter.from,
        _ => true,
    };
    recording.entries.iter().filter(meant).map(move |entry| line(scenario, recording, entry))
}

fn line(scenario: &Scenario, recording: &Recording, entry: &Entry) -> Line {
    let (kind, what, packet, about) = match &entry.what {
        What::Sent(number) | What::Held(number) | What::Arrived(number) => {
            match recording.packets.get(*number as usize) {
                Some(packet) => of_packet(scenario, entry, *number, packet),
                None => (entry.what.kind(), String::new(), None, Vec::new()),
            }
        }
        what => {
            let about = what.subject().map(node_name).into_iter().collect();
            (what.kind(), words::what(scenario, entry.health, what), None, about)
        }
    };
    Line {
        time: entry.time as f64 / 1e9,
        node: entry.node.map(node_name),
        kind: kind.name(),
        what,
        cause: match entry.what {
            // Who sent it stands there already, and a deadline is its own cause.
            What::Arrived(_) | What::Tick(_) => None,
            _ => words::cause(entry.cause, &recording.packets),
        },
        about,
        packet,
        mood: mood(entry, recording),
    }
}

fn of_packet(
    scenario: &Scenario,
    entry: &Entry,
    number: u32,
    packet: &Packet,
) -> (Kind, String, Option<PacketLine>, Vec<String>) {
    let load = words::load(packet);
    let fate = words::fate(scenario, packet);
    let (kind, what) = match entry.what {
        What::Held(_) => (Kind::Packet, format!("-| {}  {load}; cannot send", node_name(packet.to))),
        What::Arrived(_) => {
            let sent = packet.sent.unwrap_or(packet.wanted);
            let took = words::span(entry.time.saturating_sub(sent));
            (Kind::Arrival, format!("<- {}  {load}; sent {took} ago", node_name(packet.from)))
        }
        _ => (packet.kind(), format!("-> {}  {load}; {} B, {fate}", node_name(packet.to), packet.bytes)),
    };
    let mut about: Vec<u32> = packet.said.iter().filter_map(super::Said::subject).collect();
    about.sort_unstable();
    about.dedup();
    let line = PacketLine {
        number,
        from: node_name(packet.from),
        to: node_name(packet.to),
        sent: packet.sent.map(|sent| sent as f64 / 1e9),
        slot: packet.key.map(|key| key.slot),
        ordinal: packet.key.map(|key| key.ordinal),
        bytes: packet.bytes,
        fate,
    };
    (kind, what, Some(line), about.into_iter().map(node_name).collect())
}

fn mood(entry: &Entry, recording: &Recording) -> Mood {
    match &entry.what {
        What::Sent(number) => match recording.packets.get(*number as usize).map(|packet| packet.fate) {
            Some(Fate::Arrives(_)) | None => Mood::Plain,
            Some(Fate::Spared(_)) => Mood::Good,
            Some(_) => Mood::Bad,
        },
        What::Held(_) | What::Suspected { .. } | What::Confirmed { .. } | What::ProbeFailed { .. } => {
            Mood::Doubt
        }
        What::DeclaredDead { .. } | What::Failed { .. } | What::Rejected(_) | What::Shed(_) => Mood::Bad,
        What::Refuted { .. } | What::ProbeAnswered { .. } => Mood::Good,
        What::FaultBegins { .. } | What::FaultEnds { .. } | What::Presence(_) => Mood::Stage,
        What::Arrived(_) | What::Tick(_) | What::Applied { .. } | What::Event { .. } => Mood::Plain,
    }
}

impl Line {
    /// The line as text, its node padded to so many columns.
    #[must_use]
    pub fn text(&self, node_width: usize, colour: bool) -> String {
        let node = self.node.as_deref().unwrap_or("cluster");
        let paint = |style: Style, text: &str| {
            if colour && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
        };
        let what = paint(self.mood.style(), &self.what);
        let cause = self.cause.as_ref().map_or_else(String::new, |cause| format!("  [{cause}]"));
        let cause = paint(Style::new().dimmed(), &cause);
        format!("{:>12.6}  {node:node_width$}  {what}{cause}", self.time)
    }
}
