//! What a row comes to, after all of them are known: adjusted p-values, and one word.

use super::measure::Row;
use super::{ALPHA, Direction};
use crate::stats;

/// What a comparison of one metric comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// B is better, by more than chance, and not known to be within the margin.
    Better,
    /// B is worse.
    Worse,
    /// B is different, and neither way is the better one.
    Different,
    /// B is the same within the margin, whether or not a difference within it shows.
    Equivalent,
    /// B has the same value as A in every seed.
    Same,
    /// No difference was seen, which is not to say that there is none.
    NoDifference,
    /// So few seeds could not have shown any difference among so many metrics.
    TooFew,
}

impl Verdict {
    /// The verdict in a word or two.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Different => "different",
            Self::Equivalent => "equivalent",
            Self::Same => "the same",
            Self::NoDifference => "no difference",
            Self::TooFew => "too few seeds",
        }
    }
}

/// What a comparison must not find, for continuous integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// A metric that is worse.
    Worse,
    /// A metric that differs by more than chance, better ones and those within their margin included.
    Different,
    /// A metric that is not known to be the same within its margin. Metrics without a margin do not count.
    NotEquivalent,
}

impl Row {
    /// Whether the row fails a comparison that must not be so.
    #[must_use]
    pub fn fails(&self, on: FailOn) -> bool {
        match on {
            FailOn::Worse => self.verdict == Verdict::Worse,
            FailOn::Different => {
                matches!(self.verdict, Verdict::Better | Verdict::Worse | Verdict::Different)
                    || (self.varies() && self.p_adjusted <= ALPHA)
            }
            FailOn::NotEquivalent => {
                let known = match self.verdict {
                    // The same runs have the same values, also where these are not known to the end.
                    Verdict::Same => true,
                    Verdict::Equivalent => self.unknown.is_none(),
                    _ => false,
                };
                self.margin.is_some() && !known
            }
        }
    }

    /// Whether the row does not fail only because so few seeds could not have shown that it does.
    #[must_use]
    pub fn is_blind(&self, on: FailOn) -> bool {
        let could_not = self.too_few && self.varies() && !self.fails(on);
        match on {
            FailOn::Worse => {
                could_not && self.verdict == Verdict::TooFew && self.direction != Direction::Neither
            }
            // Within its margin it may differ all the same.
            FailOn::Different => could_not && self.verdict != Verdict::Same,
            // What is not shown fails anyway.
            FailOn::NotEquivalent => false,
        }
    }
}

/// Adjusts p-values among all rows and finds each row's verdict. `identical`: every run was the same byte for byte.
pub(super) fn judge(rows: &mut [Row], identical: bool) {
    let family: Vec<usize> = (0..rows.len()).filter(|k| rows[*k].varies()).collect();
    let adjusted = stats::holm(&family.iter().map(|k| rows[*k].p).collect::<Vec<_>>());
    for (k, p) in family.iter().zip(adjusted) {
        rows[*k].p_adjusted = p;
    }
    let with_margin: Vec<usize> = family.iter().copied().filter(|k| rows[*k].p_margin.is_some()).collect();
    let adjusted = stats::holm(&with_margin.iter().filter_map(|k| rows[*k].p_margin).collect::<Vec<_>>());
    for (k, p) in with_margin.iter().zip(adjusted) {
        rows[*k].p_margin_adjusted = Some(p);
    }
    let level = ALPHA / family.len().max(1) as f64;
    for row in rows {
        row.too_few = are_too_few(row, level);
        row.verdict = verdict(row, identical);
        if let (None, Some(paired)) = (row.unknown, &row.paired) {
            row.detectable = stats::detectable(&paired.differences, level);
        }
    }
}

fn verdict(row: &Row, identical: bool) -> Verdict {
    if identical || (!row.varies() && row.unknown.is_none()) {
        return Verdict::Same;
    }
    if row.p_margin_adjusted.is_some_and(|p| p <= ALPHA) {
        return Verdict::Equivalent;
    }
    if row.varies() && row.p_adjusted <= ALPHA {
        return match (row.direction, row.is_less()) {
            (Direction::Neither, _) | (_, None) => Verdict::Different,
            (Direction::Lower, Some(true)) | (Direction::Higher, Some(false)) => Verdict::Better,
            _ => Verdict::Worse,
        };
    }
    if row.too_few { Verdict::TooFew } else { Verdict::NoDifference }
}

/// Whether the row's test would not have been sure enough even if all its seeds had told the same.
fn are_too_few(row: &Row, level: f64) -> bool {
    let least = match row.unknown {
        Some(unknown) => stats::sign_test(unknown.less + unknown.more, 0),
        None => stats::least_p(row.seeds.len()),
    };
    least > level
}
