//! Plots as SVG, drawn in two widths so that text stays readable on a phone. Colours are those of the reader's page.

mod bars;
mod chart;
mod curves;
mod differences;
mod plane;
mod scale;

use std::io;
use std::sync::Once;

use plotters::prelude::*;
use plotters::style::register_font;

use super::figures::{Comparison, number, pooled};
use crate::summary::Summary;
use chart::{Area, Drawn};
pub(super) use plane::planes;

/// Measures text for layout; the reader's own sans-serif draws it.
const FONT: &str = "sans-serif";
/// Stand-ins that become the page's own colours.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(4, 5, 6);
/// Stand-ins for widths of dashed lines, which plotters would draw dash by dash.
const DASHED_MARK: u32 = 91;
const DASHED_LINE: u32 = 92;
const DASHED_THEORY: u32 = 93;
/// Mid-tones that read on white and on near-black, and that differ in lightness too.
const COLOURS: [RGBColor; 8] = [
    RGBColor(59, 130, 196),
    RGBColor(217, 120, 43),
    RGBColor(47, 158, 110),
    RGBColor(160, 107, 214),
    RGBColor(205, 77, 96),
    RGBColor(128, 134, 42),
    RGBColor(45, 160, 180),
    RGBColor(150, 112, 84),
];
const SIZES: [(u32, u32); 2] = [(760, 300), (350, 260)];
/// Plots of dissemination when variants are compared: one per metric, and a page has room for so many.
const DISSEMINATIONS: usize = 2;

/// Every plot that there may be, by its file name: one that an earlier result had and this one has not is stale.
pub(super) const IDS: [&str; 23] = [
    "differences",
    "members-wrong",
    "detection",
    "dissemination",
    "suspicion-first",
    "detection-first",
    "detection-all",
    "dissemination-failure",
    "dissemination-join",
    "dissemination-leave",
    "dissemination-update",
    "event-latency",
    "query-latency",
    "keys-rotation",
    "false-positives",
    "traffic",
    "kinds",
    "queue-depth",
    "queue-members",
    "queue-intents",
    "queue-queries",
    "queue-events",
    "suspicions",
];

/// Most plots of a page.
const PLOTS_MAX: usize = 12;

/// What is left out first where there would be more.
const SPARE: [&str; 11] = [
    "queue-members",
    "queue-intents",
    "suspicions",
    "keys-rotation",
    "queue-queries",
    "dissemination-update",
    "dissemination-leave",
    "dissemination-join",
    "dissemination-failure",
    "suspicion-first",
    "queue-events",
];

/// The queues of a node, by their names and figures.
const QUEUES: [(&str, &str); 4] = [
    ("members", "queue_members"),
    ("intents", "queue_intents"),
    ("queries", "queue_queries"),
    ("events", "queue_events"),
];

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

/// All plots: at most twelve, however many variants.
pub(super) fn all(summary: &Summary) -> io::Result<Vec<Plot>> {
    register();
    let mut plots = Plots { list: Vec::new() };
    if let Some(it) = differences::differences(summary) {
        let reference = summary.variants.first().map_or("", String::as_str);
        let caption = format!(
            "Each variant less {reference}, paired by seed: small points are seeds, the large one their mean, the line its 95 % \
             interval over seeds (from 6 seeds on). Each metric has its own scale; the table below has all figures. {}",
            seeds(summary)
        );
        plots.add("differences", "Paired differences", caption, |w| it.size(w), |a, w| it.render(a, w))?;
    }
    plots.time(summary, "members-wrong", "Views that differ from the truth", "pairs", "members_wrong")?;
    distributions(summary, &mut plots)?;
    for metric in ["event.latency", "query.latency", "keys.rotation"] {
        plots.cdf(summary, &metric.replace('.', "-"), &heading(metric), &[metric])?;
    }
    plots.time(summary, "false-positives", "False positives so far", "count", "false_positives")?;
    plots.time(
        summary,
        "traffic",
        "Traffic per node that is up",
        "bytes per node-second",
        "bytes_per_node_second",
    )?;
    if let Some(it) = bars::kinds(summary) {
        let caption = format!(
            "Mean over the metered time, headers apart; a packet's bytes are split evenly over its messages. {}",
            seeds(summary)
        );
        plots.add("kinds", "Traffic by message kind", caption, |w| it.size(w), |a, w| it.render(a, w))?;
    }
    queues(summary, &mut plots)?;
    plots.time(summary, "suspicions", "Open suspicions", "suspicions", "suspects")?;
    for spare in SPARE {
        if plots.list.len() > PLOTS_MAX {
            plots.list.retain(|plot| plot.id != spare);
        }
    }
    Ok(plots.list)
}

/// The plot of a comparison: a row per metric, in the colour of what it comes to. `None` without a row.
pub(super) fn compared(
    verdicts: &[(&str, usize)],
    rows: Vec<Comparison>,
    caption: String,
) -> io::Result<Option<Plot>> {
    if rows.is_empty() {
        return Ok(None);
    }
    register();
    let mut plots = Plots { list: Vec::new() };
    let it = differences::judged(verdicts, rows);
    plots.add("differences", "Paired differences", caption, |w| it.size(w), |a, w| it.render(a, w))?;
    Ok(plots.list.pop())
}

/// The deepest queue; where more than news about members ever waited, each kind of queue: of one variant in one plot, of several in one
/// each.
fn queues(summary: &Summary, plots: &mut Plots) -> io::Result<()> {
    let waited =
        |figure: &str| summary.over_time.values().any(|over_time| over_time.bands.contains_key(figure));
    let used: Vec<(&str, &str)> = QUEUES.into_iter().filter(|(_, figure)| waited(figure)).collect();
    let by_queue = used.iter().any(|(name, _)| *name != "members");
    if by_queue && let Some(chart) = curves::times(summary, "messages", &used) {
        let caption = format!("The deepest queue of each kind. {}", time_caption(summary, &chart));
        return plots.chart("queue-depth", "Deepest broadcast queues", caption, &chart);
    }
    plots.time(summary, "queue-depth", "Deepest broadcast queue", "messages", "queue_depth")?;
    for (name, figure) in used.into_iter().filter(|_| by_queue) {
        plots.time(
            summary,
            &format!("queue-{name}"),
            &format!("Deepest queue of {name}"),
            "messages",
            figure,
        )?;
    }
    Ok(())
}

/// Of one variant its metrics together, of several one metric each.
fn distributions(summary: &Summary, plots: &mut Plots) -> io::Result<()> {
    let detections = ["suspicion.first", "detection.first", "detection.all"];
    let spreads =
        ["dissemination.failure", "dissemination.join", "dissemination.leave", "dissemination.update"];
    if summary.variants.len() < 2 {
        plots.cdf(summary, "detection", "Detection", &detections)?;
        return plots.cdf(summary, "dissemination", "Dissemination", &spreads);
    }
    let has =
        |metric: &&str| summary.variants.iter().any(|v| !pooled(&summary.runs_of(v), metric).is_empty());
    for metric in detections.into_iter().chain(spreads.into_iter().filter(has).take(DISSEMINATIONS)) {
        plots.cdf(summary, &metric.replace('.', "-"), &heading(metric), &[metric])?;
    }
    Ok(())
}

/// A metric's name as a heading.
fn heading(metric: &str) -> String {
    let words = match metric {
        "suspicion.first" => "First suspicion",
        "detection.first" => "First detection",
        "detection.all" => "Known to all",
        "event.latency" => "User events, sent to delivered",
        "query.latency" => "Queries, asked to the last answer",
        "keys.rotation" => "Change of keys, first install to done",
        other => return format!("Dissemination ({})", other.rsplit('.').next().unwrap_or(other)),
    };
    words.to_owned()
}

fn seeds(summary: &Summary) -> String {
    format!("n = {} seeds.", summary.seeds.len())
}

fn time_caption(summary: &Summary, chart: &chart::Chart) -> String {
    let band =
        if chart.lines.iter().any(|line| !line.band.is_empty()) { "; band: least to most" } else { "" };
    format!("Line: median of seeds{band}. {} Dashed: a fault begins.", seeds(summary))
}

struct Plots {
    list: Vec<Plot>,
}

impl Plots {
    fn add(
        &mut self,
        id: &str,
        title: &str,
        caption: String,
        size: impl Fn(u32) -> (u32, u32),
        render: impl Fn(&Area<'_>, u32) -> Drawn,
    ) -> io::Result<()> {
        let [wide, narrow] = SIZES.map(|(width, _)| draw(size(width), |area| render(area, width)));
        let (wide, narrow) = (wide?, narrow?);
        self.list.push(Plot { id: id.to_owned(), title: title.to_owned(), caption, wide, narrow });
        Ok(())
    }

    fn chart(&mut self, id: &str, title: &str, caption: String, chart: &chart::Chart) -> io::Result<()> {
        let height = |width| SIZES.iter().find(|(w, _)| *w == width).map_or(300, |(_, height)| *height);
        self.add(id, title, caption, |w| chart.size((w, height(w))), |area, w| chart.render(area, w))
    }

    fn time(
        &mut self,
        summary: &Summary,
        id: &str,
        title: &str,
        y: &'static str,
        figure: &str,
    ) -> io::Result<()> {
        let Some(chart) = curves::time(summary, y, figure) else { return Ok(()) };
        let caption = time_caption(summary, &chart);
        self.chart(id, title, caption, &chart)
    }

    fn cdf(&mut self, summary: &Summary, id: &str, title: &str, metrics: &[&str]) -> io::Result<()> {
        let Some(chart) = curves::cdf(summary, metrics) else { return Ok(()) };
        let mut caption =
            "All seeds together; a curve that stays below 1 has censored samples (Kaplan-Meier).".to_owned();
        if chart.lines.iter().any(|line| !line.band.is_empty()) {
            caption.push_str(" Band: 95 %, pointwise, resampling seeds.");
        }
        for metric in metrics {
            for (variant, theory) in curves::theories(summary, metric) {
                let whose = if summary.variants.len() > 1 && !curves::one_for_all(summary, metric) {
                    format!(" ({variant})")
                } else {
                    String::new()
                };
                let wait = if *metric == "detection.first" {
                    format!(" + {} s", number(theory.suspicion))
                } else {
                    String::new()
                };
                let interval = number(theory.probe_interval);
                caption.push_str(&format!(
                    " Theory, {metric}{whose}: Exp(1) / (1 - {}/{}) x {interval} s + {interval} s{wait}.",
                    theory.silent, theory.nodes
                ));
            }
        }
        self.chart(id, title, caption, &chart)
    }
}

fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let normal = include_bytes!("../../../assets/DejaVuSans.ttf");
        let bold = include_bytes!("../../../assets/DejaVuSans-Bold.ttf");
        // A font that does not load shows as an error of the first drawing.
        let _ = register_font(FONT, FontStyle::Normal, normal);
        let _ = register_font(FONT, FontStyle::Bold, bold);
    });
}

fn draw(size: (u32, u32), render: impl FnOnce(&Area<'_>) -> Drawn) -> io::Result<String> {
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        render(&area).and_then(|()| Ok(area.present()?))
    };
    drawn.map_err(|e| io::Error::other(format!("cannot draw a plot: {e}")))?;
    Ok(themed(&svg))
}

/// Gives the stand-ins the page's colours and their dashes.
fn themed(svg: &str) -> String {
    let mut svg = svg.replace("\"#010203\"", "\"currentColor\"").replace("\"#040506\"", "\"currentColor\"");
    for (stand_in, width, dashes) in
        [(DASHED_MARK, "1", "2 4"), (DASHED_LINE, "2", "7 4"), (DASHED_THEORY, "1.5", "5 4")]
    {
        let dashed = format!("stroke-width=\"{width}\" stroke-dasharray=\"{dashes}\"");
        svg = svg.replace(&format!("stroke-width=\"{stand_in}\""), &dashed);
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{run, scenario, talking};

    fn ids(plots: &[Plot]) -> Vec<&str> {
        plots.iter().map(|p| p.id.as_str()).collect()
    }

    #[test]
    fn plots_take_the_page_s_colours_and_say_their_units_and_n() {
        let runs = (1..=3).map(|s| run("default", s, 40)).collect();
        let plots = all(&Summary::new(&scenario(), "d", runs)).unwrap();
        let wanted = [
            "members-wrong",
            "detection",
            "dissemination",
            "false-positives",
            "traffic",
            "kinds",
            "queue-depth",
            "suspicions",
        ];
        assert_eq!(ids(&plots), wanted);
        for plot in &plots {
            assert!(IDS.contains(&plot.id.as_str()), "{}", plot.id);
            assert!(plot.wide.contains("currentColor") && !plot.wide.contains("#010203"), "{}", plot.id);
            assert!(plot.wide.contains("second"), "{}", plot.id);
            assert!(plot.caption.contains("n = 3") || plot.wide.contains("n = 120"), "{}", plot.id);
        }
    }

    #[test]
    fn what_applications_do_has_its_plots_and_each_queue_its_line() {
        let plots_of = |variants: &[&str]| {
            let runs: Vec<_> =
                (1..=7).flat_map(|s| variants.iter().map(move |v| talking(v, s, 300))).collect();
            all(&Summary::new(&scenario(), "d", runs)).unwrap()
        };
        let one = plots_of(&["default"]);
        let wanted = [
            "members-wrong",
            "detection",
            "dissemination",
            "event-latency",
            "query-latency",
            "keys-rotation",
            "false-positives",
            "traffic",
            "kinds",
            "queue-depth",
            "suspicions",
        ];
        assert_eq!(ids(&one), wanted);
        let queues = one.iter().find(|p| p.id == "queue-depth").unwrap();
        let named = |name: &str| queues.wide.contains(name);
        assert!(named("events") && named("queries") && named("members") && !named("intents"));
        let kinds = one.iter().find(|p| p.id == "kinds").unwrap();
        assert!(kinds.wide.contains("2 others"), "what is hardly there stands together");
        let two = plots_of(&["a", "b"]);
        assert!(two.len() == 12 && two.iter().all(|p| IDS.contains(&p.id.as_str())), "{:?}", ids(&two));
        for id in ["event-latency", "query-latency", "queue-depth", "queue-events"] {
            assert!(ids(&two).contains(&id), "{id}: {:?}", ids(&two));
        }
        for plots in [one, two] {
            let bytes: usize = plots.iter().map(|p| p.wide.len() + p.narrow.len()).sum();
            assert!(bytes < 700_000, "{bytes} bytes");
        }
    }

    #[test]
    fn variants_share_their_plots_and_there_are_at_most_twelve_small_ones() {
        let names: Vec<String> = (0..16).map(|v| format!("variant-{v:02}")).collect();
        let mut runs: Vec<_> =
            names.iter().flat_map(|v| (1..=7).map(move |seed| run(v, seed, 300))).collect();
        for (number, run) in runs.iter_mut().enumerate() {
            // Runs of one seed differ a little.
            run.values.insert("load.bytes".to_owned(), crate::stats::seen(800.0 + number as f64));
            let samples = run.distributions["detection.all"].clone();
            for metric in ["dissemination.join", "dissemination.leave"] {
                run.distributions.insert(metric.to_owned(), samples.clone());
            }
        }
        for count in [2, 3, 16] {
            let some = runs.iter().filter(|r| names[..count].contains(&r.variant)).cloned().collect();
            let plots = all(&Summary::new(&scenario(), "d", some)).unwrap();
            assert_eq!((plots.len(), plots[0].id.as_str()), (12, "differences"), "{:?}", ids(&plots));
            assert!(plots.iter().all(|p| IDS.contains(&p.id.as_str())), "{:?}", ids(&plots));
            let bytes: usize = plots.iter().map(|p| p.wide.len() + p.narrow.len()).sum();
            assert!(bytes < 800_000, "{bytes} bytes with {count} variants");
            let shared = plots.iter().find(|p| p.id == "detection-first").unwrap();
            for name in &names[..count] {
                assert!(shared.wide.contains(&format!("{name} (n = 2,100)")), "{name}");
            }
        }
    }
}
