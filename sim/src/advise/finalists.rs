//! Which settings are confirmed: a few that stand for different ways to meet the targets.

use super::question::Question;
use super::tune::{Tried, bytes, missed};

/// Finalists beside the profile's own settings. Each more makes every claim harder to confirm.
pub(super) const FINALISTS: usize = 4;

/// The settings that are run on held-out seeds, by their numbers: the cheapest that meets the targets, the one furthest from false
/// positives, the fastest, and then the next cheapest. Where none meets the targets, those that miss them by least.
pub(super) fn choose(question: &Question, tried: &[Tried]) -> Vec<usize> {
    // The profile's own settings are run anyway.
    let own: Vec<&Tried> = tried.iter().filter(|tried| tried.number != 0).collect();
    let meeting: Vec<&Tried> = own.iter().copied().filter(|tried| missed(question, tried) <= 1.0).collect();
    let value = |tried: &Tried, target: usize| tried.figures[target].value.map_or(f64::INFINITY, |v| v.value);
    let least = |by: &dyn Fn(&Tried) -> (f64, f64)| {
        meeting
            .iter()
            .min_by(|a, b| {
                let (a, b) = (by(a), by(b));
                a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
            })
            .map(|tried| tried.number)
    };
    let cheapest = least(&|tried| (bytes(tried), value(tried, 0)));
    // Among those that wronged nobody the slowest has the longest suspicion, and so most to spare.
    let safest = least(&|tried| (value(tried, 1), -value(tried, 0)));
    let fastest = least(&|tried| (value(tried, 0), bytes(tried)));
    let mut chosen: Vec<usize> = Vec::new();
    let order = [cheapest, safest, fastest].into_iter().flatten();
    for number in order.chain(own.iter().map(|tried| tried.number)) {
        if chosen.len() < FINALISTS && !chosen.contains(&number) {
            chosen.push(number);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::tests::question;
    use super::*;

    #[test]
    fn finalists_stand_for_different_ways_to_meet_the_targets() {
        // Targets: 10 s, 0.01 per node-hour, 500 B per node-second.
        let tried = [
            (0, [12.0, 0.0, 400.0]),
            (1, [8.0, 0.0, 200.0]),
            (2, [8.5, 0.0, 300.0]),
            (3, [4.0, 0.001, 350.0]),
            (4, [7.0, 0.002, 360.0]),
            (5, [20.0, 0.0, 100.0]),
        ];
        let tried: Vec<Tried> = tried.iter().map(|(n, values)| Tried::made_up(*n, *values)).collect();
        assert_eq!(choose(&question(), &tried), [1, 2, 3, 4]);
        let none: Vec<Tried> = [(0, [1.0, 0.0, 1.0]), (7, [30.0, 0.0, 1.0])]
            .iter()
            .map(|(n, values)| Tried::made_up(*n, *values))
            .collect();
        assert_eq!(choose(&question(), &none), [7], "the profile's own are there anyway");
    }
}
