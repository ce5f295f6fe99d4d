//! The swarm: what each seed's run is made of.
//!
//! A test that can do everything at once seldom does one thing often: faults hide each other's consequences. So each seed first draws
//! which kinds of settings, faults, workloads and features of the network are in play at all, and only then how many of them there are
//! and when (Groce, Zhang, Eide, Chen and Regehr: Swarm Testing, ISSTA 2012). Some seeds have none of a kind, others nothing else.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};

use super::draft::{Draft, Part};
use super::parts::faults::FAULTS;
use super::parts::network::FEATURES;
use super::parts::settings::SETTINGS;
use super::parts::workloads::WORKLOADS;
use super::words::WORDS;
use crate::draws::stream_of;
use crate::scenario::Scenario;

/// What a swarm draws its clusters from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swarm {
    /// Nodes of four clusters in five, and the fewest of the others. At least [`Swarm::NODES_MIN`].
    pub nodes_min: u32,
    /// The most nodes. At least `nodes_min`, at most [`Swarm::NODES_MAX`].
    pub nodes_max: u32,
}

impl Default for Swarm {
    /// Mostly five nodes, up to thirty.
    fn default() -> Self {
        Self { nodes_min: 5, nodes_max: 30 }
    }
}

/// What one seed drew.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The scenario: one seed, this one, and no expectations; the invariants are what must hold.
    pub scenario: Scenario,
    /// What was drawn, in a line.
    pub line: String,
}

impl Swarm {
    /// The smallest cluster that can be partitioned.
    pub const NODES_MIN: u32 = 2;
    /// The largest cluster that is drawn.
    pub const NODES_MAX: u32 = 1000;

    /// What the run with this seed is made of: a pure function of the seed and the swarm.
    #[must_use]
    pub fn draw(&self, seed: u64) -> Drawn {
        let draft = self.draft(seed);
        let mut scenario = draft.scenario();
        let line = draft.line(&scenario);
        scenario.name = format!("fuzz-{seed}");
        scenario.about = format!("Drawn by seed {seed}: {line}.");
        scenario.seed = seed;
        Drawn { scenario, line }
    }

    fn draft(&self, seed: u64) -> Draft {
        let mut dice = Dice::new(seed);
        let min = self.nodes_min.clamp(Self::NODES_MIN, Self::NODES_MAX);
        let max = self.nodes_max.clamp(min, Self::NODES_MAX);
        let any = min + dice.below(max - min + 1);
        let nodes = if dice.below(5) == 0 { any } else { min };
        let frame = dice.words();
        let settings = dice.density([0, 1, 12, 25]);
        let settings = dice.mask(SETTINGS.len(), settings);
        let settings = settings.into_iter().map(|kind| dice.part(kind)).collect();
        let network = dice.density([0, 1, 25, 50]);
        let network = dice.mask(FEATURES.len(), network);
        let network = network.into_iter().map(|kind| dice.part(kind)).collect();
        let faults = dice.some(FAULTS.len(), 12);
        let workloads = dice.some(WORKLOADS.len(), 6);
        Draft { nodes, frame, settings, network, faults, workloads }
    }
}

/// Which kinds of a class are in play.
#[derive(Clone, Copy, Debug)]
enum Density {
    /// Only one.
    One,
    /// Each with this chance in a hundred.
    Each(u32),
}

/// The stream of draws of one seed.
struct Dice {
    rng: ChaCha8Rng,
}

impl Dice {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..13].copy_from_slice(b"swarm");
        let mut rng = ChaCha8Rng::from_seed(bytes);
        rng.set_stream(stream_of("swarm"));
        Self { rng }
    }

    fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    fn words(&mut self) -> [u32; WORDS] {
        std::array::from_fn(|_| self.rng.next_u32())
    }

    fn part(&mut self, kind: usize) -> Part {
        Part { kind, words: self.words() }
    }

    /// One of some densities, each as likely; 1 stands for a single kind.
    fn density(&mut self, percents: [u32; 4]) -> Density {
        match percents[self.below(4) as usize] {
            1 => Density::One,
            percent => Density::Each(percent),
        }
    }

    /// Which of so many kinds are in play.
    fn mask(&mut self, kinds: usize, density: Density) -> Vec<usize> {
        let one = self.below(kinds as u32) as usize;
        (0..kinds)
            .filter(|kind| match density {
                Density::One => *kind == one,
                Density::Each(percent) => self.below(100) < percent,
            })
            .collect()
    }

    /// Up to `most` parts of the kinds in play.
    fn some(&mut self, kinds: usize, most: u32) -> Vec<Part> {
        let density = self.density([1, 20, 50, 100]);
        let in_play = self.mask(kinds, density);
        let count = 1 + self.below(most);
        if in_play.is_empty() {
            return Vec::new();
        }
        (0..count)
            .map(|_| {
                let kind = in_play[self.below(in_play.len() as u32) as usize];
                self.part(kind)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::FaultKind;

    #[test]
    fn golden_draws() {
        // Recorded once; a change here changes what every published seed means.
        let lines: Vec<String> = (1..=3).map(|seed| Swarm::default().draw(seed).line).collect();
        assert_eq!(lines, GOLDEN);
    }

    const GOLDEN: [&str; 3] = [
        "5 nodes, lan, converged, 1m30s; settings: intents_max = 16, packet_bytes_max = 1200; network: \
         latency, stream loss, duplicates, reordering, corruption; faults: move; workloads: tags, 2 keys",
        "5 nodes, local, converged, 2m1s; settings: nacks = false, packet_updates_max = 6, \
         push_pull_interval = \"2s\", reconnect = false, reconnect_timeout = \"10s\", streams_max = 4; \
         faults: 3 partition of datagrams; workloads: events, keys",
        "5 nodes, wan, converged, 10m40s; faults: partition; workloads: 5 tags",
    ];

    #[test]
    fn whatever_is_drawn_holds_to_every_rule() {
        let small = Swarm { nodes_min: 2, nodes_max: 4 };
        let large = Swarm { nodes_min: 900, nodes_max: 1000 };
        for seed in 0..3000 {
            for swarm in [Swarm::default(), small, large] {
                let drawn = swarm.draw(seed);
                assert!(
                    drawn.scenario.check().is_ok(),
                    "{}\n{}",
                    drawn.line,
                    drawn.scenario.check().unwrap_err()
                );
                assert_eq!(drawn, swarm.draw(seed));
            }
        }
    }

    #[test]
    fn what_is_drawn_is_the_same_when_read_from_its_file() {
        for seed in 0..500 {
            let drawn = Swarm::default().draw(seed).scenario;
            let text = drawn.to_toml();
            let read = Scenario::parse(&text, "", &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert_eq!(Scenario { source: String::new(), ..read }, drawn, "{text}");
        }
    }

    type PartsOf = fn(&Draft) -> &Vec<Part>;

    #[test]
    fn every_kind_is_in_play_in_some_seeds_and_missing_or_alone_in_others() {
        let drafts: Vec<Draft> = (0..2000).map(|seed| Swarm::default().draft(seed)).collect();
        let classes: [(usize, PartsOf); 4] = [
            (SETTINGS.len(), |draft| &draft.settings),
            (FEATURES.len(), |draft| &draft.network),
            (FAULTS.len(), |draft| &draft.faults),
            (WORKLOADS.len(), |draft| &draft.workloads),
        ];
        for (kinds, parts) in classes {
            assert!(drafts.iter().any(|draft| parts(draft).is_empty()));
            for kind in 0..kinds {
                let has = |draft: &&Draft| parts(draft).iter().any(|part| part.kind == kind);
                let alone = |draft: &&Draft| has(draft) && parts(draft).iter().all(|part| part.kind == kind);
                let (with, only) = (drafts.iter().filter(has).count(), drafts.iter().filter(alone).count());
                assert!((100..1500).contains(&with) && only > 0, "{kind} of {kinds}: {with}, {only}");
            }
        }
    }

    #[test]
    fn most_clusters_have_the_fewest_nodes_and_some_the_most() {
        let nodes: Vec<u32> = (0..2000).map(|seed| Swarm::default().draft(seed).nodes).collect();
        let five = nodes.iter().filter(|nodes| **nodes == 5).count();
        assert!((1550..1700).contains(&five), "{five}");
        assert!(nodes.contains(&30) && nodes.iter().all(|nodes| (5..=30).contains(nodes)));
    }

    #[test]
    fn nobody_joins_a_cluster_that_nobody_is_in() {
        for seed in 0..2000 {
            let scenario = Swarm { nodes_min: 2, nodes_max: 6 }.draw(seed).scenario;
            let joining = scenario.faults.iter().map(|fault| match &fault.kind {
                FaultKind::Join { nodes: crate::scenario::Selector::Pick(count), .. } => *count,
                _ => 0,
            });
            assert!(joining.sum::<u32>() * 2 <= scenario.cluster.nodes);
        }
    }
}
