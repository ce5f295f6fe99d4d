//! `[[expect]]`.

use std::time::Duration;

use super::super::model::{Bound, Expect, Over, Variant};
use super::lines::Lines;
use super::values::{duration, number, quoted};
use crate::metric::{Unit, metric_named};

pub(super) fn write(expect: &Expect, variants: &[Variant], lines: &mut Lines) {
    lines.open("[[expect]]");
    let statistic = expect.statistic.map(|statistic| format!(".{statistic}")).unwrap_or_default();
    lines.key("metric", &format!("\"{}{statistic}\"", expect.metric));
    let timed = metric_named(expect.metric).is_some_and(|metric| metric.unit == Unit::Seconds);
    let bound = |value: f64| if timed && expect.ratio_to.is_none() { seconds(value) } else { number(value) };
    match expect.bound {
        Bound::Below(value) => lines.key("below", &bound(value)),
        Bound::Above(value) => lines.key("above", &bound(value)),
        Bound::Equals(value) => lines.key("equals", &bound(value)),
        Bound::Near { value, within } => {
            lines.key("near", &bound(value));
            lines.key("within", &number(within));
        }
        Bound::WilsonContains(share) => lines.key("wilson_contains", &number(share)),
    }
    for (key, index) in [("variant", expect.variant), ("ratio_to", expect.ratio_to)] {
        if let Some(variant) = index.and_then(|index| variants.get(index)) {
            lines.key(key, &quoted(&variant.name));
        }
    }
    match expect.over {
        Over::EachSeed => {}
        Over::Median => lines.key("over", "\"median\""),
        Over::Worst => lines.key("over", "\"worst\""),
        Over::Pooled => lines.key("over", "\"pooled\""),
    }
}

/// A bound in seconds as a duration, to the nearest nanosecond; what is above 0 stays so.
fn seconds(value: f64) -> String {
    let nearest = Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX);
    duration(if value > 0.0 { nearest.max(Duration::from_nanos(1)) } else { nearest })
}
