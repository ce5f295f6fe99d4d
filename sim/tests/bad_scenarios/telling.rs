//! How problems are told: all at once, each once, with their line.

use super::{SMALL, assert_one, problems, with};

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = with("profile = \"moon\"\n[network]\nloss = 7\n").replace("seeds", "sedes");
    let found = problems(&text);
    let keys: Vec<&str> = found.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["sedes", "cluster.profile", "network.loss"]);
}

#[test]
fn a_mistake_is_told_once_and_not_again_by_what_rests_on_it() {
    let zones = "zones = [{ name = \"a\", nodes = 100 }]\n";
    assert_one(
        &with(zones).replace("nodes = 100\n", "nodes = true\n"),
        (6, 9),
        "cluster.nodes",
        "not true or false",
    );
    let fault = "[[fault]]\nat = \"2m\"\nkind = \"leave\"\nnodes = { pick = 1 }\n";
    assert_one(&with(fault).replace("\"1m\"", "1"), (3, 12), "duration", "bare number");
}

#[test]
fn a_problem_shows_its_line_with_a_caret() {
    let shown = problems(&SMALL.replace("= 2", "= 0")).to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "bad.toml:2:9: seeds: must be from 1 to 100000");
    assert_eq!(lines[1], "    2 | seeds = 0");
    assert_eq!(lines[2], "      |         ^");
    assert_eq!(lines[3], "  hint: for example seeds = 10");
    assert_eq!(lines.len(), 4);
}

#[test]
fn columns_count_characters_not_bytes() {
    let text = SMALL
        .replace("seeds = 2", "about = \"ä\"\nseeds = 2")
        .replace("[cluster]\nnodes = 100", "cluster = { \"ä\" = 1, nodes = 1 }");
    assert_one(&text, (6, 13), "cluster.ä", "unknown key");
}
