//! The player of a [`Film`]: one HTML page that needs nothing else, no network and no server.
//!
//! The page's own parts are in `assets/player`; what it plays is packed into it. Nodes are coloured by how many of the others believe them
//! alive; it plays, jumps between events, and shows what one node believes. The same film gives the same bytes.

mod head;
pub mod pack;

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::film::Film;
use crate::report::escape;
use crate::whole_file::write_whole;

/// The page, with a place for each part between two `@@`.
const PAGE: &str = include_str!("../../assets/player/page.html");
const STYLE: &str = include_str!("../../assets/player/style.css");
/// The page's program, in order: each part knows those before it.
const PROGRAM: [&str; 8] = [
    include_str!("../../assets/player/film.js"),
    include_str!("../../assets/player/screen.js"),
    include_str!("../../assets/player/look.js"),
    include_str!("../../assets/player/grid.js"),
    include_str!("../../assets/player/timeline.js"),
    include_str!("../../assets/player/panel.js"),
    include_str!("../../assets/player/player.js"),
    include_str!("../../assets/player/keys.js"),
];

/// The page of a film.
#[must_use]
pub fn html(film: &Film) -> String {
    let packed = pack::pack(film);
    let mut out = String::with_capacity(packed.bytes.len() / 3 * 4 + (1 << 20));
    for (place, part) in PAGE.split("@@").enumerate() {
        match part {
            "title" if place % 2 == 1 => out.push_str(&escape(&title(film))),
            "style" if place % 2 == 1 => out.push_str(STYLE),
            "head" if place % 2 == 1 => out.push_str(&head::json(film, &packed)),
            "film" if place % 2 == 1 => STANDARD.encode_string(&packed.bytes, &mut out),
            "program" if place % 2 == 1 => PROGRAM.iter().for_each(|part| out.push_str(part)),
            text => out.push_str(text),
        }
    }
    out
}

/// Which run it is.
fn title(film: &Film) -> String {
    if film.variant == "default" {
        format!("{}, seed {}", film.name, film.seed)
    } else {
        format!("{}, {}, seed {}", film.name, film.variant, film.seed)
    }
}

/// Writes the page of a film; how many bytes it has. Its folder is made; the file appears whole under its name or not at all.
///
/// # Errors
/// When the folder or the file cannot be written; the message names it.
pub fn write(film: &Film, path: &Path) -> io::Result<u64> {
    let page = html(film);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", folder.display()))
        })?;
    }
    write_whole(path, &page)?;
    Ok(page.len() as u64)
}

#[cfg(test)]
mod tests;
