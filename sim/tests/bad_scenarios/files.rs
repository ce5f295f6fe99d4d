//! Files that are no scenarios.

use std::fs;

use rumormill_sim::scenario::Scenario;

use super::{SMALL, problems};

#[test]
fn files_that_are_no_scenarios_are_told_apart() {
    let folder = std::env::temp_dir().join(format!("rumormill-bad-scenarios-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let said = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.join(name);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).expect("a temporary file");
        }
        let found = Scenario::load(&path, &[]).expect_err("the file is bad");
        assert_eq!(found.count(), 1, "{found}");
        let shown = found.to_string();
        assert!(shown.starts_with(&path.display().to_string()), "{shown}");
        shown
    };
    let noise: Vec<u8> = (0u32..2_000_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(said("missing.toml", None).contains("cannot be read"));
    assert!(said("empty.toml", Some(b"")).contains("the file is empty"));
    assert!(said("blank.toml", Some(b" \n\n")).contains("the file is empty"));
    assert!(said("latin.toml", Some(b"name = \"\xe4\"")).contains("is not UTF-8 text from byte 8 on"));
    assert!(said("noise.toml", Some(&noise)).contains("longer than 1048576 bytes"));
    assert!(Scenario::load(&folder, &[]).is_err(), "a folder is no file");
    fs::remove_dir_all(&folder).expect("the temporary folder goes away");
}

#[test]
fn noise_gives_a_bounded_answer() {
    let found = problems(&"]=\u{7}[ \n".repeat(10_000));
    assert!(found.iter().count() <= 50);
    let shown = found.to_string();
    assert!(shown.len() < 50_000);
    assert!(!shown.contains('\u{7}'));
    let long = problems(&format!("{SMALL}{} = 1", "x".repeat(500_000))).to_string();
    assert!(long.len() < 1000, "{} bytes", long.len());
}
