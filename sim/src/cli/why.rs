//! `why`: the causal chain behind a declared failure, and what would have prevented it.

use std::time::Duration;

use rumormill_core::config::parse_duration;
use rumormill_sim::truth::node_name;
use rumormill_sim::why::{self, Explanation, Question, Verdict, Verdicts};

use super::one::{Chosen, OneRun};
use super::{COULD_NOT_RUN, Format, complain, files, run};

/// What the why subcommand takes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct WhyArgs {
    #[command(flatten)]
    run: OneRun,
    /// Who declared the failure; by default the first who did.
    #[arg(long, value_name = "NODE")]
    observer: Option<String>,
    /// Whose failure was declared.
    #[arg(long, value_name = "NODE")]
    subject: Option<String>,
    /// The first verdict at this moment or later, since the start, e.g. 71.2s.
    #[arg(long, value_parser = parse_duration)]
    at: Option<Duration>,
    /// Take failures that were rightly declared too, not false positives alone.
    #[arg(long)]
    any: bool,
    /// List the verdicts instead of explaining one.
    #[arg(long)]
    list: bool,
    /// The most verdicts that are listed.
    #[arg(long, default_value_t = 20, requires = "list")]
    most: u32,
    /// The most runs that are made to find out what would have prevented it; 0: none.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    reruns: u32,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "Examples:
  rumor-sim why scenarios/pause-storm.toml --variant swim --list
  rumor-sim why scenarios/pause-storm.toml --variant swim --seed 1
  rumor-sim why scenarios/lan-1000.toml --any --subject node-12 --reruns 0";

pub(super) fn why(args: &WhyArgs) -> u8 {
    let chosen = match args.run.choose() {
        Ok(chosen) => chosen,
        Err(code) => return code,
    };
    let wanted = match Wanted::of(args, &chosen) {
        Ok(wanted) => wanted,
        Err(code) => return code,
    };
    let bar = args.run.bar(&chosen);
    let all = why::verdicts(&chosen.scenario, chosen.variant, chosen.seed, &mut |seconds| {
        bar.set_position(seconds as u64);
    });
    let meant: Vec<Verdict> = all.list.iter().filter(|verdict| wanted.means(verdict)).copied().collect();
    if args.list {
        bar.finish_and_clear();
        return list(args, &chosen, &Verdicts { list: meant, left_out: all.left_out });
    }
    let Some(verdict) = meant.first() else {
        bar.finish_and_clear();
        return nothing(args, &chosen, &all);
    };
    let question =
        Question { variant: chosen.variant, seed: chosen.seed, verdict: *verdict, reruns: args.reruns };
    let explanation = why::explain(&chosen.scenario, &question, &mut |run, seconds| {
        bar.set_prefix(format!("{}, run {run}", chosen.scenario.name));
        bar.set_position(seconds as u64);
    });
    bar.finish_and_clear();
    match explanation {
        Some(explanation) => show(args, &explanation),
        None => {
            let (observer, subject) = (node_name(verdict.observer), node_name(verdict.subject));
            complain(&format_args!("{observer} about {subject}: more happened than can be recorded"));
            COULD_NOT_RUN
        }
    }
}

/// Which verdicts are meant.
struct Wanted {
    observer: Option<u32>,
    subject: Option<u32>,
    from: u64,
    any: bool,
}

impl Wanted {
    fn of(args: &WhyArgs, chosen: &Chosen) -> Result<Self, u8> {
        let node = |option, name: &Option<String>| {
            chosen.nodes(option, name.as_slice()).map(|numbers| numbers.first().copied())
        };
        let from = args.at.map_or(Ok(0), |at| chosen.moment("--at", at))?;
        Ok(Self {
            observer: node("--observer", &args.observer)?,
            subject: node("--subject", &args.subject)?,
            from,
            any: args.any,
        })
    }

    fn means(&self, verdict: &Verdict) -> bool {
        self.observer.is_none_or(|observer| observer == verdict.observer)
            && self.subject.is_none_or(|subject| subject == verdict.subject)
            && verdict.time >= self.from
            && (self.any || verdict.false_positive)
    }
}

fn list(args: &WhyArgs, chosen: &Chosen, meant: &Verdicts) -> u8 {
    let Verdicts { list, left_out } = meant;
    let shown = args.most as usize;
    files::print(|out| match args.format {
        Format::Text => {
            let what = if args.any { "failures declared" } else { "false positives" };
            let (name, variant) = (&chosen.scenario.name, chosen.variant_name());
            writeln!(out, "{name}, {variant}, seed {}: {} {what}", chosen.seed, list.len())?;
            if !list.is_empty() {
                writeln!(out, "\n{}", why::list(list, shown, run::terminal_width()))?;
            }
            if *left_out > 0 {
                writeln!(out, "{}", why::not_recorded(*left_out))?;
            }
            Ok(())
        }
        Format::Json => {
            let verdict = |verdict: &Verdict| {
                serde_json::json!({
                    "time": verdict.time as f64 / 1e9,
                    "observer": node_name(verdict.observer),
                    "subject": node_name(verdict.subject),
                    "incarnation": verdict.incarnation,
                    "declarer": verdict.declarer.map(node_name),
                    "false_positive": verdict.false_positive,
                })
            };
            let rows: Vec<_> = list.iter().take(shown).map(verdict).collect();
            let answer = serde_json::json!({ "count": list.len(), "left_out": left_out, "verdicts": rows });
            writeln!(out, "{answer}")
        }
    })
}

/// Nothing to explain is an answer too.
fn nothing(args: &WhyArgs, chosen: &Chosen, all: &Verdicts) -> u8 {
    let wrong = all.list.iter().filter(|verdict| verdict.false_positive).count();
    let right = all.list.len() - wrong;
    files::print(|out| match args.format {
        Format::Json => writeln!(out, "null"),
        Format::Text => {
            let (name, variant) = (&chosen.scenario.name, chosen.variant_name());
            writeln!(
                out,
                "{name}, {variant}, seed {}: no such verdict. The run has {wrong} false positives and {right} other \
                 declared failures; --list shows them, with --any all of them.",
                chosen.seed
            )?;
            if all.left_out > 0 {
                writeln!(out, "{}", why::not_recorded(all.left_out))?;
            }
            Ok(())
        }
    })
}

fn show(args: &WhyArgs, explanation: &Explanation) -> u8 {
    files::print(|out| match args.format {
        Format::Text => {
            let colour = anstream::stdout().is_terminal();
            write!(out, "{}", why::text(explanation, colour, run::terminal_width()))
        }
        Format::Json => {
            writeln!(out, "{}", serde_json::to_string(explanation).map_err(std::io::Error::other)?)
        }
    })
}
