//! The code of `docs/testing.md`, compiled and run: the page has each of these files whole.

mod a_scenario;
mod drawn;
mod election;
mod in_code;
mod router;

#[test]
fn the_page_has_the_code_that_is_tested_here() {
    let page = include_str!("../../docs/testing.md");
    let shown: Vec<&str> =
        page.split("```rust\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
    let tested = [
        include_str!("a_scenario.rs"),
        include_str!("in_code.rs"),
        include_str!("drawn.rs"),
        include_str!("election.rs"),
        include_str!("router.rs"),
    ];
    assert_eq!(shown, tested);
}

/// What is copied from a page works as it stands.
#[test]
fn no_page_has_an_address_to_be_filled_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
    let mut pages = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("OWNER"), "{}", path.display());
        pages += 1;
    }
    assert!(pages > 5, "{folder} has the pages");
}
