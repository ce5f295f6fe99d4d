//! Whatever is given, the reader does not panic.

use std::fs;

use proptest::prelude::*;
use rumormill_sim::scenario::{Override, Scenario};

use super::{SMALL, root};

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let _ = Scenario::parse(&text, "noise.toml", &[]).map_err(|e| e.to_string());
    }

    #[test]
    fn no_damaged_scenario_panics(cut in 0usize..2000, length in 0usize..40, patch in "[a-z0-9\"\\[\\]{}=,.\n -]{0,20}") {
        let text = fs::read_to_string(root().join("scenarios/partition-heal.toml")).expect("the scenario is there");
        let start = text.floor_char_boundary(cut.min(text.len()));
        let end = text.floor_char_boundary((start + length).min(text.len()));
        let damaged = format!("{}{patch}{}", &text[..start], &text[end..]);
        let _ = Scenario::parse(&damaged, "damaged.toml", &[]).map_err(|e| e.to_string());
    }

    #[test]
    fn no_override_panics(text in "[a-z.]{0,20}(\\[[0-9]{0,3}\\])?=?.{0,30}") {
        if let Ok(one) = Override::parse(&text) {
            let _ = Scenario::parse(SMALL, "small.toml", &[one]).map_err(|e| e.to_string());
        }
    }

    #[test]
    fn a_number_anywhere_never_panics(number in any::<i64>(), key in 0usize..8) {
        let keys = ["seed", "seeds", "cluster.nodes", "network.loss", "warmup", "cluster.config.packet_bytes_max",
            "cluster.config.members_max", "cluster.config.suspicion_confirmations"];
        let one = Override::parse(&format!("{}={number}", keys[key])).expect("a key and a number");
        let _ = Scenario::parse(SMALL, "small.toml", &[one]).map_err(|e| e.to_string());
    }
}
