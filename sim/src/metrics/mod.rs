//! What a run measures, incrementally: every event costs O(1), and no view is ever scanned.

pub mod changes;
pub mod load;
pub mod owed;
pub mod said;
pub mod views;

use std::collections::{BTreeMap, HashMap, HashSet};

use rumormill_core::QueueDepths;
use rumormill_core::id::Incarnation;

use crate::film::Recorder;
use crate::network::Network;
use crate::record::{RunRecord, Sample, Series};
use crate::truth::{Presence, Truth};
use changes::{Change, Distributions, Open};
use load::Load;
use said::Said;
use views::{View, Views};

const SECOND: f64 = 1e9;
/// A member that comes back within this time after it was reported failed has flapped (Serf's flap time-out).
const FLAP: u64 = 60_000_000_000;

/// The meters of one run.
#[derive(Debug)]
pub struct Meter {
    /// Traffic.
    pub load: Load,
    /// What every node believes.
    pub views: Views,
    /// What applications say.
    pub said: Said,
    warmup: u64,
    end: u64,
    /// The core's setting, seconds.
    probe_interval: f64,
    step: u64,
    points: u64,
    finished: bool,
    series: Series,
    done: Distributions,
    open: Vec<Option<Open>>,
    false_positives: HashSet<(u32, u32, u32)>,
    /// Subjects of false positives, with their incarnations.
    wronged: HashSet<(u32, u32)>,
    false_all: u64,
    false_healthy: u64,
    failed_at: HashMap<(u32, u32), u64>,
    flaps: u64,
    suspicions: u64,
    false_suspicions: u64,
    refutations: u64,
    /// Join commands issued.
    pub join_attempts: u64,
    queue_depth: u32,
    point_queue_depth: u32,
    /// By queue: members, intents, queries, events.
    depths: [u32; 4],
    point_depths: [u32; 4],
    wrong_time: f64,
    up_time: Vec<u64>,
    up_since: Vec<Option<u64>>,
    settled: u64,
    right_since: Option<u64>,
    /// What writes down every change, when somebody wants to see them.
    pub(crate) film: Option<Box<Recorder>>,
}

impl Meter {
    /// Meters for so many nodes, that measure from `warmup` to `end` (ns); members are probed every `probe_interval` seconds.
    #[must_use]
    pub fn new(nodes: usize, warmup: u64, end: u64, probe_interval: f64) -> Self {
        // 240 points draw a smooth curve; whole seconds make a readable table.
        let step = (end / 240).div_ceil(1_000_000_000).max(1) * 1_000_000_000;
        Self {
            load: Load::new(nodes),
            views: Views::new(nodes),
            said: Said::new(nodes),
            warmup,
            end,
            probe_interval,
            step,
            points: 0,
            finished: false,
            series: Series { step: step as f64 / SECOND, ..Series::default() },
            done: Distributions::default(),
            open: vec![None; nodes],
            false_positives: HashSet::new(),
            wronged: HashSet::new(),
            false_all: 0,
            false_healthy: 0,
            failed_at: HashMap::new(),
            flaps: 0,
            suspicions: 0,
            false_suspicions: 0,
            refutations: 0,
            join_attempts: 0,
            queue_depth: 0,
            point_queue_depth: 0,
            depths: [0; 4],
            point_depths: [0; 4],
            wrong_time: 0.0,
            up_time: vec![0; nodes],
            up_since: vec![None; nodes],
            settled: 0,
            right_since: None,
            film: None,
        }
    }

    /// Whether `now` is measured: after warm-up, before the end.
    #[must_use]
    #[inline]
    pub const fn metered(&self, now: u64) -> bool {
        !self.finished && now >= self.warmup
    }

    /// Whether an event at `time` asks for [`Meter::advance`] first.
    #[must_use]
    #[inline]
    pub const fn has_point_before(&self, time: u64) -> bool {
        !self.finished && (self.points * self.step < time || time > self.end)
    }

    /// Time moves to just before an event at `time`: points of the series up to there are taken, and at the end all is closed.
    pub fn advance(&mut self, time: u64, truth: &Truth, network: &Network) {
        while !self.finished && self.points * self.step < time.min(self.end + 1) {
            self.settle(self.points * self.step);
            self.point(truth);
        }
        if !self.finished && time > self.end {
            self.settle(self.end);
            self.finish(truth, network);
        }
    }

    fn point(&mut self, truth: &Truth) {
        self.points += 1;
        let series = &mut self.series;
        series.up.push(truth.up());
        series.wrong.push(self.views.wrong());
        series.suspects.push(self.views.suspects());
        series.false_positives.push(self.false_all);
        series.packet_bytes.push(std::mem::take(&mut self.load.point_packet_bytes));
        series.stream_bytes.push(std::mem::take(&mut self.load.point_stream_bytes));
        series.packets.push(std::mem::take(&mut self.load.point_packets));
        series.queue_depth.push(std::mem::take(&mut self.point_queue_depth));
        let depths = std::mem::take(&mut self.point_depths);
        let lines = [
            &mut series.queue_members,
            &mut series.queue_intents,
            &mut series.queue_queries,
            &mut series.queue_events,
        ];
        for (line, depth) in lines.into_iter().zip(depths) {
            line.push(depth);
        }
    }

    /// Accounts the time since the last change of a view, before one changes.
    fn settle(&mut self, now: u64) {
        let from = self.settled.max(self.warmup);
        if now > from {
            self.wrong_time += self.views.wrong() as f64 * (now - from) as f64;
        }
        self.settled = self.settled.max(now);
    }

    fn after_views(&mut self, now: u64) {
        if self.views.wrong() > 0 {
            self.right_since = None;
        } else {
            self.right_since.get_or_insert(now);
        }
    }

    /// A process starts, believing in these members.
    pub fn born(&mut self, node: u32, believed: impl Iterator<Item = u32>, now: u64, change: bool) {
        self.settle(now);
        self.close(node, now, false);
        self.views.born(node, believed);
        if let Some(film) = &mut self.film {
            film.born(now, node, |other| self.views.get(node, other) != View::Unknown);
        }
        self.said.born(node, now);
        self.up_since[node as usize] = Some(now);
        if change {
            self.begin(node, Change::Join, now);
        }
        self.after_views(now);
    }

    /// A process stops, or begins to leave.
    pub fn gone(&mut self, node: u32, change: Change, now: u64) {
        self.settle(now);
        self.close(node, now, false);
        self.views.gone(node);
        if let Some(film) = &mut self.film {
            let down = change == Change::Crash;
            film.gone(now, node, if down { Presence::Down } else { Presence::Leaving });
        }
        self.said.claims.lose(node, now);
        self.end_up_time(node, now);
        self.begin(node, change, now);
        self.after_views(now);
    }

    /// A process stands still, or is cut off from its sockets.
    pub fn anomaly(&mut self, node: u32, now: u64) {
        self.close(node, now, false);
        self.begin(node, Change::Anomaly, now);
    }

    /// Its anomaly is over: what was not reported by now is not owed any more.
    pub fn recovered(&mut self, node: u32, now: u64) {
        if self.open[node as usize].is_some_and(|open| open.change == Change::Anomaly) {
            self.close(node, now, false);
        }
    }

    fn begin(&mut self, node: u32, change: Change, now: u64) {
        if self.metered(now) {
            let owed = match change {
                Change::Join => self.views.others(node) > 0,
                Change::Crash | Change::Leave | Change::Anomaly => self.views.present(node) > 0,
            };
            self.open[node as usize] = Some(Open::new(change, now, owed));
        }
    }

    fn end_up_time(&mut self, node: u32, now: u64) {
        if let Some(since) = self.up_since[node as usize].take() {
            self.up_time[node as usize] += now.min(self.end).saturating_sub(since.max(self.warmup));
        }
    }

    fn close(&mut self, subject: u32, now: u64, complete: bool) {
        if let Some(open) = self.open[subject as usize].take() {
            open.close(now, complete, &mut self.done);
        }
    }

    /// A view changed; the view before.
    pub fn view(&mut self, observer: u32, subject: u32, view: View, now: u64) -> View {
        let was = self.views.get(observer, subject);
        if was == view || observer == subject {
            return was;
        }
        self.settle(now);
        self.views.set(observer, subject, view);
        if let Some(film) = &mut self.film {
            film.view(now, observer, subject, view);
        }
        self.after_views(now);
        was
    }

    /// An application was told of a change; closes the change when it was the last one to be told.
    pub fn report(
        &mut self,
        observer: u32,
        subject: u32,
        change: Change,
        now: u64,
        truth: &Truth,
        network: &Network,
    ) {
        let same = |open: &Open| match (open.change, change) {
            (Change::Anomaly, Change::Crash) => true,
            (was, is) => was == is,
        };
        if !self.open[subject as usize].as_ref().is_some_and(same)
            || !self.counts(observer, subject, truth, network)
        {
            return;
        }
        if let Some(open) = &mut self.open[subject as usize] {
            open.report(now);
        }
        if self.is_known(subject, change == Change::Join, truth, network) {
            self.close(subject, now, true);
        }
    }

    /// Whether what the observer says of the subject counts: it is live and undisturbed, and the two can reach each other.
    fn counts(&self, observer: u32, subject: u32, truth: &Truth, network: &Network) -> bool {
        self.views.is_live(observer)
            && !truth.is_disturbed(observer)
            && !(network.cuts.any() && network.cuts.apart(observer, subject))
    }

    /// Whether all whose word counts see the subject present, or all see it gone.
    fn is_known(&self, subject: u32, present: bool, truth: &Truth, network: &Network) -> bool {
        let seen = self.views.present(subject);
        let amiss = if present { self.views.others(subject) - seen } else { seen };
        if amiss == 0 {
            return true;
        }
        // Only those whose word does not count may be left, and without a cut those are the disturbed ones.
        if !network.cuts.any() && amiss > u64::from(truth.disturbed()) {
            return false;
        }
        let sees = |o: u32| matches!(self.views.get(o, subject), View::Alive | View::Suspect);
        (0..self.open.len() as u32)
            .filter(|o| *o != subject && self.views.together(*o, subject))
            .filter(|o| self.counts(*o, subject, truth, network))
            .all(|o| sees(o) == present)
    }

    /// A failure was reported: a false positive when the subject is up and within reach. Whether it counts as one.
    pub fn failed(
        &mut self,
        pair: (u32, u32),
        incarnation: Incarnation,
        now: u64,
        truth: &Truth,
        network: &Network,
    ) -> bool {
        let (observer, subject) = pair;
        if !self.metered(now) {
            return false;
        }
        self.failed_at.insert(pair, now);
        let apart = network.cuts.any() && network.cuts.apart(observer, subject);
        let excused = apart || !truth.is_up(subject) || truth.is_disturbed(subject);
        if excused || !self.false_positives.insert((observer, subject, incarnation.0)) {
            return false;
        }
        self.false_all += 1;
        self.wronged.insert((subject, incarnation.0));
        if let Some(film) = &mut self.film {
            film.false_positive(now, observer, subject);
        }
        self.false_healthy += u64::from(!truth.is_disturbed(observer));
        true
    }

    /// A member appeared or came back: a flap when it had just been reported failed.
    pub fn joined(&mut self, observer: u32, subject: u32, now: u64) {
        if let Some(at) = self.failed_at.remove(&(observer, subject)) {
            self.flaps += u64::from(self.metered(now) && now - at <= FLAP);
        }
    }

    /// A suspicion began.
    pub fn suspected(&mut self, observer: u32, subject: u32, now: u64, truth: &Truth, network: &Network) {
        self.suspicions += u64::from(self.metered(now));
        if self.open[subject as usize].is_some()
            && self.counts(observer, subject, truth, network)
            && let Some(open) = &mut self.open[subject as usize]
        {
            open.suspected.get_or_insert(now);
        }
    }

    /// A node's own probe of a member that is up failed.
    pub fn falsely_suspected(&mut self, now: u64) {
        self.false_suspicions += u64::from(self.metered(now));
    }

    /// An accusation was refuted.
    pub fn refuted(&mut self, now: u64) {
        self.refutations += u64::from(self.metered(now));
    }

    /// A node's queues have so many broadcasts.
    pub fn queues(&mut self, depths: &QueueDepths, now: u64) {
        let QueueDepths { members, intents, queries, events } = *depths;
        let depths = [members, intents, queries, events].map(|depth| depth as u32);
        let depth = depths.iter().sum();
        let metered = self.metered(now);
        self.point_queue_depth = self.point_queue_depth.max(depth);
        self.queue_depth = self.queue_depth.max(if metered { depth } else { 0 });
        for (place, depth) in depths.into_iter().enumerate() {
            self.point_depths[place] = self.point_depths[place].max(depth);
            self.depths[place] = self.depths[place].max(if metered { depth } else { 0 });
        }
    }

    fn finish(&mut self, truth: &Truth, network: &Network) {
        let end = self.end;
        for subject in 0..self.open.len() as u32 {
            let complete = self.open[subject as usize].is_some_and(|open| {
                open.first.is_some() && self.is_known(subject, open.change == Change::Join, truth, network)
            });
            self.close(subject, end, complete);
        }
        for node in 0..self.up_time.len() as u32 {
            self.end_up_time(node, end);
        }
        self.said.finish(end);
        self.series.up.shrink_to_fit();
        self.finished = true;
    }

    /// Since when every live view has equalled ground truth.
    #[must_use]
    pub const fn right_since(&self) -> Option<u64> {
        self.right_since
    }

    /// The single values, as they stand at the end of the measured time; call it right then.
    #[must_use]
    pub fn values(&self, truth: &Truth) -> BTreeMap<String, Sample> {
        let node_seconds = self.up_time.iter().sum::<u64>() as f64 / SECOND;
        let per = |total: f64, of: f64| if of > 0.0 { total / of } else { 0.0 };
        let busiest = |counts: &[u64]| {
            let rates = counts.iter().zip(&self.up_time).map(|(n, up)| per(*n as f64, *up as f64 / SECOND));
            rates.fold(0.0, f64::max)
        };
        let sum = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
        let metered = self.end.saturating_sub(self.warmup) as f64;
        let mut values = BTreeMap::new();
        let mut put = |name: &str, value: f64| {
            values.insert(name.to_owned(), Sample { value, censored: false });
        };
        put("false_positives.all", self.false_all as f64);
        put("false_positives.healthy", self.false_healthy as f64);
        put("false_positives.subjects", self.wronged.len() as f64);
        put("false_positive_rate.subjects", per(self.wronged.len() as f64 * 3600.0, node_seconds));
        put("false_positive_rate.all", per(self.false_all as f64 * 3600.0, node_seconds));
        put("false_positive_rate.healthy", per(self.false_healthy as f64 * 3600.0, node_seconds));
        put("flaps", self.flaps as f64);
        put("suspicions", self.suspicions as f64);
        let periods = node_seconds / self.probe_interval;
        put("false_suspicion_rate", per(self.false_suspicions as f64, periods));
        put("refutations", self.refutations as f64);
        put("load.bytes", per(sum(&self.load.bytes), node_seconds));
        put("load.bytes.busiest", busiest(&self.load.bytes));
        put("load.packets", per(sum(&self.load.packets), node_seconds));
        put("load.received", per(self.load.received as f64, node_seconds));
        put("load.packets.busiest", busiest(&self.load.packets));
        put("load.headers", per(self.load.headers as f64, node_seconds));
        put("load.anti_entropy", per(self.load.anti_entropy() as f64, node_seconds));
        put("queue.depth", f64::from(self.queue_depth));
        let names =
            ["queue.depth.members", "queue.depth.intents", "queue.depth.queries", "queue.depth.events"];
        for (name, depth) in names.into_iter().zip(self.depths) {
            put(name, f64::from(depth));
        }
        for (name, value) in self.said.values() {
            put(name, value as f64);
        }
        put("members.wrong", per(self.wrong_time, metered));
        put("members.wrong.end", self.views.wrong() as f64);
        put("join.attempts", self.join_attempts as f64);
        if let Some(change) = truth.last_change() {
            let value = self.right_since.unwrap_or(self.end).saturating_sub(change) as f64 / SECOND;
            values.insert("convergence".into(), Sample { value, censored: self.right_since.is_none() });
        }
        values
    }

    /// Moves series, distributions and traffic into the record.
    pub fn fill(mut self, record: &mut RunRecord) {
        record.node_hours = self.up_time.iter().sum::<u64>() as f64 / SECOND / 3600.0;
        record.load_by_kind = self.load.by_kind();
        record.series = self.series;
        record.ratios = self.said.ratios();
        let done = self.done;
        let said = self.said.distributions();
        let membership = [
            ("suspicion.first", done.suspicion_first),
            ("detection.first", done.detection_first),
            ("detection.all", done.detection_all),
            ("dissemination.failure", done.failure),
            ("dissemination.join", done.join),
            ("dissemination.leave", done.leave),
        ];
        for (name, mut samples) in membership.into_iter().chain(said) {
            samples.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.censored.cmp(&b.censored)));
            record.distributions.insert(name.to_owned(), samples);
        }
    }
}
