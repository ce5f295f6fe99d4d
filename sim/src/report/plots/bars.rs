//! Traffic by message kind: a group of bars per kind, a bar per variant.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::figures::{load_by_kind, node_seconds, number};
use super::chart::{Area, Drawn, colour, draw_legend, is_narrow, legend_height, text_size};
use super::{FONT, GRID, INK};
use crate::summary::Summary;

/// Kinds that have a group of their own; the rest is summed.
const KINDS: usize = 9;
/// Kinds with less of the bytes than this are summed with the rest.
const SHARE_MIN: f64 = 0.004;

pub(super) struct Bars {
    variants: Vec<String>,
    /// Kind, and bytes per node-second of each variant.
    groups: Vec<(String, Vec<f64>)>,
}

/// `None` when nothing was sent.
pub(super) fn kinds(summary: &Summary) -> Option<Bars> {
    let mut groups: Vec<(String, Vec<f64>)> = Vec::new();
    for (number, variant) in summary.variants.iter().enumerate() {
        let runs = summary.runs_of(variant);
        let seconds = node_seconds(&runs);
        for sent in load_by_kind(&runs).into_iter().filter(|_| seconds > 0.0) {
            let at = groups.iter().position(|(name, _)| *name == sent.kind).unwrap_or(groups.len());
            if at == groups.len() {
                groups.push((sent.kind, vec![0.0; summary.variants.len()]));
            }
            groups[at].1[number] = sent.bytes as f64 / seconds;
        }
    }
    let most = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
    groups.sort_by(|a, b| most(&b.1).total_cmp(&most(&a.1)).then(a.0.cmp(&b.0)));
    // Bars that would hardly be seen stand together, too.
    let all: f64 = groups.iter().map(|(_, of)| most(of)).sum();
    let tall = groups.iter().filter(|(_, of)| most(of) >= all * SHARE_MIN).count().min(KINDS);
    if groups.len() > tall + 1 {
        let rest = groups.split_off(tall);
        let sum = |v: usize| rest.iter().map(|(_, of)| of[v]).sum();
        groups.push((format!("{} others", rest.len()), (0..summary.variants.len()).map(sum).collect()));
    }
    (!groups.is_empty()).then(|| Bars { variants: summary.variants.clone(), groups })
}

impl Bars {
    fn labels(&self) -> Vec<&str> {
        if self.variants.len() > 1 { self.variants.iter().map(String::as_str).collect() } else { Vec::new() }
    }

    fn bar(&self) -> i32 {
        if self.variants.len() > 4 { 7 } else { 14 }
    }

    fn group(&self) -> i32 {
        self.bar() * self.variants.len() as i32 + 10
    }

    pub(super) fn size(&self, width: u32) -> (u32, u32) {
        let body = self.group() * self.groups.len() as i32 + 34;
        (width, legend_height(&self.labels(), width) + body as u32)
    }

    pub(super) fn render(&self, area: &Area<'_>, width: u32) -> Drawn {
        let (head, body) = area.split_vertically(legend_height(&self.labels(), width));
        draw_legend(&head, &self.labels(), width, |number, x, y| {
            head.draw(&Rectangle::new([(x + 4, y - 6), (x + 18, y + 6)], colour(number).filled()))?;
            Ok(())
        })?;
        let text = (FONT, text_size(width)).into_font().color(&INK);
        let small = (FONT, text_size(width) - 2).into_font().color(&INK);
        let left = if is_narrow(width) { 112 } else { 150 };
        let room = width as i32 - left - if is_narrow(width) { 58 } else { 74 };
        let most = self.groups.iter().flat_map(|(_, of)| of).copied().fold(f64::MIN_POSITIVE, f64::max);
        for (k, (kind, values)) in self.groups.iter().enumerate() {
            let top = 8 + k as i32 * self.group();
            let middle = top + self.bar() * values.len() as i32 / 2;
            let style = text.clone().pos(Pos::new(HPos::Right, VPos::Center));
            body.draw(&Text::new(kind.clone(), (left - 8, middle), style))?;
            for (v, value) in values.iter().enumerate() {
                let y = top + self.bar() * v as i32;
                let right = left + (value / most * f64::from(room)) as i32;
                let bar = Rectangle::new(
                    [(left, y), (right.max(left + 1), y + self.bar() - 2)],
                    colour(v).filled(),
                );
                body.draw(&bar)?;
                if self.bar() > 10 {
                    let style = small.clone().pos(Pos::new(HPos::Left, VPos::Center));
                    body.draw(&Text::new(number(*value), (right + 5, y + self.bar() / 2 - 1), style))?;
                }
            }
        }
        let bottom = 8 + self.group() * self.groups.len() as i32;
        body.draw(&PathElement::new(vec![(left, 2), (left, bottom)], GRID.mix(0.6)))?;
        let style = text.pos(Pos::new(HPos::Left, VPos::Top));
        body.draw(&Text::new("bytes per node-second".to_owned(), (left, bottom + 4), style))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::KindLoad;
    use crate::report::synthetic::{run, scenario};

    #[test]
    fn kinds_are_grouped_by_variant_and_the_small_ones_are_summed() {
        let (mut a, b) = (run("a", 1, 1), run("b", 1, 1));
        for k in 0..12 {
            let load = KindLoad { messages: 1, packets: 1, bytes: 169_920 * (k + 1) };
            a.load_by_kind.insert(format!("kind-{k:02}"), load);
        }
        let bars = kinds(&Summary::new(&scenario(), "d", vec![a, b])).unwrap();
        assert_eq!(bars.groups.len(), KINDS + 1);
        let largest = &bars.groups.iter().find(|(kind, _)| kind == "kind-11").unwrap().1;
        assert_eq!(largest[1], 0.0);
        assert!((largest[0] - 12.0).abs() < 1e-9, "169,920 node-seconds in 47.2 hours");
        assert!(bars.groups[KINDS].0.ends_with("others") && bars.groups[KINDS].1[0] > 0.0);
    }
}
