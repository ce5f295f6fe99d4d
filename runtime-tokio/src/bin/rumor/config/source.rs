//! Configuration files and folders: what is read, in which order, as which format.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::json;
use super::problem::Problem;
use super::tree::{Item, Place, Value};

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Files of one folder.
const FILES_MAX: usize = 1024;
/// Keys whose values are shown to nobody.
pub(super) const SECRETS: [&str; 2] = ["encrypt_key", "rpc_auth"];

/// A file's text.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// Its path, as it was given or found.
    pub(super) name: String,
    pub(super) text: String,
    /// The text with secrets covered up, character for character: for snippets.
    pub(super) shown: String,
}

/// All documents, and what is in those that can be read.
#[derive(Debug, Default)]
pub(super) struct Documents {
    pub(super) list: Vec<Document>,
    pub(super) trees: Vec<Item>,
    pub(super) problems: Vec<Problem>,
    /// Files whose owner, mode and so on may be looked at: number and path.
    pub(super) paths: Vec<(usize, PathBuf)>,
}

impl Documents {
    /// Reads files, and folders' files, in that order.
    pub(super) fn read(paths: &[PathBuf]) -> Self {
        let mut documents = Self::default();
        for path in paths {
            if path.is_dir() {
                documents.folder(path);
            } else {
                documents.file(path);
            }
        }
        documents
    }

    /// A text from elsewhere.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of_texts(texts: &[(&str, &str)]) -> Self {
        let mut documents = Self::default();
        for (name, text) in texts {
            documents.add(Path::new(name), (*text).to_string());
        }
        documents
    }

    fn folder(&mut self, folder: &Path) {
        let wanted =
            |path: &PathBuf| path.extension().is_some_and(|e| e == "json" || e == "toml") && !path.is_dir();
        let listed = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>());
        match listed {
            Err(error) => self.unreadable(folder, &error),
            Ok(mut files) => {
                files.retain(wanted);
                files.sort();
                if files.is_empty() {
                    let number = self.nameless(folder);
                    let place = Place::Document(number, 0..0);
                    let message = "there is no *.json or *.toml in this folder";
                    self.problems.push(Problem::in_place(place, "", message).warning());
                }
                if files.len() > FILES_MAX {
                    let number = self.nameless(folder);
                    let message = format!(
                        "there are {} files in this folder; at most {FILES_MAX} are read",
                        files.len()
                    );
                    self.problems.push(Problem::in_place(Place::Document(number, 0..0), "", message));
                }
                files.iter().take(FILES_MAX).for_each(|file| self.file(file));
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let read = || {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Err(error) => self.unreadable(path, &error),
            Ok(bytes) if bytes.len() as u64 > FILE_BYTES_MAX => {
                let number = self.nameless(path);
                let message = format!("the file is larger than {FILE_BYTES_MAX} bytes");
                self.problems.push(Problem::in_place(Place::Document(number, 0..0), "", message));
            }
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    self.paths.push((self.list.len(), path.to_path_buf()));
                    self.add(path, text);
                }
                Err(error) => {
                    let at = error.utf8_error().valid_up_to();
                    let number = self.nameless(path);
                    let message = format!("the file is not text in UTF-8: byte {} is wrong", at + 1);
                    self.problems.push(Problem::in_place(Place::Document(number, 0..0), "", message));
                }
            },
        }
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        let number = self.nameless(path);
        self.problems.push(Problem::in_place(
            Place::Document(number, 0..0),
            "",
            format!("cannot be read: {error}"),
        ));
    }

    /// A document of which only the name is known.
    fn nameless(&mut self, path: &Path) -> usize {
        let name = path.display().to_string();
        self.list.push(Document { name, text: String::new(), shown: String::new() });
        self.list.len() - 1
    }

    fn add(&mut self, path: &Path, text: String) {
        let number = self.list.len();
        let (tree, problems) = parse(number, path, &text);
        let shown = match &tree {
            Some(tree) => covered(&text, tree),
            // Where nothing can be told apart, a line that names a secret is not shown.
            None => covered_lines(&text),
        };
        self.list.push(Document { name: path.display().to_string(), text, shown });
        self.trees.extend(tree);
        self.problems.extend(problems);
    }
}

/// JSON or TOML by the name's end; any other name holds JSON, as with Serf, when it begins with a brace.
fn parse(number: usize, path: &Path, text: &str) -> (Option<Item>, Vec<Problem>) {
    let json = match path.extension().and_then(|e| e.to_str()) {
        Some("json") => true,
        Some("toml") => false,
        _ => text.trim_start().starts_with('{'),
    };
    if json {
        return match json::parse(number, text) {
            Ok(item @ Item { value: Value::Table(_), .. }) => (Some(item), Vec::new()),
            Ok(item) => {
                let message = format!("the document must be a table, not {}", item.value.kind());
                (None, vec![Problem::at(&item, "", message).hint("write {\"key\": value, ...}")])
            }
            Err(error) => {
                let message = format!("is not JSON: {}", error.message);
                (None, vec![Problem::in_place(Place::Document(number, error.span), "", message)])
            }
        };
    }
    match Item::toml(number, text) {
        Ok(item) => (Some(item), Vec::new()),
        Err(errors) => {
            // No bytes at the start would mean the file as a whole, where it is the first of them that is wrong.
            let first = 0..text.chars().next().map_or(0, char::len_utf8);
            let one = |error: toml::de::Error| {
                let span =
                    error.span().map_or(0..0, |span| if span == (0..0) { first.clone() } else { span });
                let place = Place::Document(number, span);
                Problem::in_place(place, "", format!("is not TOML: {}", error.message()))
            };
            (None, errors.into_iter().map(one).collect())
        }
    }
}

/// The text with the values of secret keys starred out. Lines stay as they are, and so does every byte's place.
fn covered(text: &str, tree: &Item) -> String {
    let mut shown = text.to_string();
    for key in SECRETS {
        if let Some(Item { at: Place::Document(_, span), .. }) = tree.get(key)
            && let Some(secret) = text.get(span.clone())
        {
            shown.replace_range(span.clone(), &stars(secret));
        }
    }
    shown
}

fn covered_lines(text: &str) -> String {
    let secret = |line: &str| SECRETS.iter().any(|key| line.contains(key));
    text.split_inclusive('\n').map(|line| if secret(line) { stars(line) } else { line.to_string() }).collect()
}

/// A star for each byte, so that what stands behind keeps its place.
fn stars(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect()
}
