//! What theory says, where a formula exists: reports draw it beside what was measured.

use rumormill_core::suspicion_times;

use crate::network::{LossModel, over};
use crate::scenario::{Cluster, FaultKind, Scenario, Selector, Start, Travel, Variant};

/// Loss up to which the closed form stands: more makes false suspicions, and late gossip.
const LOSS_MAX: f64 = 0.02;

/// The closed form of first detection: `T = X / (1 - C/N) * P + P + S`, X exponential with mean 1.
///
/// N members probe each other, each once per probe interval P; C of them fall silent at once. The first probe of a silent one comes
/// after X / (1 - C/N) intervals, as N - C probers are independent; it has failed one interval later; the suspicion lasts S at
/// its shortest, which Lifeguard's confirmations bring it down to. It predicts the medians of the Lifeguard paper's table V within 1 %.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FirstDetection {
    /// N.
    pub nodes: u32,
    /// C.
    pub silent: u32,
    /// P, in seconds.
    pub probe_interval: f64,
    /// S, in seconds.
    pub suspicion: f64,
}

impl FirstDetection {
    /// The closed form for a variant of a scenario; `None` where the scenario is not plain enough for it: members that know each other, all
    /// paths alike with little loss, suspicion on, and nothing but crashes, pauses or blocks, each of as many members.
    #[must_use]
    pub fn of(scenario: &Scenario, variant: &Variant) -> Option<Self> {
        let (cluster, config) = (&scenario.cluster, &variant.config);
        let travel = over(&variant.travel, &scenario.network.travel);
        let plain = cluster.start == Start::Converged
            && config.suspicion
            && scenario.network.links.is_empty()
            && loses_little(&travel);
        let mut waves =
            scenario.faults.iter().filter(|fault| !fault.off).map(|fault| silenced(&fault.kind, cluster));
        let silent = waves.next()??;
        let alike = waves.all(|wave| wave == Some(silent));
        if !plain || !alike || silent >= cluster.nodes {
            return None;
        }
        Some(Self {
            nodes: cluster.nodes,
            silent,
            probe_interval: config.probe_interval.as_secs_f64(),
            suspicion: suspicion_times(config, cluster.nodes).min.as_secs_f64(),
        })
    }

    /// Share that is suspected somewhere by a time (seconds).
    #[must_use]
    pub fn suspected_by(&self, seconds: f64) -> f64 {
        let spare = 1.0 - f64::from(self.silent) / f64::from(self.nodes);
        let rest = seconds / self.probe_interval - 1.0;
        if rest <= 0.0 { 0.0 } else { 1.0 - libm::exp(-rest * spare) }
    }

    /// Share that is reported failed somewhere by a time (seconds).
    #[must_use]
    pub fn detected_by(&self, seconds: f64) -> f64 {
        self.suspected_by(seconds - self.suspicion)
    }

    /// The time (seconds) by which a share (below 1) is reported failed somewhere.
    #[must_use]
    pub fn detected_at(&self, share: f64) -> f64 {
        let spare = 1.0 - f64::from(self.silent) / f64::from(self.nodes);
        (1.0 - libm::log(1.0 - share) / spare) * self.probe_interval + self.suspicion
    }
}

/// Whether packets get through but for a little loss.
fn loses_little(travel: &Travel) -> bool {
    let loss = travel.loss.as_ref().map_or(0.0, |loss| LossModel::new(loss).average());
    loss <= LOSS_MAX && travel.bandwidth.is_none() && travel.packet_bytes_max.is_none()
}

/// How many members a fault silences at once; `None` when it does something else.
fn silenced(kind: &FaultKind, cluster: &Cluster) -> Option<u32> {
    let (FaultKind::Crash { nodes, .. } | FaultKind::Pause { nodes } | FaultKind::BlockIo { nodes }) = kind
    else {
        return None;
    };
    Some(match nodes {
        Selector::Pick(count) => *count,
        Selector::Fraction(share) => {
            libm::round(share * f64::from(cluster.nodes)).clamp(1.0, f64::from(cluster.nodes)) as u32
        }
        Selector::Zone(zone) => cluster.zones.get(*zone)?.nodes,
        Selector::Nodes(nodes) => u32::try_from(nodes.len()).ok()?,
        Selector::All | Selector::Rest => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::scenario;
    use crate::scenario::{Direction, Fault, InFlight, Loss, Restart, Through, Traffic};
    use std::time::Duration;

    fn crash(count: u32) -> Fault {
        let back = Restart { new_address: false, lost_state: false, through: Through::FirstAndTwo };
        let kind = FaultKind::Crash { nodes: Selector::Pick(count), back };
        Fault::new(Duration::from_secs(30), kind)
    }

    #[test]
    fn it_predicts_lifeguard_s_published_medians() {
        // Table V, SWIM: 12.44 / 16.96 s over anomalies of 16.384 and 32.768 s and C from 1 to 32; 13.7 s for a thousand nodes.
        let paper = FirstDetection { nodes: 128, silent: 8, probe_interval: 1.0, suspicion: 5.0 * 2.107 };
        assert!((paper.detected_at(0.5) / 12.44 - 1.0).abs() < 0.02, "{}", paper.detected_at(0.5));
        assert!((paper.detected_at(0.99) / 16.96 - 1.0).abs() < 0.06, "{}", paper.detected_at(0.99));
        let mut lan = scenario();
        lan.faults = vec![crash(10), crash(10)];
        let it = FirstDetection::of(&lan, &lan.variants[0]).unwrap();
        assert!((it.detected_at(0.5) - 13.7).abs() < 0.01, "{it:?}");
        assert!((it.detected_by(it.detected_at(0.9)) - 0.9).abs() < 1e-12);
        assert_eq!((it.suspected_by(1.0), it.detected_by(12.9)), (0.0, 0.0));
    }

    #[test]
    fn it_keeps_silent_where_it_does_not_apply() {
        let lan = || {
            let mut scenario = scenario();
            scenario.faults = vec![crash(10)];
            scenario
        };
        let applies = |scenario: &Scenario| FirstDetection::of(scenario, &scenario.variants[0]).is_some();
        assert!(applies(&lan()) && !applies(&scenario()));
        let spoiled: [fn(&mut Scenario); 5] = [
            |s| s.network.travel.loss = Some(Loss::Bernoulli(0.05)),
            |s| s.cluster.start = Start::Join,
            |s| s.variants[0].config.suspicion = false,
            |s| s.faults.push(crash(3)),
            |s| {
                let (a, b) = (Selector::Pick(1), Selector::All);
                let kind = FaultKind::Partition {
                    a,
                    b,
                    direction: Direction::Both,
                    in_flight: InFlight::Drop,
                    share: 1.0,
                    traffic: Traffic::All,
                };
                s.faults.push(Fault::new(Duration::from_secs(1), kind));
            },
        ];
        for (number, spoil) in spoiled.iter().enumerate() {
            let mut scenario = lan();
            spoil(&mut scenario);
            assert!(!applies(&scenario), "{number}");
        }
    }
}
