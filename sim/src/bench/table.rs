//! Medians over runs, and how they are shown.

use comfy_table::{CellAlignment, ColumnConstraint, Table, presets};

use super::{Phase, Run, median};

/// One measured phase: medians over the runs.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// `idle` or `killed`.
    pub phase: &'static str,
    /// Nodes of the cluster.
    pub nodes: u32,
    /// What was measured.
    pub who: String,
    /// Runs, each with a seed of its own.
    pub runs: usize,
    /// Simulated seconds per CPU second.
    pub speed: f64,
    /// The slowest and the fastest run.
    pub speed_range: [f64; 2],
    /// Nanoseconds per datagram, everything included.
    pub ns_per_message: f64,
    /// Datagrams of the phase.
    pub messages: u64,
    /// Simulated seconds of the phase.
    pub simulated: f64,
    /// CPU seconds to set the cluster up.
    pub set_up: f64,
    /// Runs in which every live node reported every dead one in time.
    pub complete: usize,
    /// Speed over that of the peer compared with.
    pub ratio: Option<f64>,
    /// Speed over that of the same peer without its announcements.
    pub ratio_to_silent: Option<f64>,
}

impl Row {
    /// Both phases of some runs of one cluster.
    #[must_use]
    pub fn of(who: &str, nodes: u32, runs: &[Run]) -> [Self; 2] {
        let row = |phase, of: fn(&Run) -> Phase| {
            let figures = |figure: fn(&Phase) -> f64| runs.iter().map(|run| figure(&of(run))).collect();
            let speeds: Vec<f64> = figures(Phase::speed);
            Self {
                phase,
                nodes,
                who: who.to_owned(),
                runs: runs.len(),
                speed_range: [
                    speeds.iter().copied().fold(f64::INFINITY, f64::min),
                    speeds.iter().copied().fold(0.0, f64::max),
                ],
                speed: median(speeds),
                ns_per_message: median(figures(Phase::per_message)),
                messages: median(figures(|phase| phase.messages as f64)) as u64,
                simulated: median(figures(|phase| phase.simulated)),
                set_up: median(runs.iter().map(|run| run.set_up).collect()),
                complete: runs.iter().filter(|run| run.complete).count(),
                ratio: None,
                ratio_to_silent: None,
            }
        };
        [row("idle", |run| run.idle), row("killed", |run| run.killed)]
    }

    /// The same with its speed put beside a peer's, where the peer was measured: as it is, and without its announcements.
    #[must_use]
    pub fn beside(self, peer: &Self, silent: &Self) -> Self {
        let ratio = |peer: &Self| (peer.runs > 0).then(|| self.speed / peer.speed);
        Self { ratio: ratio(peer), ratio_to_silent: ratio(silent), ..self }
    }
}

/// Rows as an aligned table; `bordered` on a terminal.
#[must_use]
pub fn render(rows: &[Row], bordered: bool) -> String {
    let header = [
        "phase",
        "nodes",
        "what",
        "sim-s/CPU-s",
        "min",
        "max",
        "ratio",
        "to silent",
        "ns/message",
        "messages",
        "sim s",
        "set-up s",
        "complete",
    ];
    let mut table = plain_table(&header, bordered);
    for row in rows {
        let cell = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        table.add_row([
            row.phase.to_owned(),
            row.nodes.to_string(),
            row.who.clone(),
            short(row.speed),
            short(row.speed_range[0]),
            short(row.speed_range[1]),
            cell(row.ratio),
            cell(row.ratio_to_silent),
            short(row.ns_per_message),
            row.messages.to_string(),
            format!("{:.1}", row.simulated),
            format!("{:.3}", row.set_up),
            format!("{}/{}", row.complete, row.runs),
        ]);
    }
    let compared = [
        (6, rows.iter().any(|row| row.ratio.is_some())),
        (7, rows.iter().any(|row| row.ratio_to_silent.is_some())),
    ];
    for (column, _) in compared.into_iter().filter(|(_, compared)| !compared) {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
    lines(&table)
}

/// An empty table: the first and third columns are text, all others numbers.
#[must_use]
pub(super) fn plain_table(header: &[&str], bordered: bool) -> Table {
    let mut table = Table::new();
    table.load_style(if bordered { presets::UTF8_HORIZONTAL_ONLY } else { presets::NOTHING });
    table.set_header(header.iter().copied());
    for (index, column) in table.column_iter_mut().enumerate() {
        if !matches!(index, 0 | 2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A table's text without the blanks at the ends of its lines.
#[must_use]
pub(super) fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A figure with three significant digits, or whole from 100 up.
#[must_use]
pub(super) fn short(figure: f64) -> String {
    if figure >= 100.0 {
        format!("{figure:.0}")
    } else if figure >= 10.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}
