use super::*;
use crate::film::tests::scenario;
use crate::film::{Change, Condition, Span, What, record};
use crate::metrics::views::View;
use crate::truth::Presence;

const EVENTFUL: &str = "[[fault]]\nat = \"5s\"\nkind = \"crash\"\nnodes = { pick = 2 }\nfor = \"20s\"\n\
    [[fault]]\nat = \"9s\"\nkind = \"leave\"\nnodes = { pick = 2 }\n\
    [[fault]]\nat = \"12s\"\nkind = \"join\"\nnodes = { pick = 3 }\n\
    [[fault]]\nat = \"15s\"\nkind = \"pause\"\nnodes = { pick = 2 }\nfor = \"20s\"\n\
    [[fault]]\nat = \"20s\"\nkind = \"partition\"\npartition = { a = { fraction = 0.5 }, b = { rest = true } }\nfor = \"20s\"\n";

/// Reads a pack as the page does.
fn unpack(packed: &pack::Packed) -> (Vec<Change>, Vec<Vec<Span>>) {
    let mut bytes = packed.bytes.iter().copied();
    let mut number = || {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = bytes.next().unwrap();
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let (mut changes, mut births, mut items, mut at) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..packed.entries {
        at += number();
        let head = number();
        let node = (head / 8) as u32;
        let mut add = |what| changes.push(Change { at, node, what });
        match head % 8 {
            0 => {
                for _ in 0..number() {
                    let pair = number();
                    items += 1;
                    let views = [View::Unknown, View::Alive, View::Suspect, View::Failed, View::Left];
                    add(What::View { subject: (pair / 5) as u32, view: views[(pair % 5) as usize] });
                }
            }
            1 => {
                let mut end = 0;
                let count = number();
                let span = |_| {
                    let (first, count) = (end + number() as u32, number() as u32);
                    end = first + count;
                    items += 2;
                    Span { first, count }
                };
                add(What::Born(births.len() as u32));
                births.push((0..count).map(span).collect());
            }
            code => {
                let item = number();
                items += 1;
                add(match code {
                    2 => What::Gone([Presence::Leaving, Presence::Left, Presence::Down][item as usize - 2]),
                    3 => What::Condition {
                        condition: [Condition::Paused, Condition::Blocked, Condition::Slow, Condition::Clock]
                            [item as usize / 2],
                        on: item % 2 == 1,
                    },
                    _ => What::FalsePositive { subject: item as u32 },
                });
            }
        }
    }
    assert_eq!((items, bytes.next()), (packed.items, None));
    (changes, births)
}

#[test]
fn a_pack_has_everything_and_little_more() {
    let film = record(&scenario("nodes = 150", EVENTFUL), 0, 1);
    let packed = pack::pack(&film);
    assert_eq!(unpack(&packed), (film.changes.clone(), film.births.clone()));
    let all = |what: fn(&What) -> bool| film.changes.iter().any(|change| what(&change.what));
    assert!(all(|what| matches!(what, What::Gone(Presence::Left))));
    assert!(all(|what| matches!(what, What::Condition { on: false, .. })));
    assert!(film.changes.len() > 10_000);
    let per_change = packed.bytes.len() as f64 / film.changes.len() as f64;
    assert!(per_change < 5.5, "{per_change} bytes for each change");
}

#[test]
fn the_page_needs_nothing_else_and_is_the_same_each_time() {
    let film = record(&scenario("nodes = 8", EVENTFUL), 0, 1);
    let page = html(&film);
    for outside in ["src=", "href=", "url(", "@import", "http:", "https:", "fetch(", "import(", "@@"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page, html(&film));
    assert!(page.contains("<title>small, seed 1</title>"));
    assert!(page.contains("rumor-sim replay small.toml --seed 1 --html"));
}

#[test]
fn text_of_a_scenario_cannot_become_markup() {
    let mut film = record(&scenario("nodes = 5", ""), 0, 1);
    film.name = "<i>".to_owned();
    film.about = "</script><script>alert(1)</script><!-- @@film@@".to_owned();
    film.variant = "<b>".to_owned();
    let page = html(&film);
    assert!(page.contains("<title>&lt;i&gt;, &lt;b&gt;, seed 1</title>"));
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (3, 3));
    assert!(!page.contains("<!--") && page.contains("\\u003c!-- @@film@@"));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let film = record(&scenario("nodes = 2", ""), 0, 1);
    let folder = std::env::temp_dir().join(format!("rumormill-player-{}", std::process::id()));
    let page = folder.join("deep/page.html");
    assert_eq!(write(&film, &page).unwrap(), fs::read(&page).unwrap().len() as u64);
    assert_eq!(fs::read_dir(folder.join("deep")).unwrap().count(), 1, "nothing unfinished stays");
    let error = write(&film, &page.join("below-a-file.html")).unwrap_err();
    assert!(error.to_string().contains("page.html"), "{error}");
    let error = write(&film, Path::new("..")).unwrap_err();
    assert!(error.to_string().contains("names no file"), "{error}");
    fs::remove_dir_all(&folder).unwrap();
}
