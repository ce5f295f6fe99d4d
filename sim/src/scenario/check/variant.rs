//! The rules about variants, and about what expectations say of them.

use std::collections::HashSet;

use super::super::diagnostic::plain;
use super::super::model::{Bound, Expect};
use super::super::path::Path;
use super::super::problem::Problem;
use super::{NAME_MAX, Rules, is_name, top_key};

/// More would not fit on a page side by side.
const VARIANTS_MAX: usize = 16;

impl Rules<'_> {
    pub(super) fn variants(&mut self) {
        let scenario = self.scenario;
        let all = top_key("variant");
        if !(1..=VARIANTS_MAX).contains(&scenario.variants.len()) {
            let message = format!("must be 1 to {VARIANTS_MAX} variants");
            self.report(&all, message, "a scenario that compares nothing has one, called default");
        }
        let inherited = scenario.cluster.config.check().err();
        let mut names = HashSet::new();
        for (number, variant) in scenario.variants.iter().enumerate() {
            let here = all.index(number);
            if !is_name(&variant.name) {
                let message = format!("must be 1 to {NAME_MAX} letters, digits, `-` or `_`");
                self.report(&here.key("name"), message, "for example name = \"lifeguard\"");
            } else if !names.insert(&variant.name) {
                let message = format!("there is a variant \"{}\" already", plain(&variant.name));
                self.report(&here.key("name"), message, "each variant has a name of its own");
            }
            // What is wrong with the cluster's settings is said once, there.
            let Err(error) = variant.config.check() else { continue };
            if inherited.as_ref().is_none_or(|i| (i.field, &i.value) != (error.field, &error.value)) {
                self.config_error(&error, &here.key("config"));
            }
        }
    }

    /// The parts of an expectation that are about variants and tolerances.
    pub(super) fn comparison(&mut self, expect: &Expect, path: &Path) {
        let variants = self.scenario.variants.len();
        for (key, index) in [("variant", expect.variant), ("ratio_to", expect.ratio_to)] {
            if let Some(index) = index.filter(|i| *i >= variants) {
                self.report(&path.key(key), format!("there is no variant number {index}"), "see variants");
            }
        }
        if expect.ratio_to.is_some() && expect.ratio_to == expect.variant {
            let problem =
                Problem::at(&path.key("ratio_to"), "is the variant itself: the quotient is always 1");
            let problem =
                problem.hint("name another variant, or leave `variant` out: then every other one is judged");
            self.problems.push(problem.rests_on(path.key("variant")));
        } else if expect.ratio_to.is_some() && variants == 1 {
            let problem = Problem::at(&path.key("ratio_to"), "there is no other variant to be compared");
            self.problems.push(problem.hint("add a second [[variant]]").rests_on(top_key("variant")));
        }
        if let Bound::Near { value, within } = expect.bound {
            if value == 0.0 {
                let hint = "a share of 0 leaves no room: write equals = 0";
                self.report(&path.key("near"), "must be more than 0", hint);
            }
            if !(within > 0.0 && within <= 1.0) {
                let hint = "a share of the figure: 0.03 is 3 %";
                self.report(&path.key("within"), "must be more than 0, up to 1", hint);
            }
        }
    }
}
