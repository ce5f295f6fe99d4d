//! Lines on two axes, with a legend above them that hides nothing.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::figures::number;
use super::{COLOURS, DASHED_LINE, DASHED_MARK, DASHED_THEORY, FONT, GRID, INK};

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// In the colour of that number; those beyond the last colour are dashed.
    Measured(usize),
    /// Dashed, in the colour of the text: what theory says.
    Theory,
}

pub(super) struct Line {
    /// Empty: not in the legend.
    pub(super) label: String,
    pub(super) look: Look,
    pub(super) points: Vec<(f64, f64)>,
    /// Outline of the surface behind the line.
    pub(super) band: Vec<(f64, f64)>,
}

pub(super) struct Chart {
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) x_range: (f64, f64),
    pub(super) y_max: f64,
    pub(super) lines: Vec<Line>,
    /// Where something begins.
    pub(super) marks: Vec<f64>,
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

pub(super) fn is_narrow(width: u32) -> bool {
    width < 500
}

pub(super) fn text_size(width: u32) -> i32 {
    if is_narrow(width) { 13 } else { 15 }
}

pub(super) fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

const LEGEND_ROW: i32 = 21;
const SWATCH: i32 = 22;

/// Where the entries of a legend go, in a width: left ends and rows, and how many rows there are.
pub(super) fn legend_places(labels: &[&str], width: u32) -> (Vec<(i32, i32)>, i32) {
    let size = f64::from(text_size(width));
    let (mut x, mut row) = (8, 0);
    let mut places = Vec::new();
    for label in labels {
        // The width in common sans-serifs: the reader's own font draws it.
        let wide = SWATCH + 6 + (label.chars().count() as f64 * size * 0.54) as i32 + 14;
        if x > 8 && x + wide > width as i32 - 8 {
            x = 8;
            row += 1;
        }
        places.push((x, row));
        x += wide;
    }
    (places, if labels.is_empty() { 0 } else { row + 1 })
}

pub(super) fn legend_height(labels: &[&str], width: u32) -> u32 {
    (legend_places(labels, width).1 * LEGEND_ROW) as u32
}

/// Draws a legend; `swatch` draws an entry's sign at the left end and the middle of its row.
pub(super) fn draw_legend(
    area: &Area<'_>,
    labels: &[&str],
    width: u32,
    swatch: impl Fn(usize, i32, i32) -> Drawn,
) -> Drawn {
    let style = (FONT, text_size(width)).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    for (number, (label, (x, row))) in labels.iter().zip(legend_places(labels, width).0).enumerate() {
        let y = 6 + row * LEGEND_ROW + LEGEND_ROW / 2;
        swatch(number, x, y)?;
        area.draw(&Text::new((*label).to_owned(), (x + SWATCH + 6, y), style.clone()))?;
    }
    Ok(())
}

impl Chart {
    fn labels(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.label.as_str()).filter(|label| !label.is_empty()).collect()
    }

    /// The size with the room that the legend takes.
    pub(super) fn size(&self, (width, height): (u32, u32)) -> (u32, u32) {
        (width, height + legend_height(&self.labels(), width))
    }

    pub(super) fn render(&self, area: &Area<'_>, width: u32) -> Drawn {
        let legend = legend_height(&self.labels(), width);
        let (head, body) = area.split_vertically(legend);
        self.legend(&head, width)?;
        self.plot(&body, width)
    }

    fn legend(&self, area: &Area<'_>, width: u32) -> Drawn {
        let named: Vec<&Line> = self.lines.iter().filter(|line| !line.label.is_empty()).collect();
        draw_legend(area, &self.labels(), width, |number, x, y| {
            area.draw(&PathElement::new(
                vec![(x, y), (x + SWATCH, y)],
                named[number].look.style(named.len() > 1),
            ))?;
            Ok(())
        })
    }

    fn plot(&self, area: &Area<'_>, width: u32) -> Drawn {
        let narrow = is_narrow(width);
        let text = (FONT, text_size(width)).into_font().color(&INK);
        let top = if self.y_max > 0.0 { self.y_max * 1.05 } else { 1.0 };
        let (left, right) = self.x_range;
        let right = if right > left { right } else { left + 1.0 };
        let mut on = ChartBuilder::on(area)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(38)
            .y_label_area_size(if narrow { 52 } else { 64 })
            .build_cartesian_2d(left..right, 0.0..top)?;
        on.configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.mix(0.18))
            .axis_style(GRID.mix(0.6))
            .x_labels(if narrow { 5 } else { 9 })
            .y_labels(6)
            .x_label_formatter(&|v| tick(*v))
            .y_label_formatter(&|v| tick(*v))
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()?;
        let dotted = GRID.mix(0.6).stroke_width(DASHED_MARK);
        for mark in &self.marks {
            on.draw_series([PathElement::new(vec![(*mark, 0.0), (*mark, top)], dotted)])?;
        }
        for line in &self.lines {
            if let (Look::Measured(number), false) = (line.look, line.band.is_empty()) {
                on.draw_series([Polygon::new(line.band.clone(), colour(number).mix(0.2).filled())])?;
            }
        }
        for line in &self.lines {
            on.draw_series(LineSeries::new(
                line.points.iter().copied(),
                line.look.style(self.lines.len() > 1),
            ))?;
        }
        Ok(())
    }
}

impl Look {
    /// Among several lines the first is wide, so that it shows where another covers it.
    fn style(self, several: bool) -> ShapeStyle {
        match self {
            Self::Measured(0) if several => colour(0).stroke_width(3),
            Self::Measured(number) if number < COLOURS.len() => colour(number).stroke_width(2),
            Self::Measured(number) => colour(number).stroke_width(DASHED_LINE),
            Self::Theory => INK.mix(0.9).stroke_width(DASHED_THEORY),
        }
    }
}

fn tick(value: f64) -> String {
    // Steps like 0.1 arrive with the last bit wrong.
    let rounded = libm::round(value * 1e6) / 1e6;
    if rounded.abs() < 1.0 || (rounded.abs() < 10.0 && rounded != libm::trunc(rounded)) {
        rounded.to_string()
    } else {
        number(rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_wraps_and_never_leaves_its_width() {
        let labels = ["suspicion.first (n = 100)", "detection.first (n = 100)", "detection.all (n = 100)"];
        let (wide, rows) = legend_places(&labels, 760);
        assert_eq!((rows, wide[0]), (1, (8, 0)));
        let (narrow, rows) = legend_places(&labels, 350);
        assert_eq!((rows, narrow.iter().all(|(x, _)| *x == 8)), (3, true));
        assert_eq!(legend_places(&[], 350).1, 0);
    }
}
