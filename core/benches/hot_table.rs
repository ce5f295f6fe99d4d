//! One hot node beside foca 2 as one table: medians of seven, and ratios.
//! `cargo bench -p rumormill-core --bench hot_table`.

#![expect(clippy::disallowed_methods, reason = "a bench is a driver, and reads the clock")]

mod hot;

use std::hint::black_box;
use std::time::{Duration, Instant};

use hot::{Case, Operation};

const RUNS: usize = 7;
/// Measured time of one run, at least.
const RUN_TIME: Duration = Duration::from_millis(60);

/// Nanoseconds per operation: the fastest batch of a run tells least about neighbours on the machine.
fn measure(case: &Case) -> f64 {
    let (mut spent, mut best) = (Duration::ZERO, f64::INFINITY);
    while spent < RUN_TIME {
        let mut batch = (case.prepare)();
        let began = Instant::now();
        black_box(batch());
        let time = began.elapsed();
        spent += time;
        best = best.min(time.as_nanos() as f64 / case.per_batch as f64);
    }
    best
}

fn main() {
    let cases = hot::cases();
    // Round by round, so that a busy moment of the machine spoils one run of each and not all of one.
    let mut runs: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    for _ in 0..RUNS {
        for (case, figures) in cases.iter().zip(&mut runs) {
            figures.push(measure(case));
        }
    }
    let median = |index: usize| {
        let mut figures = runs[index].clone();
        figures.sort_by(f64::total_cmp);
        figures[RUNS / 2]
    };
    let of = |operation: Operation, peer: &str, members: u32| {
        let wanted = |case: &Case| (case.operation, case.peer, case.members) == (operation, peer, members);
        cases.iter().position(wanted).map(median)
    };
    println!(
        "{:<24} {:>7} {:>9} {:>9} {:>7} {:>9}",
        "operation (ns)", "members", "foca", "ours", "ratio", "/foca 100"
    );
    for operation in Operation::ALL {
        let small = of(operation, "foca", 100).unwrap_or(f64::NAN);
        for members in [100, 1000, 10_000, 100_000] {
            let ours = of(operation, "ours", members).unwrap_or(f64::NAN);
            let foca = of(operation, "foca", members);
            let cell =
                |value: Option<f64>, digits: usize| value.map_or("-".into(), |v| format!("{v:.digits$}"));
            println!(
                "{:<24} {members:>7} {:>9} {ours:>9.1} {:>7} {:>9.2}",
                operation.name(),
                cell(foca, 1),
                cell(foca.map(|foca| ours / foca), 2),
                ours / small,
            );
        }
    }
}
