//! The rules about the network: how packets travel.

use std::time::Duration;

use rumormill_core::config::format_duration;

use super::super::model::*;
use super::super::path::Path;
use super::super::problem::Problem;
use super::{Rules, top_key};

const LATENCY_MIN: Duration = Duration::from_micros(1);
const LATENCY_MAX: Duration = Duration::from_secs(60);
const BURST_MIN: Duration = Duration::from_millis(1);
const BURST_MAX: Duration = Duration::from_secs(3600);
const BANDWIDTH_MAX: u64 = 1_000_000_000_000;
const PACKET_BYTES_MAX: u32 = 65_535;
const TABLE_ROWS_MAX: usize = 10_000;
const LINKS_MAX: usize = 256;

impl Rules<'_> {
    pub(super) fn network(&mut self) {
        let network = &self.scenario.network;
        let path = top_key("network");
        self.travel(&network.travel, &path);
        if network.links.len() > LINKS_MAX {
            let message = format!("has {} links; at most {LINKS_MAX} are allowed", network.links.len());
            self.report(&path.key("link"), message, "zones say more with fewer links");
        }
        for (number, link) in network.links.iter().enumerate() {
            let here = path.key("link").index(number);
            for (selector, key) in [(&link.from, "from"), (&link.to, "to")] {
                if matches!(selector, Selector::Pick(_) | Selector::Fraction(_)) {
                    let hint = "write { zone = \"a\" }, { all = true } or [\"node-7\"]";
                    self.report(&here.key(key), "a link cannot draw its nodes", hint);
                }
            }
            self.pair((&link.from, &here.key("from")), (&link.to, &here.key("to")));
            self.travel(&link.travel, &here);
            if link.travel == Travel::default() {
                let hint = "give it a latency, a loss, ...";
                self.report(&here, "the link changes nothing", hint);
            }
        }
        for (number, variant) in self.scenario.variants.iter().enumerate() {
            let here = top_key("variant").index(number).key("network");
            self.travel(&variant.travel, &here);
        }
    }

    /// What a way says, in the table at `path`.
    pub(super) fn travel(&mut self, travel: &Travel, path: &Path) {
        if let Some(latency) = &travel.latency {
            self.latency(latency, &path.key("latency"));
        }
        for (loss, key) in [(&travel.loss, "loss"), (&travel.stream_loss, "stream_loss")] {
            if let Some(loss) = loss {
                self.loss(loss, &path.key(key));
            }
        }
        for (share, key) in [(travel.duplicate, "duplicate"), (travel.corrupt, "corrupt")] {
            if let Some(share) = share {
                self.share(share, true, &path.key(key));
            }
        }
        if let Some(reorder) = travel.reorder {
            let here = path.key("reorder");
            self.share(reorder.chance, true, &here.key("chance"));
            self.within(reorder.extra, (LATENCY_MIN, LATENCY_MAX), &here.key("extra"), "5ms");
        }
        if travel.bandwidth.is_some_and(|bytes| !(1..=BANDWIDTH_MAX).contains(&bytes)) {
            let message = format!("must be from 1 to {BANDWIDTH_MAX}");
            self.report(&path.key("bandwidth"), message, "bytes per second, for example bandwidth = 1250000");
        }
        if travel.packet_bytes_max.is_some_and(|bytes| !(1..=PACKET_BYTES_MAX).contains(&bytes)) {
            let message = format!("must be from 1 to {PACKET_BYTES_MAX}");
            self.report(&path.key("packet_bytes_max"), message, "for example packet_bytes_max = 1472");
        }
    }

    fn within(
        &mut self,
        value: Duration,
        (min, max): (Duration, Duration),
        path: &Path,
        example: &str,
    ) -> bool {
        let sound = (min..=max).contains(&value);
        if !sound {
            let message = format!("must be from {} to {}", format_duration(min), format_duration(max));
            self.report(path, message, &format!("for example \"{example}\""));
        }
        sound
    }

    fn loss(&mut self, loss: &Loss, path: &Path) {
        match loss {
            Loss::Bernoulli(share) => self.share(*share, true, path),
            Loss::GilbertElliott { good, bad, mean_good, mean_bad } => {
                self.share(*good, true, &path.key("good"));
                self.share(*bad, true, &path.key("bad"));
                for (mean, key) in [(*mean_good, "mean_good"), (*mean_bad, "mean_bad")] {
                    self.within(mean, (BURST_MIN, BURST_MAX), &path.key(key), "1s");
                }
            }
        }
    }

    pub(super) fn latency(&mut self, latency: &Latency, path: &Path) {
        let range = (LATENCY_MIN, LATENCY_MAX);
        let one = |rules: &mut Self, key: &str, value: Duration| {
            rules.within(value, range, &path.key(key), "500us")
        };
        match latency {
            Latency::Constant { value } => {
                one(self, "value", *value);
            }
            Latency::Uniform { min, max } => self.rising(("min", *min), ("max", *max), path),
            Latency::Lognormal { median, p99 } => self.rising(("median", *median), ("p99", *p99), path),
            Latency::Normal { mean, sd } => {
                one(self, "mean", *mean);
                one(self, "sd", *sd);
            }
            Latency::Pareto { min, shape } => {
                one(self, "min", *min);
                if !(0.1..=100.0).contains(shape) {
                    let hint = "the chance to exceed x is (min / x)^shape";
                    self.report(&path.key("shape"), "must be from 0.1 to 100", hint);
                }
            }
            Latency::Empirical { table } => self.table(table, &path.key("table")),
        }
    }

    /// Two latencies of which the second is larger.
    fn rising(&mut self, low: (&str, Duration), high: (&str, Duration), path: &Path) {
        let range = (LATENCY_MIN, LATENCY_MAX);
        let sound = [low, high].map(|(key, value)| self.within(value, range, &path.key(key), "500us"));
        if sound == [true, true] && low.1 >= high.1 {
            let message = format!("must be more than {} ({})", low.0, format_duration(low.1));
            let problem = Problem::at(&path.key(high.0), message).rests_on(path.key(low.0));
            self.problems.push(problem.hint("without spread, kind = \"constant\" says it"));
        }
    }

    fn table(&mut self, table: &[(f64, Duration)], path: &Path) {
        let ends = (table.first().map(|row| row.0), table.last().map(|row| row.0));
        if !(2..=TABLE_ROWS_MAX).contains(&table.len()) || ends != (Some(0.0), Some(1.0)) {
            let message = format!("must have 2 to {TABLE_ROWS_MAX} rows, from share 0 to share 1");
            self.report(path, message, "[[0.0, \"100us\"], [0.5, \"400us\"], [1.0, \"20ms\"]]");
        }
        for (number, pair) in table.windows(2).enumerate() {
            let rises = pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
            if !rises {
                let message = "must have a larger share than the row before, and no smaller latency";
                self.report(&path.index(number + 1), message, "shares and latencies rise together");
            }
        }
        for (number, (_, value)) in table.iter().enumerate() {
            self.within(*value, (LATENCY_MIN, LATENCY_MAX), &path.index(number), "400us");
        }
    }
}
