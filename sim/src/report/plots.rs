//! Plots as SVG, drawn in two widths so that text stays readable on a phone. Colours are those of the reader's page.

use std::io;
use std::sync::Once;

use plotters::prelude::*;
use plotters::style::register_font;

use super::figures::{grouped_count, number, pooled};
use crate::record::{RunRecord, Series};
use crate::stats;
use crate::summary::Summary;

/// Measures text for layout; the reader's own sans-serif draws it.
const FONT: &str = "sans-serif";
/// Stand-ins that become the page's own colours.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(4, 5, 6);
/// Mid-tones that read on white and on near-black.
const COLOURS: [RGBColor; 4] =
    [RGBColor(59, 130, 196), RGBColor(217, 120, 43), RGBColor(47, 158, 110), RGBColor(160, 107, 214)];
const SIZES: [(u32, u32); 2] = [(760, 320), (350, 280)];
/// Points of a line; more would not be seen.
const POINTS: usize = 400;

/// One plot.
pub(super) struct Plot {
    /// File name without its ending.
    pub(super) id: String,
    pub(super) title: String,
    /// What is drawn, and from how much.
    pub(super) caption: String,
    pub(super) wide: String,
    pub(super) narrow: String,
}

impl Plot {
    /// The wide drawing as a file of its own, light or dark as the viewer prefers.
    pub(super) fn standalone(&self) -> String {
        const STYLE: &str = "<style>svg{color:#1b2430;background:#fff}\
            @media (prefers-color-scheme:dark){svg{color:#dde3ea;background:#14181d}}</style>";
        self.wide.replacen('>', &format!(">{STYLE}"), 1)
    }
}

struct Line {
    label: String,
    points: Vec<(f64, f64)>,
    band: Vec<(f64, f64)>,
}

struct Chart<'a> {
    x: &'a str,
    y: &'a str,
    x_max: f64,
    y_max: f64,
    lines: Vec<Line>,
    marks: Vec<f64>,
}

/// All plots of all variants.
pub(super) fn all(summary: &Summary) -> io::Result<Vec<Plot>> {
    register();
    let mut plots = Vec::new();
    for variant in &summary.variants {
        let runs = summary.runs_of(variant);
        let (suffix, of) = if summary.variants.len() > 1 {
            (format!("-{}", file_name(variant)), format!(", {variant}"))
        } else {
            (String::new(), String::new())
        };
        let mut add = |id: &str, title: &str, caption: String, chart: Option<Chart>| {
            let Some(chart) = chart else { return Ok::<(), io::Error>(()) };
            plots.push(Plot {
                id: format!("{id}{suffix}"),
                title: format!("{title}{of}"),
                caption,
                wide: draw(&chart, SIZES[0])?,
                narrow: draw(&chart, SIZES[1])?,
            });
            Ok(())
        };
        let over = format!(
            "Line: median of seeds; band: least to most. n = {} seeds. Dashed: a fault begins.",
            runs.len()
        );
        add(
            "members-wrong",
            "Views that differ from the truth",
            over.clone(),
            time(&runs, "pairs", |s, k| at(&s.wrong, k)),
        )?;
        let n =
            "All seeds together; a curve that stays below 1 has censored samples (Kaplan-Meier).".to_owned();
        add(
            "detection",
            "Detection",
            n.clone(),
            cdf(&runs, &["suspicion.first", "detection.first", "detection.all"]),
        )?;
        let spread =
            ["dissemination.failure", "dissemination.join", "dissemination.leave", "dissemination.update"];
        add("dissemination", "Dissemination", n, cdf(&runs, &spread))?;
        add(
            "traffic",
            "Traffic per node that is up",
            over.clone(),
            time(&runs, "bytes per node-second", traffic),
        )?;
        add(
            "queue-depth",
            "Deepest broadcast queue",
            over.clone(),
            time(&runs, "messages", |s, k| s.queue_depth.get(k).map(|v| f64::from(*v))),
        )?;
        add(
            "suspicions",
            "Open suspicions",
            over.clone(),
            time(&runs, "suspicions", |s, k| at(&s.suspects, k)),
        )?;
        add(
            "false-positives",
            "False positives so far",
            over,
            time(&runs, "count", |s, k| at(&s.false_positives, k)),
        )?;
    }
    Ok(plots)
}

fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let normal = include_bytes!("../../assets/DejaVuSans.ttf");
        let bold = include_bytes!("../../assets/DejaVuSans-Bold.ttf");
        // A font that does not load shows as an error of the first drawing.
        let _ = register_font(FONT, FontStyle::Normal, normal);
        let _ = register_font(FONT, FontStyle::Bold, bold);
    });
}

fn file_name(variant: &str) -> String {
    variant.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn at(column: &[u64], k: usize) -> Option<f64> {
    column.get(k).map(|v| *v as f64)
}

fn traffic(s: &Series, k: usize) -> Option<f64> {
    let bytes = s.packet_bytes.get(k)? + s.stream_bytes.get(k)?;
    let up = *s.up.get(k)?;
    (up > 0 && s.step > 0.0).then(|| bytes as f64 / f64::from(up) / s.step)
}

/// A figure over time: median of the seeds, and the band between the least and the most.
fn time<'a>(
    runs: &[&RunRecord],
    y: &'a str,
    of: impl Fn(&Series, usize) -> Option<f64>,
) -> Option<Chart<'a>> {
    let length = runs.iter().map(|r| r.series.up.len()).max()?;
    let step = runs.iter().map(|r| r.series.step).find(|s| *s > 0.0)?;
    let stride = length.div_ceil(POINTS).max(1);
    let (mut points, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
    for from in (0..length).step_by(stride) {
        // A point that stands for several shows the largest: a peak must not fall between two points.
        let mut values: Vec<f64> = runs
            .iter()
            .filter_map(|r| (from..from + stride).filter_map(|k| of(&r.series, k)).max_by(f64::total_cmp))
            .collect();
        values.sort_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (values.first(), values.last()) {
            let x = from as f64 * step;
            points.push((x, (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0));
            low.push((x, *least));
            high.push((x, *most));
        }
    }
    let x_max = points.last()?.0;
    let y_max = high.iter().map(|p| p.1).fold(0.0, f64::max);
    high.extend(low.into_iter().rev());
    let mut marks: Vec<f64> = runs.first()?.faults.iter().map(|f| f.at).collect();
    marks.dedup();
    marks.truncate(60);
    let lines = vec![Line { label: String::new(), points, band: high }];
    Some(Chart { x: "seconds since the start", y, x_max, y_max, lines, marks })
}

/// How the samples of some metrics are distributed.
fn cdf(runs: &[&RunRecord], metrics: &[&str]) -> Option<Chart<'static>> {
    let mut lines = Vec::new();
    let mut x_max = 0.0f64;
    for metric in metrics {
        let samples = pooled(runs, metric);
        let Some(last) = samples.last() else { continue };
        x_max = x_max.max(last.value);
        let steps = stats::distribution(&samples);
        let stride = steps.len().div_ceil(POINTS).max(1);
        let mut points = vec![(0.0, 0.0)];
        for (k, step) in steps.iter().enumerate() {
            if k % stride == 0 || k + 1 == steps.len() {
                let before = points.last().map_or(0.0, |p| p.1);
                points.extend([(step.value, before), (step.value, step.share)]);
            }
        }
        let reached = points.last().map_or(0.0, |p| p.1);
        points.push((last.value, reached));
        let label = format!("{metric} (n = {})", grouped_count(samples.len() as u64));
        lines.push(Line { label, points, band: Vec::new() });
    }
    if lines.is_empty() {
        return None;
    }
    Some(Chart { x: "seconds", y: "share of samples", x_max, y_max: 1.0, lines, marks: Vec::new() })
}

fn draw(chart: &Chart, size: (u32, u32)) -> io::Result<String> {
    let mut svg = String::new();
    render(chart, size, &mut svg).map_err(|e| io::Error::other(format!("cannot draw a plot: {e}")))?;
    Ok(themed(&svg))
}

fn render(chart: &Chart, size: (u32, u32), svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    let narrow = size.0 < 500;
    let text = (FONT, if narrow { 13 } else { 15 }).into_font().color(&INK);
    let top = if chart.y_max > 0.0 { chart.y_max * 1.05 } else { 1.0 };
    let right = if chart.x_max > 0.0 { chart.x_max } else { 1.0 };
    let mut on = ChartBuilder::on(&area)
        .margin(8)
        .margin_right(16)
        .x_label_area_size(38)
        .y_label_area_size(if narrow { 52 } else { 64 })
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    on.configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.mix(0.18))
        .axis_style(GRID.mix(0.6))
        .x_labels(if narrow { 5 } else { 9 })
        .y_labels(6)
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&|v| tick(*v))
        .label_style(text.clone())
        .axis_desc_style(text.clone())
        .x_desc(chart.x)
        .y_desc(chart.y)
        .draw()?;
    for mark in &chart.marks {
        on.draw_series(DashedLineSeries::new([(*mark, 0.0), (*mark, top)], 3, 4, GRID.mix(0.55).into()))?;
    }
    for (k, line) in chart.lines.iter().enumerate() {
        let colour = COLOURS[k % COLOURS.len()];
        if !line.band.is_empty() {
            on.draw_series([Polygon::new(line.band.clone(), colour.mix(0.25).filled())])?;
        }
        let drawn = on.draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?;
        if !line.label.is_empty() {
            drawn
                .label(line.label.as_str())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(3)));
        }
    }
    if chart.lines.iter().any(|line| !line.label.is_empty()) {
        on.configure_series_labels()
            .position(SeriesLabelPosition::LowerMiddle)
            .legend_area_size(18)
            .margin(6)
            .label_font(text)
            .draw()?;
    }
    drop(on);
    area.present()?;
    Ok(())
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

/// Gives the stand-ins the page's colours, and lets the drawing fill its place.
fn themed(svg: &str) -> String {
    svg.replace("\"#010203\"", "\"currentColor\"").replace("\"#040506\"", "\"currentColor\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario};

    #[test]
    fn plots_take_the_page_s_colours_and_say_their_units_and_n() {
        let runs = (1..=3).map(|s| run("default", s, 40)).collect();
        let plots = all(&Summary::new(&scenario(), "d", runs)).unwrap();
        let ids: Vec<&str> = plots.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "members-wrong",
                "detection",
                "dissemination",
                "traffic",
                "queue-depth",
                "suspicions",
                "false-positives"
            ]
        );
        for plot in &plots {
            assert!(plot.wide.contains("currentColor") && !plot.wide.contains("#010203"), "{}", plot.id);
            assert!(plot.wide.contains("seconds"), "{}", plot.id);
            assert!(plot.caption.contains("n = 3") || plot.wide.contains("n = 120"), "{}", plot.id);
        }
    }

    #[test]
    fn variants_have_plots_of_their_own() {
        let plots = all(&Summary::new(&scenario(), "d", vec![run("a b", 1, 4), run("c", 1, 4)])).unwrap();
        assert!(plots.iter().any(|p| p.id == "traffic-a-b") && plots.iter().any(|p| p.id == "traffic-c"));
    }
}
