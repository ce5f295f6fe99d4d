//! What applications said to each other: user events, queries, new tags, changed keys.

use std::collections::{BTreeMap, HashMap};

use super::owed::{Claims, NodeSet};
use crate::record::{Ratio, Sample};

const SECOND: f64 = 1e9;

/// A user event under way.
#[derive(Debug)]
struct EventSent {
    at: u64,
    owed: NodeSet,
    reached: u64,
}

/// A query under way.
#[derive(Debug)]
struct Asked {
    at: u64,
    owed: NodeSet,
    answered: u64,
    last: u64,
}

/// New tags under way.
#[derive(Debug)]
struct Announced {
    at: u64,
    meta: Vec<u8>,
    owed: NodeSet,
    /// The first report and the last.
    reports: Option<(u64, u64)>,
}

/// The meters of what applications say. A thing said is owed to whoever is up, undisturbed and connected to its sender from then on.
#[derive(Debug)]
pub struct Said {
    /// Who may still claim what was sent.
    pub claims: Claims,
    events: BTreeMap<u64, EventSent>,
    /// Which events each node has been given in its present life.
    heard: Vec<NodeSet>,
    event_latency: Vec<Sample>,
    coverage: Ratio,
    all: Ratio,
    sent: u64,
    busy: u64,
    duplicates: u64,
    queries: HashMap<u64, Asked>,
    query_latency: Vec<Sample>,
    query_coverage: Ratio,
    asked: u64,
    announced: HashMap<u32, Announced>,
    update: Vec<Sample>,
    rotations: Vec<Sample>,
    /// Events and queries that were metered at all.
    has_events: bool,
    has_queries: bool,
}

impl Said {
    /// Nothing was said among so many nodes.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self {
            claims: Claims::new(nodes),
            events: BTreeMap::new(),
            heard: vec![NodeSet::default(); nodes],
            event_latency: Vec::new(),
            coverage: Ratio::default(),
            all: Ratio::default(),
            sent: 0,
            busy: 0,
            duplicates: 0,
            queries: HashMap::new(),
            query_latency: Vec::new(),
            query_coverage: Ratio::default(),
            asked: 0,
            announced: HashMap::new(),
            update: Vec::new(),
            rotations: Vec::new(),
            has_events: false,
            has_queries: false,
        }
    }

    /// A process starts: it has heard nothing, and what was sent before is not for it.
    pub fn born(&mut self, node: u32, now: u64) {
        self.heard[node as usize].clear();
        self.claims.lose(node, now);
    }

    /// A user event was sent. `owed` without its sender; metered or not.
    pub fn event_sent(&mut self, serial: u64, owed: NodeSet, now: u64, metered: bool) {
        self.has_events |= metered;
        if metered {
            self.sent += 1;
            self.events.insert(serial, EventSent { at: now, owed, reached: 0 });
        }
    }

    /// A user event was refused after all: it is owed to nobody.
    pub fn event_refused(&mut self, serial: u64, metered: bool) {
        self.busy += u64::from(metered);
        self.sent -= u64::from(self.events.remove(&serial).is_some());
    }

    /// A node's application was given an event; whether it was for the first time in its present life.
    pub fn event_heard(&mut self, node: u32, serial: u64, now: u64) -> bool {
        // Serial numbers are dense, so that a set of them is as compact as one of nodes.
        let new = self.heard[node as usize].insert(serial as u32);
        if !new {
            self.duplicates += 1;
            return false;
        }
        if let Some(event) = self.events.get_mut(&serial)
            && event.owed.remove(node)
            && self.claims.stand(node, event.at)
        {
            event.reached += 1;
            let value = (now - event.at) as f64 / SECOND;
            self.event_latency.push(Sample { value, censored: false });
            if event.owed.is_empty() {
                self.close_event(serial);
            }
        }
        true
    }

    fn close_event(&mut self, serial: u64) {
        let Some(event) = self.events.remove(&serial) else { return };
        let missed = self.claims.standing(&event.owed, event.at);
        self.coverage.hits += event.reached;
        self.coverage.of += event.reached + missed;
        self.all.hits += u64::from(missed == 0);
        self.all.of += 1;
    }

    /// Whether somebody is still owed an event that was accepted.
    #[must_use]
    pub fn owes_events(&self) -> Option<u64> {
        let owing = |event: &EventSent| self.claims.standing(&event.owed, event.at) > 0;
        self.events.iter().find(|(_, event)| owing(event)).map(|(serial, _)| *serial)
    }

    /// A query was asked.
    pub fn asked(&mut self, command: u64, owed: NodeSet, now: u64, metered: bool) {
        self.has_queries |= metered;
        if metered {
            self.asked += 1;
            self.queries.insert(command, Asked { at: now, owed, answered: 0, last: now });
        }
    }

    /// An answer to a query came.
    pub fn answered(&mut self, command: u64, from: u32, now: u64) {
        if let Some(asked) = self.queries.get_mut(&command)
            && asked.owed.remove(from)
            && self.claims.stand(from, asked.at)
        {
            asked.answered += 1;
            asked.last = now;
        }
    }

    /// A query has ended.
    pub fn query_over(&mut self, command: u64) {
        let Some(asked) = self.queries.remove(&command) else { return };
        let missed = self.claims.standing(&asked.owed, asked.at);
        self.query_coverage.hits += asked.answered;
        self.query_coverage.of += asked.answered + missed;
        if asked.answered > 0 {
            let value = (asked.last - asked.at) as f64 / SECOND;
            self.query_latency.push(Sample { value, censored: false });
        }
    }

    /// A node announces new tags; what it announced before and not all know yet does not count: nobody can learn it any more.
    pub fn announced(&mut self, node: u32, meta: Vec<u8>, owed: NodeSet, now: u64, metered: bool) {
        self.announced.remove(&node);
        if metered && !owed.is_empty() {
            self.announced.insert(node, Announced { at: now, meta, owed, reports: None });
        }
    }

    /// A node's application was told of a member's tags.
    pub fn updated(&mut self, observer: u32, subject: u32, meta: &[u8], now: u64) {
        let Some(change) = self.announced.get_mut(&subject).filter(|change| change.meta == meta) else {
            return;
        };
        if change.owed.remove(observer) && self.claims.stand(observer, change.at) {
            let first = change.reports.map_or(now, |(first, _)| first);
            change.reports = Some((first, now));
            if change.owed.is_empty() {
                self.close_announcement(subject, now);
            }
        }
    }

    fn close_announcement(&mut self, node: u32, now: u64) {
        let Some(change) = self.announced.remove(&node) else { return };
        let missed = self.claims.standing(&change.owed, change.at) > 0;
        match change.reports {
            Some((first, last)) => {
                let end = if missed { now } else { last };
                self.update.push(Sample { value: (end - first) as f64 / SECOND, censored: missed });
            }
            None if missed => {
                self.update.push(Sample { value: (now - change.at) as f64 / SECOND, censored: true });
            }
            None => {}
        }
    }

    /// A change of keys that began then has ended, or has not by the end.
    pub fn rotated(&mut self, began: u64, now: u64, done: bool) {
        self.rotations.push(Sample { value: (now - began) as f64 / SECOND, censored: !done });
    }

    /// The measured time is over.
    pub fn finish(&mut self, now: u64) {
        for serial in self.events.keys().copied().collect::<Vec<_>>() {
            // What the bound of quiet time is for is still watched after this.
            let Some(event) = self.events.get(&serial) else { continue };
            let missed = self.claims.standing(&event.owed, event.at);
            self.coverage.hits += event.reached;
            self.coverage.of += event.reached + missed;
            self.all.hits += u64::from(missed == 0);
            self.all.of += 1;
        }
        for command in self.queries.keys().copied().collect::<std::collections::BTreeSet<_>>() {
            self.query_over(command);
        }
        for node in self.announced.keys().copied().collect::<std::collections::BTreeSet<_>>() {
            self.close_announcement(node, now);
        }
    }

    /// The distributions.
    pub fn distributions(&mut self) -> [(&'static str, Vec<Sample>); 4] {
        let take = std::mem::take;
        [
            ("event.latency", take(&mut self.event_latency)),
            ("query.latency", take(&mut self.query_latency)),
            ("keys.rotation", take(&mut self.rotations)),
            ("dissemination.update", take(&mut self.update)),
        ]
    }

    /// The single values of what was said at all.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static str, u64)> {
        let mut values = Vec::new();
        if self.has_events {
            values.extend([
                ("event.sent", self.sent),
                ("event.busy", self.busy),
                ("event.duplicates", self.duplicates),
            ]);
        }
        if self.has_queries {
            values.push(("query.asked", self.asked));
        }
        values
    }

    /// The shares of what was said at all.
    #[must_use]
    pub fn ratios(&self) -> BTreeMap<String, Ratio> {
        let all = [
            ("event.coverage", self.coverage),
            ("event.all", self.all),
            ("query.coverage", self.query_coverage),
        ];
        all.into_iter()
            .filter(|(_, ratio)| ratio.of > 0)
            .map(|(name, ratio)| (name.to_owned(), ratio))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> NodeSet {
        NodeSet::of(4, |node| node > 0)
    }

    #[test]
    fn an_event_is_owed_to_those_to_whom_nothing_happens() {
        let mut said = Said::new(4);
        said.event_sent(1, three(), 10, true);
        said.event_sent(2, three(), 20, true);
        assert!(said.event_heard(1, 1, 12) && said.event_heard(2, 1, 13));
        said.claims.lose(3, 15);
        assert!(said.event_heard(1, 2, 22));
        said.finish(100);
        let ratios = said.ratios();
        assert_eq!(ratios["event.coverage"], Ratio { hits: 3, of: 5 });
        assert_eq!(ratios["event.all"], Ratio { hits: 1, of: 2 });
    }

    #[test]
    fn a_repeat_within_a_life_is_a_duplicate_and_none_after_a_birth() {
        let mut said = Said::new(4);
        said.event_sent(1, three(), 10, true);
        assert!(said.event_heard(1, 1, 11) && !said.event_heard(1, 1, 12));
        said.born(1, 20);
        assert!(said.event_heard(1, 1, 21));
        assert_eq!(said.values()[2], ("event.duplicates", 1));
    }

    #[test]
    fn an_update_lasts_from_the_first_report_to_the_last() {
        let mut said = Said::new(4);
        said.announced(0, vec![1], three(), 10, true);
        for (observer, at) in [(1, 1_000_000_010), (2, 2_000_000_010), (3, 4_000_000_010)] {
            said.updated(observer, 0, &[9], at);
            said.updated(observer, 0, &[1], at);
        }
        let [.., (_, update)] = said.distributions();
        assert_eq!(update, [Sample { value: 3.0, censored: false }]);
    }
}
