use std::time::Duration;

use rumormill_sim::scenario::{Fault, FaultKind, Loss, Restart, Scenario, Selector, Through};
use rumormill_sim::{report, run};

/// Ten nodes, of which some crash after 10 s and come back 20 s later, without what they knew.
fn comeback(loss: f64, crashes: u32) -> Scenario {
    let text = "name = \"comeback\"\nduration = \"60s\"\n[cluster]\nnodes = 10\n";
    let mut scenario = Scenario::parse(text, "comeback", &[]).unwrap();
    scenario.network.travel.loss = Some(Loss::Bernoulli(loss));
    let back = Restart { new_address: false, lost_state: true, through: Through::FirstAndTwo };
    let crash = FaultKind::Crash { nodes: Selector::Pick(crashes), back };
    let lasts = Some(Duration::from_secs(20));
    scenario.faults.push(Fault { lasts, ..Fault::new(Duration::from_secs(10), crash) });
    scenario.check().unwrap();
    scenario
}

#[test]
fn members_that_come_back_are_members_again() {
    for (loss, crashes) in [(0.0, 1), (0.05, 3)] {
        // Invariant 7: when faults stop, all live members agree in the end.
        let summary = run(&comeback(loss, crashes));
        assert!(summary.holds(), "{}", report::text(&summary, false, 100));
    }
}
