//! A way's keys as a file would write them, for reports.

use rumormill_core::config::format_duration;

use super::model::{Latency, Loss, Travel};

impl Travel {
    /// The keys that it has, each with its value as TOML.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, String)> {
        let reorder = self
            .reorder
            .map(|r| format!("{{ chance = {}, extra = \"{}\" }}", r.chance, format_duration(r.extra)));
        let all = [
            ("latency", self.latency.as_ref().map(latency)),
            ("loss", self.loss.as_ref().map(loss)),
            ("stream_loss", self.stream_loss.as_ref().map(loss)),
            ("duplicate", self.duplicate.map(|share| share.to_string())),
            ("reorder", reorder),
            ("corrupt", self.corrupt.map(|share| share.to_string())),
            ("bandwidth", self.bandwidth.map(|bytes| bytes.to_string())),
            ("packet_bytes_max", self.packet_bytes_max.map(|bytes| bytes.to_string())),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

fn latency(latency: &Latency) -> String {
    let d = |duration: &std::time::Duration| format!("\"{}\"", format_duration(*duration));
    match latency {
        Latency::Constant { value } => format!("{{ kind = \"constant\", value = {} }}", d(value)),
        Latency::Uniform { min, max } => {
            format!("{{ kind = \"uniform\", min = {}, max = {} }}", d(min), d(max))
        }
        Latency::Normal { mean, sd } => {
            format!("{{ kind = \"normal\", mean = {}, sd = {} }}", d(mean), d(sd))
        }
        Latency::Lognormal { median, p99 } => {
            format!("{{ kind = \"lognormal\", median = {}, p99 = {} }}", d(median), d(p99))
        }
        Latency::Pareto { min, shape } => {
            format!("{{ kind = \"pareto\", min = {}, shape = {shape} }}", d(min))
        }
        Latency::Empirical { table } => {
            let rows: Vec<String> =
                table.iter().map(|(share, value)| format!("[{share:?}, {}]", d(value))).collect();
            format!("{{ kind = \"empirical\", table = [{}] }}", rows.join(", "))
        }
    }
}

fn loss(loss: &Loss) -> String {
    match loss {
        Loss::Bernoulli(share) => share.to_string(),
        Loss::GilbertElliott { good, bad, mean_good, mean_bad } => format!(
            "{{ kind = \"gilbert-elliott\", good = {good}, bad = {bad}, mean_good = \"{}\", mean_bad = \"{}\" }}",
            format_duration(*mean_good),
            format_duration(*mean_bad)
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::Scenario;

    #[test]
    fn what_is_written_reads_as_the_same_way() {
        let ways = [
            "latency = { kind = \"constant\", value = \"1ms\" }\nbandwidth = 1000\npacket_bytes_max = 1400",
            "latency = { kind = \"uniform\", min = \"1ms\", max = \"2ms\" }\nloss = 0.25\nstream_loss = 0",
            "latency = { kind = \"normal\", mean = \"1ms\", sd = \"200us\" }\nduplicate = 0.5\ncorrupt = 0.001",
            "latency = { kind = \"lognormal\", median = \"400us\", p99 = \"2ms\" }\nreorder = { chance = 0.1, extra = \"5ms\" }",
            "latency = { kind = \"pareto\", min = \"1ms\", shape = 2.5 }",
            "latency = { kind = \"empirical\", table = [[0.0, \"1ms\"], [0.5, \"2ms\"], [1.0, \"3ms\"]] }",
            "loss = { kind = \"gilbert-elliott\", good = 0, bad = 0.5, mean_good = \"9s\", mean_bad = \"1s\" }",
        ];
        for way in ways {
            let head = "name = \"x\"\nduration = \"1s\"\n[cluster]\nnodes = 2\n[network]\n";
            let read = |text: &str| {
                let whole = format!("{head}{text}");
                Scenario::parse(&whole, "x.toml", &[]).unwrap_or_else(|e| panic!("{e}")).network.travel
            };
            let travel = read(way);
            let written: Vec<String> =
                travel.keys().into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
            assert_eq!(read(&written.join("\n")), travel, "{written:?}");
        }
    }
}
