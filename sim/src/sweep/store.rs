//! The folder of results: one file for each run, whole or not there at all, so that a sweep can be stopped at any moment and taken up again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan::{Cell, Plan};
use crate::record::{RunRecord, Series};
use crate::whole_file::write_whole;

/// The folder of results of one plan.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// The first line of a result's file; the record is the second.
#[derive(serde::Serialize, serde::Deserialize)]
struct Head {
    plan: String,
    point: usize,
    seed: u64,
    /// Digest of the record's line.
    check: String,
}

/// What the folder has of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// A file that is not whole, and why.
    Damaged(String),
    /// Its record, without what it looked like over time.
    Done(Box<RunRecord>),
}

impl Store {
    /// Opens the folder for writing results of a plan; it is made when it is not there, and bears a copy of the plan.
    ///
    /// # Errors
    /// When it cannot be written, or holds results of another plan.
    pub fn create(dir: &Path, plan: &Plan) -> Result<Self, String> {
        let store = Self { dir: dir.into() };
        let cells = store.dir.join("cells");
        fs::create_dir_all(&cells).map_err(|e| format!("cannot make {}: {e}", cells.display()))?;
        store.belongs_to(plan)?;
        let path = store.dir.join("plan.json");
        if !path.exists() {
            write_whole(&path, &plan.to_json()).map_err(|e| e.to_string())?;
        }
        Ok(store)
    }

    /// Opens a folder of results for reading.
    ///
    /// # Errors
    /// When there is none, or it holds results of another plan.
    pub fn open(dir: &Path, plan: &Plan) -> Result<Self, String> {
        let store = Self { dir: dir.into() };
        if !store.dir.join("cells").is_dir() {
            return Err(format!(
                "{}: no results of a sweep are there; they come from: rumor-sim sweep run PLAN.json --out {}",
                dir.display(),
                dir.display()
            ));
        }
        store.belongs_to(plan)?;
        Ok(store)
    }

    fn belongs_to(&self, plan: &Plan) -> Result<(), String> {
        let path = self.dir.join("plan.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(format!("{}: cannot be read: {e}", path.display())),
        };
        let other = Plan::parse(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        if other.digest == plan.digest {
            return Ok(());
        }
        Err(format!(
            "{}: holds results of another plan ({} of {}, digest {}), not of this one ({} of {}, digest {})",
            self.dir.display(),
            other.name,
            other.file,
            other.digest,
            plan.name,
            plan.file,
            plan.digest
        ))
    }

    fn path(&self, cell: Cell) -> PathBuf {
        self.dir.join("cells").join(format!("point-{:05}-seed-{}.json", cell.point + 1, cell.seed))
    }

    /// What is there of a run.
    ///
    /// # Errors
    /// When the file cannot be read, or is of another plan.
    pub fn find(&self, plan: &Plan, cell: Cell) -> Result<Found, String> {
        let path = self.path(cell);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
            Err(e) => return Err(format!("{}: cannot be read: {e}", path.display())),
        };
        let damaged = |why: &str| Ok(Found::Damaged(format!("{}: {why}", path.display())));
        let Ok(text) = String::from_utf8(bytes) else { return damaged("is not text") };
        let (head, record) = text.split_once('\n').unwrap_or((&text, ""));
        let Ok(head) = serde_json::from_str::<Head>(head) else { return damaged("has no head") };
        let record = record.trim_end();
        if head.check != check(record) {
            return damaged("is not what was written");
        }
        if head.plan != plan.digest {
            return Err(format!("{}: is a result of another plan (digest {})", path.display(), head.plan));
        }
        if (head.point, head.seed) != (cell.point, cell.seed) {
            return damaged("is the result of another run");
        }
        match serde_json::from_str(record) {
            Ok(record) => Ok(Found::Done(Box::new(record))),
            Err(e) => damaged(&format!("has no record: {e}")),
        }
    }

    /// Keeps what a run left behind.
    ///
    /// # Errors
    /// When it cannot be written; the message names the file.
    pub fn keep(&self, plan: &Plan, cell: Cell, record: RunRecord) -> io::Result<()> {
        let mut record = RunRecord { series: Series::default(), ..record };
        record.faults.iter_mut().for_each(|fault| fault.nodes.clear());
        let record = serde_json::to_string(&record)?;
        let head =
            Head { plan: plan.digest.clone(), point: cell.point, seed: cell.seed, check: check(&record) };
        write_whole(&self.path(cell), &format!("{}\n{record}\n", serde_json::to_string(&head)?))
    }
}

fn check(record: &str) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(record.as_bytes()))
}
