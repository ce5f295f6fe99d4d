//! What a snapshot must survive: cuts, garbage, full and broken disks, crashes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use proptest::prelude::*;
use rumormill_core::id::LamportTime;

use super::knowledge::Knowledge;
use super::writer::RETRY_EVERY;
use super::*;

fn addr(n: u8) -> SocketAddr {
    ([10, 0, 0, n], 7946).into()
}

fn clocks(member: u64, event: u64, query: u64) -> Clocks {
    Clocks { member: LamportTime(member), event: LamportTime(event), query: LamportTime(query) }
}

fn read(bytes: &[u8], rejoin: bool) -> Reading {
    Reading::of(bytes, rejoin).unwrap()
}

fn names(members: &[(String, SocketAddr)]) -> Vec<&str> {
    members.iter().map(|(name, _)| name.as_str()).collect()
}

/// Written by Debian's serf 0.8.2-dev: three agents, one killed, one (with a space in its name) left.
const SERF: &[u8] = include_bytes!("testdata/serf-0.8.2.snapshot");

#[test]
fn a_file_of_serf_is_read_as_it_is() {
    let reading = read(SERF, false);
    assert_eq!(reading.warnings, [""; 0]);
    assert_eq!(reading.whole_bytes, SERF.len() as u64);
    let alive: Vec<_> = reading.knowledge.alive.into_iter().collect();
    assert_eq!(alive, [("alpha".into(), "127.0.0.81:7946".parse().unwrap())]);
    assert_eq!(reading.knowledge.clocks, clocks(3, 2, 1));
    // Before gamma left, with the space in its name.
    let early = SERF.windows(10).position(|w| w == b"not-alive:").unwrap();
    assert!(read(&SERF[..early], false).knowledge.alive.contains_key("gamma 3"));
}

#[test]
fn what_was_told_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let (mut snapshot, recovered) = SnapshotFile::open(&path, false).unwrap();
    assert_eq!(recovered, Recovered::default());
    assert_eq!(snapshot.flush_due(), None);
    snapshot.member_alive("a b", addr(1));
    assert!(snapshot.flush_due().is_some());
    snapshot.member_alive("six", "[fd00::6]:7946".parse().unwrap());
    snapshot.member_alive("c", addr(3));
    snapshot.member_alive("bad\nalive: x 1.2.3.4:5", addr(4));
    snapshot.clocks(clocks(5, 6, 0));
    snapshot.incarnation(Incarnation(9));
    snapshot.flush(Instant::now());
    snapshot.member_failed("c", addr(3));
    snapshot.close_blocking();
    let (snapshot, recovered) = SnapshotFile::open(&path, false).unwrap();
    assert_eq!(names(&recovered.alive), ["a b", "six"]);
    assert_eq!(recovered.failed, [("c".into(), addr(3))]);
    assert_eq!((recovered.clocks, recovered.incarnation), (clocks(5, 6, 0), Incarnation(9)));
    assert_eq!((recovered.left, recovered.warnings.len()), (false, 0));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    snapshot.close_blocking();
    // Serf looks at lines up to the first space after the colon, and passes over those that begin with #.
    let text = fs::read_to_string(&path).unwrap();
    let serf: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(serf.contains(&"alive: a b 10.0.0.1:7946") && serf.contains(&"clock: 5"), "{text}");
}

#[test]
fn a_leave_ends_a_life_and_the_next_begins_afresh() {
    for rejoin in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshot");
        let (mut snapshot, _) = SnapshotFile::open(&path, rejoin).unwrap();
        snapshot.member_alive("a", addr(1));
        snapshot.clocks(clocks(3, 3, 3));
        snapshot.incarnation(Incarnation(2));
        snapshot.leave();
        snapshot.member_alive("after", addr(2));
        snapshot.close_blocking();
        let (mut snapshot, recovered) = SnapshotFile::open(&path, rejoin).unwrap();
        assert!(recovered.left);
        assert_eq!(names(&recovered.alive).len(), usize::from(rejoin));
        assert_eq!(recovered.clocks, if rejoin { clocks(3, 3, 3) } else { Clocks::default() });
        assert_eq!(recovered.incarnation, Incarnation(2));
        // The new life hears a clock before it meets anybody, and crashes.
        snapshot.clocks(clocks(1, 0, 0));
        snapshot.close_blocking();
        let (snapshot, recovered) = SnapshotFile::open(&path, rejoin).unwrap();
        assert!(!recovered.left);
        assert_eq!(recovered.clocks, if rejoin { clocks(3, 3, 3) } else { clocks(1, 0, 0) });
        snapshot.close_blocking();
    }
}

#[test]
fn a_clock_that_serf_writes_after_its_leave_means_nothing() {
    let file = b"alive: a 10.0.0.1:7946\nclock: 7\nleave\nclock: 8\n";
    assert_eq!(read(file, false).knowledge.clocks, Clocks::default());
    assert_eq!(read(file, true).knowledge.clocks, clocks(8, 0, 0));
    let next_life = [&file[..], b"alive: b 10.0.0.2:7946\nclock: 2\n"].concat();
    let knowledge = read(&next_life, false).knowledge;
    assert_eq!((knowledge.clocks, knowledge.left), (clocks(2, 0, 0), false));
}

/// Every cut of a file says what was true after some line of it.
#[test]
fn a_file_may_be_cut_at_every_byte() {
    let ours = "# incarnation: 4\nalive: a b 10.0.0.1:7946\nalive: c 10.0.0.3:7946\nclock: 1\n# failed: c 10.0.0.3:7946\n\
                not-alive: c\nevent-clock: 20\n# gone: c\nalive: c [fd00::3]:1\nleave\nalive: d 10.0.0.4:7946\n";
    for file in [SERF, ours.as_bytes()] {
        let mut whole = 0;
        for cut in 0..=file.len() {
            if cut > 0 && file[cut - 1] == b'\n' {
                whole = cut;
            }
            let (torn, clean) = (read(&file[..cut], false), read(&file[..whole], false));
            assert_eq!(torn.knowledge, clean.knowledge, "cut at {cut}");
            assert_eq!(torn.whole_bytes, whole as u64);
            assert_eq!(torn.warnings.len(), usize::from(cut > whole), "{:?}", torn.warnings);
            assert_eq!(clean.warnings, [""; 0]);
        }
    }
}

#[test]
fn a_torn_line_is_taken_away_before_anything_is_appended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    fs::write(&path, "alive: a 10.0.0.1:7946\nalive: b 10.0.0.2:79").unwrap();
    let (mut snapshot, recovered) = SnapshotFile::open(&path, false).unwrap();
    assert_eq!(names(&recovered.alive), ["a"]);
    assert_eq!(recovered.warnings, ["line 2 (\"alive: b 10.0.0.2:79\") is cut off: passed over"]);
    snapshot.member_alive("c", addr(3));
    snapshot.close_blocking();
    assert_eq!(fs::read_to_string(&path).unwrap(), "alive: a 10.0.0.1:7946\nalive: c 10.0.0.3:7946\n");
}

#[test]
fn a_failed_member_is_forgotten_at_no_cut() {
    let mut knowledge = Knowledge::default();
    let mut lines = String::new();
    knowledge.settle("a", Fate::Alive(addr(1)), &mut lines);
    let alive = lines.len();
    knowledge.settle("a", Fate::Failed(addr(1)), &mut lines);
    for cut in alive..=lines.len() {
        let found = read(&lines.as_bytes()[..cut], false).knowledge;
        assert_eq!(found.members(), 1, "cut at {cut}");
    }
}

#[test]
fn garbage_is_bounded_in_memory_and_in_words() {
    let mut file = vec![b'x'; 3 << 20];
    file.push(b'\n');
    for line in 0..1000 {
        file.extend_from_slice(format!("nonsense {line}\n").as_bytes());
    }
    file.extend_from_slice(
        b"\xFF\xFE\nalive: a 1.2.3.4\nalive: a 0.0.0.0:7946\nalive:  1.2.3.4:5\nclock: 9223372036854775808\n",
    );
    file.extend_from_slice(
        b"event-clock: -1\nnot-alive: \ncoordinate: {}\n# anything\n#\n\nalive: b 10.0.0.2:7946\n",
    );
    let reading = read(&file, false);
    assert_eq!(reading.knowledge.alive.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(reading.knowledge.clocks, Clocks::default());
    assert_eq!(reading.warnings.len(), 17);
    assert!(reading.warnings.iter().all(|warning| warning.len() < 200), "{:?}", reading.warnings);
    assert_eq!(reading.warnings[16], "and 993 more bad lines");
    assert!(reading.warnings[0].ends_with("it is too long"));
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = SnapshotFile::open(folder.path(), false).unwrap_err().to_string();
    assert_eq!(error, format!("opening snapshot {}: it is no regular file", folder.path().display()));
    let error = SnapshotFile::open(Path::new("/nowhere/snapshot"), false).unwrap_err().to_string();
    assert!(error.starts_with("opening snapshot /nowhere/snapshot: No such file"), "{error}");
    let error = SnapshotFile::open(Path::new("/dev/full"), false).unwrap_err().to_string();
    assert_eq!(error, "opening snapshot /dev/full: it is no regular file");
}

#[test]
fn one_file_is_for_one_agent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let (mut first, _) = SnapshotFile::open(&path, false).unwrap();
    let said = || SnapshotFile::open(&path, false).unwrap_err().to_string();
    assert_eq!(said(), format!("opening snapshot {}: another agent is using it", path.display()));
    first.leave();
    first.close_blocking();
    // This one begins a new life, in a new file.
    let (second, _) = SnapshotFile::open(&path, false).unwrap();
    let started = Instant::now();
    while fs::metadata(&path).unwrap().len() > 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "the new life is not written");
        std::thread::yield_now();
    }
    assert!(said().ends_with("another agent is using it"));
    second.close_blocking();
}

#[test]
fn while_the_writer_is_busy_news_are_merged() {
    // Nobody receives: as with a disk that hangs.
    let (sender, _receiver) = sync_channel(1);
    let deeds = Arc::new(Deeds::default());
    let mut snapshot =
        SnapshotFile { pending: Batch::default(), due: None, sender: Some(sender), thread: None, deeds };
    snapshot.member_alive("a", addr(1));
    snapshot.flush(Instant::now());
    assert_eq!(snapshot.flush_due(), None);
    for n in 0..100u8 {
        snapshot.member_alive(if n % 2 == 0 { "a" } else { "b" }, addr(n));
        snapshot.clocks(clocks(n.into(), 0, 0));
        let now = Instant::now();
        snapshot.flush(now);
        assert_eq!(snapshot.flush_due(), Some(now + FLUSH_AFTER));
    }
    assert_eq!(snapshot.pending.members.len(), 2);
    assert_eq!(snapshot.pending.members["b"], Fate::Alive(addr(99)));
    assert_eq!(snapshot.pending.clocks, clocks(99, 0, 0));
}

/// A process whose files may not grow: the nearest thing to a full disk that needs no privileges.
#[test]
fn a_real_file_that_may_not_grow_keeps_what_it_has_and_is_written_again_later() {
    const FOLDER: &str = "RUMORMILL_TEST_SNAPSHOT_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        return outgrow_the_disk(&Path::new(&folder).join("snapshot"));
    }
    let folder = tempfile::tempdir().unwrap();
    let test =
        "state::snapshot::tests::a_real_file_that_may_not_grow_keeps_what_it_has_and_is_written_again_later";
    // The signal is ignored, so that writing beyond 8 blocks of 512 bytes is an error.
    let script = format!("trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact {test}");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).env(FOLDER, folder.path());
    let run = shell.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    let text = fs::read_to_string(folder.path().join("snapshot")).unwrap();
    assert_eq!(text, "alive: node-0 10.0.0.0:7946\nclock: 9\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

fn outgrow_the_disk(path: &Path) {
    let until = |condition: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !condition() {
            assert!(started.elapsed() < Duration::from_secs(30), "not in time");
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let (mut snapshot, _) = SnapshotFile::open(path, false).unwrap();
    for n in 0..100 {
        snapshot.member_alive(&format!("node-{n}"), addr(n));
    }
    snapshot.clocks(clocks(9, 0, 0));
    snapshot.flush(Instant::now());
    until(&|| fs::metadata(path).unwrap().len() > 2000);
    let before = fs::read(path).unwrap();
    assert!(!snapshot.is_failing());
    for n in 100..=250 {
        snapshot.member_alive(&format!("node-{n}"), addr(n));
    }
    snapshot.flush(Instant::now());
    until(&|| snapshot.is_failing());
    let full = fs::read(path).unwrap();
    assert!(full.starts_with(&before) && full.len() == 4096, "{}", full.len());
    let found = read(&full, false).knowledge;
    assert!(found.alive.len() > 100 && found.alive.len() < 250);
    for n in 1..=250 {
        snapshot.member_gone(&format!("node-{n}"));
    }
    snapshot.close_blocking();
}

/// A disk in memory that can be full, and that forgets at a crash what was not synced.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    lasting: Vec<u8>,
    fleeting: Vec<u8>,
    /// Bytes that fit beside those that are there.
    room: Option<usize>,
    no_new_files: bool,
    replaced: usize,
}

impl Platter {
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fits = self.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        self.fleeting.extend_from_slice(&bytes[..fits]);
        self.room = self.room.map(|room| room - fits);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Store for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().take(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let platter = &mut *self.0.lock().unwrap();
        platter.lasting.append(&mut platter.fleeting);
        Ok(())
    }

    fn replace(&mut self, contents: &[u8]) -> io::Result<()> {
        let platter = &mut *self.0.lock().unwrap();
        if platter.no_new_files {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if platter.room.is_some_and(|room| room < contents.len()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        platter.lasting = contents.to_vec();
        platter.fleeting.clear();
        platter.replaced += 1;
        Ok(())
    }

    fn name(&self) -> String {
        "a disk in memory".into()
    }
}

impl Disk {
    fn writer(&self, compact_bytes_min: u64) -> Writer<Self> {
        let deeds = Arc::new(Deeds::default());
        Writer::new(self.clone(), Knowledge::default(), 0, compact_bytes_min, deeds)
    }

    fn length(&self) -> usize {
        let platter = self.0.lock().unwrap();
        platter.lasting.len() + platter.fleeting.len()
    }

    fn set(&self, room: Option<usize>) {
        self.0.lock().unwrap().room = room;
    }

    /// What is found when the machine stops with so many of the unsynced bytes written.
    fn after_crash(&self, written: usize) -> Knowledge {
        let platter = self.0.lock().unwrap();
        let written = written.min(platter.fleeting.len());
        read(&[&platter.lasting[..], &platter.fleeting[..written]].concat(), false).knowledge
    }
}

fn joins(n: u8) -> Batch {
    Batch { members: [(format!("node-{n}"), Fate::Alive(addr(n)))].into(), ..Batch::default() }
}

#[test]
fn a_full_disk_loses_nothing_and_recovers_by_itself() {
    let disk = Disk::default();
    let mut writer = disk.writer(COMPACT_BYTES_MIN);
    let start = Instant::now();
    writer.take(&joins(1), start);
    writer.tend(start + Duration::from_secs(2));
    disk.set(Some(5));
    writer.take(&joins(2), start + Duration::from_secs(3));
    writer.take(&joins(3), start + Duration::from_secs(4));
    let found = disk.after_crash(usize::MAX);
    assert_eq!(found.alive.keys().collect::<Vec<_>>(), ["node-1"], "what was synced is there");
    // It tries again only after half a minute, and then as long as it takes.
    assert_eq!(writer.due(), Some(start + Duration::from_secs(3) + RETRY_EVERY));
    writer.tend(start + Duration::from_secs(4));
    disk.set(Some(70));
    writer.tend(start + Duration::from_secs(33));
    assert_eq!(
        writer.due(),
        Some(start + Duration::from_secs(33) + RETRY_EVERY),
        "three lines need 81 bytes"
    );
    assert_eq!(disk.after_crash(usize::MAX).alive.len(), 1);
    disk.set(None);
    writer.tend(start + Duration::from_secs(63));
    assert_eq!(disk.after_crash(0).alive.len(), 3);
    writer.take(&joins(4), start + Duration::from_secs(64));
    assert_eq!(disk.after_crash(usize::MAX).alive.len(), 4);
}

#[test]
fn a_leave_on_a_full_disk_is_tried_once_more() {
    let disk = Disk::default();
    let mut writer = disk.writer(COMPACT_BYTES_MIN);
    let now = Instant::now();
    disk.set(Some(5));
    writer.take(&joins(1), now);
    disk.set(None);
    writer.take(&Batch { leave: true, ..Batch::default() }, now);
    assert!(disk.after_crash(0).left);
}

#[test]
fn a_folder_that_takes_no_files_lets_the_snapshot_grow_but_not_for_ever() {
    let disk = Disk::default();
    disk.0.lock().unwrap().no_new_files = true;
    let mut writer = disk.writer(1000);
    let now = Instant::now();
    for n in 0..5000u32 {
        let batch = Batch { clocks: clocks(u64::from(n) + 1, 0, 0), ..Batch::default() };
        writer.take(&batch, now + Duration::from_secs(n.into()));
    }
    let length = disk.length();
    // It tries twice a minute, and writes a line of 12 bytes a second.
    assert!((16_000..16_400).contains(&length), "{length}");
    disk.0.lock().unwrap().no_new_files = false;
    writer.tend(now + Duration::from_secs(6000));
    assert_eq!(disk.after_crash(0).clocks, clocks(5000, 0, 0));
}

#[test]
fn a_new_life_after_a_leave_is_recorded_in_a_folder_that_takes_no_files_too() {
    let disk = Disk::default();
    let mut writer = disk.writer(COMPACT_BYTES_MIN);
    let now = Instant::now();
    writer.take(&joins(1), now);
    writer.take(&Batch { leave: true, ..Batch::default() }, now);
    assert!(disk.after_crash(0).left);
    disk.0.lock().unwrap().no_new_files = true;
    writer.begin_anew(now);
    writer.take(&joins(2), now);
    writer.finish(now);
    let knows = disk.after_crash(0);
    assert!(!knows.left && !knows.alive.is_empty(), "{knows:?}");
}

/// Facts 5.2, 106.
#[test]
fn compaction_keeps_the_clocks() {
    let disk = Disk::default();
    let mut writer = disk.writer(1024);
    for n in 0..1024 {
        writer.take(&Batch { clocks: clocks(0, n, n), ..Batch::default() }, Instant::now());
    }
    assert_eq!(disk.after_crash(usize::MAX).clocks, clocks(0, 1023, 1023));
    let platter = writer.store().0.lock().unwrap();
    assert!((10..60).contains(&platter.replaced), "{}", platter.replaced);
    assert!(platter.lasting.len() + platter.fleeting.len() <= 1024 + 40);
}

#[derive(Clone, Debug)]
enum Deed {
    Alive(u8, u8),
    Failed(u8),
    Gone(u8),
    Clock(u64),
    Incarnation(u32),
    Wait(u64),
    Room(Option<usize>),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0u8..6, 1u8..4).prop_map(|(n, a)| Deed::Alive(n, a)),
        2 => (0u8..6).prop_map(Deed::Failed),
        2 => (0u8..6).prop_map(Deed::Gone),
        2 => (0u64..50).prop_map(Deed::Clock),
        1 => (0u32..9).prop_map(Deed::Incarnation),
        2 => (0u64..40).prop_map(Deed::Wait),
        1 => prop_oneof![Just(None), (0usize..200).prop_map(Some)].prop_map(Deed::Room),
    ]
}

/// The deed as a snapshot's writer is told it, and what a member table would then say.
fn told(deed: &Deed, model: &mut Knowledge) -> Batch {
    let mut batch = Batch::default();
    let name = |n: &u8| format!("node {n}");
    match deed {
        Deed::Alive(n, a) => {
            model.failed.remove(&name(n));
            model.alive.insert(name(n), addr(*a));
            batch.members.insert(name(n), Fate::Alive(addr(*a)));
        }
        Deed::Failed(n) => {
            model.alive.remove(&name(n));
            model.failed.insert(name(n), addr(*n + 1));
            batch.members.insert(name(n), Fate::Failed(addr(*n + 1)));
        }
        Deed::Gone(n) => {
            model.alive.remove(&name(n));
            model.failed.remove(&name(n));
            batch.members.insert(name(n), Fate::Gone);
        }
        Deed::Clock(time) => {
            model.clocks.event = model.clocks.event.max(LamportTime(*time));
            batch.clocks.event = LamportTime(*time);
        }
        Deed::Incarnation(n) => {
            model.incarnation = model.incarnation.max(Incarnation(*n));
            batch.incarnation = Incarnation(*n);
        }
        Deed::Wait(_) | Deed::Room(_) => {}
    }
    batch
}

proptest! {
    /// Whenever the machine stops, and however much of what was not synced has reached the disk: the file says what was true
    /// at some moment, and not before the last sync.
    #[test]
    fn a_crash_at_any_byte_leaves_some_moment_of_the_past(
        deeds in prop::collection::vec(deed(), 0..60),
        compact_bytes_min in prop_oneof![Just(60u64), Just(100_000)],
        written in 0usize..400,
    ) {
        let disk = Disk::default();
        let mut writer = disk.writer(compact_bytes_min);
        let mut now = Instant::now();
        let mut past = vec![Knowledge::default()];
        let mut synced = 0;
        for deed in &deeds {
            match deed {
                Deed::Wait(seconds) => {
                    now += Duration::from_secs(*seconds);
                    writer.tend(now);
                }
                Deed::Room(room) => disk.set(*room),
                news => {
                    let mut model = past.last().unwrap().clone();
                    let batch = told(news, &mut model);
                    past.push(model);
                    writer.take(&batch, now);
                }
            }
            if writer.due().is_none() {
                synced = past.len() - 1;
            }
            let found = disk.after_crash(written);
            let moments = &past[synced..];
            prop_assert!(moments.contains(&found), "{found:?} was never true since {:?}", past[synced]);
        }
        disk.set(None);
        writer.finish(now);
        prop_assert_eq!(&disk.after_crash(0), past.last().unwrap());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), rejoin in any::<bool>()) {
        let _ = read(&bytes, rejoin);
    }

    /// Whole lines in any order, good and bad: what is read is written so that it is read again.
    #[test]
    fn what_is_read_and_written_is_read_again(
        lines in prop::collection::vec(
            "(alive: [ab ]{1,3} 10\\.0\\.0\\.[1-9]:7946|not-alive: [ab ]{1,3}|# (failed|gone): [ab ]{1,3}( 10\\.0\\.0\\.1:1)?|(event-|query-)?clock: [0-9]{1,3}|leave|# incarnation: [0-9]{1,3}|[a-z#: ]{0,10})\n",
            0..30,
        ),
    ) {
        let knowledge = read(lines.concat().as_bytes(), true).knowledge;
        let again = read(knowledge.lines().as_bytes(), true);
        prop_assert_eq!(&again.knowledge, &knowledge);
        prop_assert!(again.warnings.is_empty());
    }
}
