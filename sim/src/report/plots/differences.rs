//! Paired differences: a row per metric, a point per seed, the mean with its interval.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::figures::{Comparison, comparisons, number};
use super::chart::{Area, Drawn, colour, draw_legend, is_narrow, legend_height, text_size};
use super::{FONT, GRID, INK};
use crate::summary::Summary;

/// Rows that are drawn; the table has all.
const ROWS: usize = 12;

pub(super) struct Differences {
    /// What a row belongs to: variants that are compared with the first, or verdicts.
    others: Vec<String>,
    /// The colour of each.
    colours: Vec<usize>,
    rows: Vec<Comparison>,
}

/// `None` when there is nothing to compare. Rows without any difference are left to the table.
pub(super) fn differences(summary: &Summary) -> Option<Differences> {
    let others: Vec<String> = summary.variants.iter().skip(1).cloned().collect();
    let mut rows = comparisons(summary);
    rows.retain(|row| row.paired.differences.iter().any(|d| *d != 0.0));
    rows.truncate(ROWS);
    // The reference has the first colour.
    let colours = (1..=others.len()).collect();
    (!rows.is_empty()).then_some(Differences { others, colours, rows })
}

/// Rows by what they come to, each with its colour.
pub(super) fn judged(verdicts: &[(&str, usize)], rows: Vec<Comparison>) -> Differences {
    let (others, colours) = verdicts.iter().map(|(name, colour)| ((*name).to_owned(), *colour)).unzip();
    Differences { others, colours, rows }
}

const ROW: i32 = 40;
const ROW_NARROW: i32 = 62;

impl Differences {
    fn labels(&self) -> Vec<&str> {
        if self.others.len() > 1 || self.colours != [1] {
            self.others.iter().map(String::as_str).collect()
        } else {
            Vec::new()
        }
    }

    fn number(&self, row: &Comparison) -> usize {
        let place = self.others.iter().position(|name| *name == row.variant).unwrap_or(0);
        self.colours.get(place).copied().unwrap_or(0)
    }

    fn row(width: u32) -> i32 {
        if is_narrow(width) { ROW_NARROW } else { ROW }
    }

    pub(super) fn size(&self, width: u32) -> (u32, u32) {
        let body = Self::row(width) * self.rows.len() as i32 + 12;
        (width, legend_height(&self.labels(), width) + body as u32)
    }

    pub(super) fn render(&self, area: &Area<'_>, width: u32) -> Drawn {
        let (head, body) = area.split_vertically(legend_height(&self.labels(), width));
        draw_legend(&head, &self.labels(), width, |number, x, y| {
            let number = self.colours.get(number).copied().unwrap_or(0);
            head.draw(&Circle::new((x + 11, y), 5, colour(number).filled()))?;
            Ok(())
        })?;
        let narrow = is_narrow(width);
        // Name, panel and figures stand side by side, or on a phone the panel below the others.
        let (left, right) = if narrow { (12, width as i32 - 12) } else { (236, 540) };
        let size = text_size(width) - i32::from(!narrow);
        for (k, row) in self.rows.iter().enumerate() {
            let top = 6 + k as i32 * Self::row(width);
            let line = if narrow { top + 34 } else { top + 13 };
            let text = (FONT, size).into_font().color(&INK);
            let at = |h| text.clone().pos(Pos::new(h, VPos::Center));
            let said = if narrow { top + 10 } else { line };
            body.draw(&Text::new(row.label.clone(), (4, said), at(HPos::Left)))?;
            let mean = number_signed(row.paired.mean);
            let mean = if narrow { mean } else { row.mean() };
            body.draw(&Text::new(mean, (width as i32 - 6, said), at(HPos::Right)))?;
            self.panel(&body, row, (left, right), line, size)?;
        }
        Ok(())
    }

    fn panel(
        &self,
        body: &Area<'_>,
        row: &Comparison,
        (left, right): (i32, i32),
        y: i32,
        size: i32,
    ) -> Drawn {
        let p = &row.paired;
        let ends = ends(row);
        // Variants of one metric share its scale.
        let alike = self.rows.iter().filter(|other| other.label == row.label);
        let all = alike.flat_map(|other| other.paired.differences.iter().copied().chain(self::ends(other)));
        let reach = all.fold(f64::MIN_POSITIVE, |most, d| most.max(d.abs()));
        let middle = f64::from(left + right) / 2.0;
        let half = f64::from(right - left) / 2.0 - 4.0;
        let x = |d: f64| (middle + d / reach * half) as i32;
        body.draw(&PathElement::new(vec![(left, y), (right, y)], GRID.mix(0.25)))?;
        body.draw(&PathElement::new(vec![(x(0.0), y - 10), (x(0.0), y + 10)], GRID.mix(0.7)))?;
        let small = (FONT, size - 3).into_font().color(&INK.mix(0.7));
        let below = y + 17;
        for (at, text, h) in [
            (left, number_signed(-reach), HPos::Left),
            (x(0.0), "0".to_owned(), HPos::Center),
            (right, number_signed(reach), HPos::Right),
        ] {
            body.draw(&Text::new(text, (at, below), small.clone().pos(Pos::new(h, VPos::Center))))?;
        }
        let colour = colour(self.number(row));
        let mut seeds: Vec<i32> = p.differences.iter().map(|d| x(*d)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        for seed in seeds {
            body.draw(&Circle::new((seed, y), 3, colour.mix(0.45).filled()))?;
        }
        if p.mean_interval.is_some() {
            body.draw(&PathElement::new(vec![(x(ends[0]), y), (x(ends[1]), y)], INK.stroke_width(2)))?;
            for end in ends {
                body.draw(&PathElement::new(vec![(x(end), y - 5), (x(end), y + 5)], INK.stroke_width(2)))?;
            }
        }
        body.draw(&Circle::new((x(p.mean), y), 5, colour.filled()))?;
        body.draw(&Circle::new((x(p.mean), y), 5, INK))?;
        Ok(())
    }
}

/// The ends of the mean's interval; 0 where there is none.
fn ends(row: &Comparison) -> [f64; 2] {
    row.paired.mean_interval.map_or([0.0; 2], |i| [i.low.value, i.high.value])
}

fn number_signed(x: f64) -> String {
    if x > 0.0 { format!("+{}", number(x)) } else { number(x) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};
    use crate::stats;

    #[test]
    fn only_what_differs_is_drawn_and_each_variant_has_its_colour() {
        let mut runs = Vec::new();
        for seed in 1..=6 {
            for (k, variant) in ["a", "b", "c"].into_iter().enumerate() {
                let mut run = run(variant, seed, 0);
                run.values.insert("load.bytes".to_owned(), stats::seen(100.0 + (k as u64 * seed) as f64));
                runs.push(run);
            }
        }
        let it = differences(&Summary::new(&scenario(), "d", runs.clone())).unwrap();
        let labels: Vec<(&str, usize)> = it.rows.iter().map(|r| (r.variant.as_str(), it.number(r))).collect();
        assert_eq!(labels, [("b", 1), ("c", 2)]);
        assert!(it.rows.iter().all(|r| r.label == "load.bytes (B per node-second)"));
        runs.retain(|r| r.variant == "a");
        assert!(differences(&Summary::new(&scenario(), "d", runs)).is_none());
    }
}
