//! `rumor info`: figures of the agent.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::failure::Outcome;
use super::output::{Output, in_one_line};
use super::{connect, refused};
use crate::args::{Format, InfoArgs};

type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// Prints the agent's sections of figures.
pub(crate) async fn run(args: &InfoArgs) -> Outcome {
    let client = connect(&args.rpc).await?;
    let sections = client.stats().await.map_err(|error| refused("Error querying agent", &error))?;
    let output = Output::standard();
    match args.format {
        Format::Text => output.print(&text(&sections))?,
        Format::Json => output.print_json(&sections)?,
    }
    Ok(())
}

fn text(sections: &Sections) -> String {
    let mut text = String::new();
    for (name, figures) in sections {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:", in_one_line(name));
        for (key, value) in figures {
            let _ = writeln!(text, "\t{} = {}", in_one_line(key), in_one_line(value));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(figures: &[(&str, &str)]) -> BTreeMap<String, String> {
        figures.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    #[test]
    fn sections_and_keys_are_sorted_and_keep_their_lines() {
        let sections = Sections::from([
            ("tags".into(), section(&[("b", "x\ny"), ("a", "")])),
            ("agent".into(), section(&[("name", "n1")])),
            ("event_handlers".into(), section(&[])),
        ]);
        assert_eq!(text(&sections), "agent:\n\tname = n1\nevent_handlers:\ntags:\n\ta = \n\tb = x\\ny\n");
        assert_eq!(text(&Sections::new()), "");
    }
}
