//! Prometheus' text format, version 0.0.4: what a scrape reads.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use crate::agent::Histogram;

/// The content type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text being written, family by family.
#[derive(Debug, Default)]
pub(super) struct Text {
    out: String,
}

/// A metric of one name, with its samples.
pub(super) struct Family<'t> {
    out: &'t mut String,
    name: &'static str,
}

impl Text {
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        debug_assert!(name.ends_with("_total"), "a counter's name says so");
        self.family(name, "counter", help)
    }

    pub(super) fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "histogram", help)
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        self.out.push_str("# HELP ");
        self.out.push_str(name);
        self.out.push(' ');
        escape(help, false, &mut self.out);
        put(&mut self.out, format_args!("\n# TYPE {name} {kind}\n"));
        Family { out: &mut self.out, name }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

impl Family<'_> {
    /// The only sample of a metric without labels.
    pub(super) fn value(&mut self, value: impl Display) {
        self.line("", &[], value);
    }

    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.line("", labels, value);
        self
    }

    pub(super) fn distribution(&mut self, labels: &[(&str, &str)], histogram: &Histogram) -> &mut Self {
        for (bound, count) in histogram.up_to() {
            let bound = bound.as_secs_f64().to_string();
            self.line("_bucket", &with(labels, ("le", &bound)), count);
        }
        let count = histogram.count();
        self.line("_bucket", &with(labels, ("le", "+Inf")), count);
        self.line("_sum", labels, seconds(histogram.sum()));
        self.line("_count", labels, count);
        self
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        put(self.out, format_args!("{}{suffix}", self.name));
        for (n, (key, value)) in labels.iter().enumerate() {
            put(self.out, format_args!("{}{key}=\"", if n == 0 { '{' } else { ',' }));
            escape(value, true, self.out);
            self.out.push('"');
        }
        if !labels.is_empty() {
            self.out.push('}');
        }
        put(self.out, format_args!(" {value}\n"));
    }
}

/// Seconds, as the format has every time.
pub(super) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn with<'a>(labels: &[(&'a str, &'a str)], last: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    labels.iter().copied().chain([last]).collect()
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = out.write_fmt(text);
}

/// Escapes what would end a line or, in a label, its value.
fn escape(text: &str, quotes: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_written_as_the_format_has_it() {
        let mut text = Text::default();
        text.gauge("a", "One \\ two\nthree \"four\".").value(1.5);
        text.counter("b_total", "B.").sample(&[("x", "y\"\\\n"), ("z", "")], 7u64).sample(&[], 8u64);
        assert_eq!(
            text.finish(),
            "# HELP a One \\\\ two\\nthree \"four\".\n# TYPE a gauge\na 1.5\n\
             # HELP b_total B.\n# TYPE b_total counter\nb_total{x=\"y\\\"\\\\\\n\",z=\"\"} 7\nb_total 8\n"
        );
    }

    #[test]
    fn a_histogram_has_all_its_buckets_its_sum_and_its_count() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_micros(300));
        histogram.add(Duration::from_secs(60));
        let mut text = Text::default();
        text.histogram("h_seconds", "H.").distribution(&[("path", "direct")], &histogram);
        let text = text.finish();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2 + Histogram::BOUNDS.len() + 3);
        assert_eq!(lines[2], "h_seconds_bucket{path=\"direct\",le=\"0.0001\"} 0");
        assert_eq!(lines[4], "h_seconds_bucket{path=\"direct\",le=\"0.0005\"} 1");
        assert_eq!(lines[16], "h_seconds_bucket{path=\"direct\",le=\"5\"} 1");
        assert_eq!(lines[17], "h_seconds_bucket{path=\"direct\",le=\"+Inf\"} 2");
        assert_eq!(lines[18], "h_seconds_sum{path=\"direct\"} 60.0003");
        assert_eq!(lines[19], "h_seconds_count{path=\"direct\"} 2");
    }
}
