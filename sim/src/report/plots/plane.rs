//! Trade-off planes: two objectives against each other, a point for each setting, and what no other point beats.

use std::io;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::figures::unit;
use super::chart::{Area, Drawn, colour, draw_legend, is_narrow, legend_height, text_size};
use super::scale::Scale;
use super::{FONT, GRID, INK, Plot, draw, register};
use crate::metric::Unit;
use crate::sweep::{Better, Estimate, Marginal, Objective, Outcome, Standing, Sweep};

const SIZES: [(u32, u32); 2] = [(760, 440), (350, 340)];
/// Up to so many points all have their intervals; of more only those on the front.
const INTERVALS_MAX: usize = 40;
/// Points on the front that bear their numbers.
const NUMBERED_MAX: usize = 24;
/// Planes of one answer: all pairs of three objectives.
const PLANES_MAX: usize = 3;

/// A point of a plane.
struct Dot {
    number: usize,
    /// Its figures in the two objectives.
    at: [Estimate; 2],
    group: usize,
    standing: Standing,
}

struct Plane<'s> {
    objectives: [&'s Objective; 2],
    dots: Vec<Dot>,
    /// What the colours stand for; empty when there is one only.
    legend: Vec<String>,
    /// The points of the front in these two objectives alone, from left to right.
    line: Vec<usize>,
}

/// All planes; colours stand for the values of a key.
pub(in crate::report) fn planes(sweep: &Sweep, key: Option<&Marginal>) -> io::Result<Vec<Plot>> {
    register();
    let count = sweep.objectives.len();
    let pairs = (0..count).flat_map(|x| (x + 1..count).map(move |y| (x, y)));
    // What is rare has the upright axis.
    let upright = |(x, y): (usize, usize)| if is_rare(&sweep.objectives[x]) { (y, x) } else { (x, y) };
    pairs.take(PLANES_MAX).map(upright).map(|pair| plot(sweep, key, pair)).collect()
}

fn plot(sweep: &Sweep, key: Option<&Marginal>, pair: (usize, usize)) -> io::Result<Plot> {
    let plane = Plane::new(sweep, key, pair);
    let (x, y) = (plane.objectives[0].name(), plane.objectives[1].name());
    let render = |(width, height)| {
        let size = (width, height + legend_height(&plane.labels(), width));
        draw(size, |area| plane.render(area, width))
    };
    let [wide, narrow] = SIZES.map(render);
    let id = format!("plane-{}-{}", x.replace('.', "-"), y.replace('.', "-"));
    Ok(Plot {
        id,
        title: format!("{y} against {x}"),
        caption: plane.caption(sweep),
        wide: wide?,
        narrow: narrow?,
    })
}

fn is_rare(objective: &Objective) -> bool {
    objective.entry().is_some_and(|entry| entry.unit == Unit::PerNodeHour)
}

impl<'s> Plane<'s> {
    fn new(sweep: &'s Sweep, key: Option<&Marginal>, (x, y): (usize, usize)) -> Self {
        let legend = key.map_or(Vec::new(), |key| {
            let short = key.key.rsplit('.').next().unwrap_or(&key.key);
            key.groups.iter().map(|group| format!("{short} {}", group.value)).collect()
        });
        let dot = |point: &Outcome| {
            let at = [*point.figures.get(x)?, *point.figures.get(y)?];
            at.iter().all(|figure| figure.value.is_some()).then_some(Dot {
                number: point.number,
                at,
                group: key.map_or(0, |key| key.group_of(point.number)),
                standing: point.standing,
            })
        };
        let mut plane = Self {
            objectives: [&sweep.objectives[x], &sweep.objectives[y]],
            dots: sweep.points.iter().filter_map(dot).collect(),
            legend,
            line: Vec::new(),
        };
        plane.line = plane.front();
        plane
    }

    fn labels(&self) -> Vec<&str> {
        self.legend.iter().map(String::as_str).collect()
    }

    /// Indexes of the dots that no other beats in these two objectives, from the best in the first to the worst.
    fn front(&self) -> Vec<usize> {
        let figures: Vec<Vec<Estimate>> = self.dots.iter().map(|dot| dot.at.to_vec()).collect();
        let objectives = self.objectives.map(Clone::clone);
        let on = crate::sweep::front(&objectives, &figures);
        let mut line: Vec<usize> = (0..self.dots.len()).filter(|k| on[*k]).collect();
        line.sort_by(|a, b| match (self.dots[*a].at[0].value, self.dots[*b].at[0].value) {
            (Some(a), Some(b)) => objectives[0].rank(&a, &b),
            _ => std::cmp::Ordering::Equal,
        });
        line
    }

    fn caption(&self, sweep: &Sweep) -> String {
        let front = self.dots.iter().filter(|dot| dot.standing == Standing::Front).count();
        let whole = if sweep.objectives.len() > 2 {
            format!(
                "ringed and numbered, the {front} on the front of all {} objectives; ",
                sweep.objectives.len()
            )
        } else {
            "ringed and numbered, those on the front; ".to_owned()
        };
        let mut text = format!(
            "Each point is a setting, over {} seeds. The line is the front of these two objectives alone (nothing lies beyond it on the better side); {whole}\
             pale, those behind it beyond chance. Thin lines: 95 % intervals{}.",
            sweep.seeds,
            if self.dots.len() > INTERVALS_MAX { ", of the front" } else { "" }
        );
        if self.dots.iter().any(|dot| dot.at.iter().any(Estimate::never)) {
            text.push_str(
                " None: it was never seen; the thin line ends at the upper limit that the exposure carries.",
            );
        }
        if self.dots.iter().any(|dot| dot.at.iter().any(|figure| figure.value.is_some_and(|v| v.censored))) {
            text.push_str(" Hollow: it had not happened when the runs ended, so the true value is larger.");
        }
        text
    }

    /// An axis that has room for all figures, and for the intervals of what was never seen.
    fn scale(&self, axis: usize, marks: usize) -> Scale {
        let values = self.dots.iter().flat_map(|dot| {
            let figure = dot.at[axis];
            let shown = figure.never() || dot.standing == Standing::Front || self.dots.len() <= INTERVALS_MAX;
            // A lower end may be as good as 0, where a logarithm has no place for it.
            let low = figure.low.filter(|low| figure.high.is_some_and(|high| low.value * 10.0 > high.value));
            let ends = [low, figure.high].into_iter().flatten().filter(move |_| shown);
            figure.value.into_iter().chain(ends).map(|sample| sample.value)
        });
        Scale::of(&values.collect::<Vec<f64>>(), is_rare(self.objectives[axis]), marks)
    }

    fn render(&self, area: &Area<'_>, width: u32) -> Drawn {
        let (head, body) = area.split_vertically(legend_height(&self.labels(), width));
        draw_legend(&head, &self.labels(), width, |number, x, y| {
            head.draw(&Circle::new((x + 11, y), 5, colour(number).filled()))?;
            Ok(())
        })?;
        let narrow = is_narrow(width);
        let (x, y) = (self.scale(0, if narrow { 5 } else { 9 }), self.scale(1, 7));
        let text = (FONT, text_size(width)).into_font().color(&INK);
        let mut on = ChartBuilder::on(&body)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(40)
            .y_label_area_size(if narrow { 56 } else { 72 })
            .build_cartesian_2d(x.clone(), y.clone())?;
        on.configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.mix(0.18))
            .axis_style(GRID.mix(0.6))
            .x_label_formatter(&|at| x.label(*at))
            .y_label_formatter(&|at| y.label(*at))
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(described(self.objectives[0], narrow))
            .y_desc(described(self.objectives[1], narrow))
            .draw()?;
        let place = |dot: &Dot| {
            let value = |axis: usize| dot.at[axis].value.map_or(0.0, |sample| sample.value);
            (x.place(value(0)), y.place(value(1)))
        };
        on.draw_series(self.intervals(&x, &y))?;
        let steps = steps(&self.line.iter().map(|k| place(&self.dots[*k])).collect::<Vec<_>>());
        on.draw_series([PathElement::new(steps, INK.mix(0.55).stroke_width(2))])?;
        let mut taken: Vec<(i32, i32)> = Vec::new();
        // What is on the front covers what is not.
        for of_front in [false, true] {
            for dot in self.dots.iter().filter(|dot| (dot.standing == Standing::Front) == of_front) {
                let at = place(dot);
                on.draw_series(mark(dot, at))?;
                let pixel = on.backend_coord(&at);
                if of_front {
                    number_dot(area, dot, pixel, width, &mut taken)?;
                }
            }
        }
        Ok(())
    }

    /// Intervals, both ways.
    fn intervals(&self, x: &Scale, y: &Scale) -> Vec<PathElement<(f64, f64)>> {
        let all = self.dots.len() <= INTERVALS_MAX;
        let shown = self.dots.iter().filter(|dot| all || dot.standing == Standing::Front);
        let lines = shown.flat_map(|dot| {
            let style = colour(dot.group)
                .mix(if dot.standing == Standing::Front { 0.9 } else { 0.35 })
                .stroke_width(1);
            let middle = |axis: usize| dot.at[axis].value.map_or(0.0, |sample| sample.value);
            let ends = |axis: usize| {
                dot.at[axis].low.zip(dot.at[axis].high).map(|(low, high)| (low.value, high.value))
            };
            let (mx, my) = (x.place(middle(0)), y.place(middle(1)));
            let across = ends(0).map(|(low, high)| vec![(x.place(low), my), (x.place(high), my)]);
            let along = ends(1).map(|(low, high)| vec![(mx, y.place(low)), (mx, y.place(high))]);
            across.into_iter().chain(along).map(move |line| PathElement::new(line, style))
        });
        lines.collect()
    }
}

/// The front as steps: between two of its points nothing is known to be better than both.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if let Some(last) = steps.last().copied() {
            steps.push((point.0, last.1));
        }
        steps.push(*point);
    }
    steps
}

fn mark(dot: &Dot, at: (f64, f64)) -> Vec<Circle<(f64, f64), i32>> {
    let own = colour(dot.group);
    let censored = dot.at.iter().any(|figure| figure.value.is_some_and(|value| value.censored));
    match dot.standing {
        _ if censored => vec![Circle::new(at, 4, own.stroke_width(1))],
        Standing::Front => vec![Circle::new(at, 6, own.filled()), Circle::new(at, 6, INK.stroke_width(2))],
        Standing::NotDistinguishable => vec![Circle::new(at, 5, own.filled())],
        Standing::Behind | Standing::NoValue => vec![Circle::new(at, 3, own.mix(0.45).filled())],
    }
}

/// Writes a point's number beside it, where no other stands.
fn number_dot(
    area: &Area<'_>,
    dot: &Dot,
    (x, y): (i32, i32),
    width: u32,
    taken: &mut Vec<(i32, i32)>,
) -> Drawn {
    let places = [(9, -9), (9, 11), (-9, -9), (-9, 11)].map(|(dx, dy)| (x + dx, y + dy));
    let free =
        |place: &(i32, i32)| taken.iter().all(|t| (t.0 - place.0).abs() > 26 || (t.1 - place.1).abs() > 13);
    let Some(place) = places.into_iter().find(free).filter(|_| taken.len() < NUMBERED_MAX) else {
        return Ok(());
    };
    taken.push(place);
    let side = if place.0 > x { HPos::Left } else { HPos::Right };
    let style = (FONT, text_size(width) - 2).into_font().color(&INK).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(dot.number.to_string(), place, style))?;
    Ok(())
}

/// An axis in words: name, unit, which way is better.
fn described(objective: &Objective, narrow: bool) -> String {
    let unit = objective.entry().map_or("", |entry| unit(entry.unit));
    let name = if unit.is_empty() { objective.name() } else { format!("{} ({unit})", objective.name()) };
    let better = if objective.better == Better::Min { "less is better" } else { "more is better" };
    if narrow { name } else { format!("{name}, {better}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sweep::tests::sweep;

    #[test]
    fn every_pair_of_objectives_has_a_plane_that_says_its_units() {
        let sweep = sweep();
        let plots = planes(&sweep, sweep.marginals.first()).unwrap();
        let ids: Vec<&str> = plots.iter().map(|plot| plot.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "plane-detection-all-p50-false_positive_rate-all",
                "plane-detection-all-p50-load-bytes",
                "plane-load-bytes-false_positive_rate-all"
            ]
        );
        let first = &plots[0];
        for part in ["detection.all.p50 (s), less is better", "per node-hour", "none", "suspicion_mult 2"] {
            assert!(first.wide.contains(part), "{part}");
        }
        assert!(first.caption.contains("never seen") && !first.wide.contains("#010203"));
        assert_eq!(planes(&sweep, None).unwrap().len(), 3);
    }

    #[test]
    fn the_line_goes_through_the_front_of_its_two_objectives() {
        let sweep = sweep();
        let plane = Plane::new(&sweep, None, (0, 2));
        for (number, dot) in plane.dots.iter().enumerate() {
            let beaten = plane.dots.iter().any(|other| {
                let value = |dot: &Dot, axis: usize| dot.at[axis].value.unwrap().value;
                value(other, 0) <= value(dot, 0)
                    && value(other, 1) <= value(dot, 1)
                    && (value(other, 0), value(other, 1)) != (value(dot, 0), value(dot, 1))
            });
            assert_eq!(plane.line.contains(&number), !beaten, "{}", dot.number);
        }
        assert_eq!(steps(&[(1.0, 5.0), (2.0, 3.0)]), [(1.0, 5.0), (2.0, 5.0), (2.0, 3.0)]);
    }
}
