//! One hot node beside foca 2: `cargo bench -p rumormill-core --bench hot_node`.

mod hot;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn hot_node(criterion: &mut Criterion) {
    let cases = hot::cases();
    for operation in hot::Operation::ALL {
        let mut group = criterion.benchmark_group(operation.name());
        for case in cases.iter().filter(|case| case.operation == operation) {
            group.throughput(Throughput::Elements(case.per_batch));
            group.bench_function(BenchmarkId::new(case.peer, case.members), |bencher| {
                bencher.iter_batched(|| (case.prepare)(), |mut batch| batch(), BatchSize::PerIteration);
            });
        }
    }
}

criterion_group!(benches, hot_node);
criterion_main!(benches);
