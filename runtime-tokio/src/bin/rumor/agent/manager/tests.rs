use std::cell::Cell;
use std::time::Duration;

use rumormill_tokio::core::id::{Identity, Incarnation, NodeName, Versions};
use rumormill_tokio::core::io::Status;
use rumormill_tokio::{Member, Members};
use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use super::telling::counts;
use super::*;

/// A manager that listens, and whom to tell.
struct Listening {
    socket: UnixDatagram,
    manager: Manager,
    _folder: TempDir,
}

impl Listening {
    fn new(watchdog: Option<Duration>) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let own = std::os::unix::net::UnixDatagram::unbound().unwrap();
        own.set_nonblocking(true).unwrap();
        let line = Line {
            socket: own,
            address: SocketAddr::from_pathname(path).unwrap(),
            watchdog,
            stage: AtomicU8::new(Stage::Starting as u8),
            is_deaf: AtomicBool::new(false),
        };
        Self { socket, manager: Manager(Some(Arc::new(line))), _folder: folder }
    }

    async fn hears(&self) -> String {
        let mut message = [0; 1000];
        let heard = timeout(Duration::from_secs(60), self.socket.recv(&mut message)).await;
        String::from_utf8_lossy(&message[..heard.unwrap().unwrap()]).into_owned()
    }

    fn hears_nothing(&self) -> bool {
        self.socket.try_recv(&mut [0; 1000]).is_err()
    }
}

#[tokio::test]
async fn a_life_is_told_in_order_and_nothing_twice() {
    let listening = Listening::new(None);
    let manager = &listening.manager;
    // A reload of an agent that is not ready must not look as if it were.
    manager.reloading().await;
    manager.reloaded().await;
    assert!(listening.hears_nothing());
    manager.ready().await;
    manager.ready().await;
    assert_eq!(listening.hears().await, "READY=1");
    manager.reloading().await;
    let reloading = listening.hears().await;
    let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
    assert!(micros.parse::<u64>().unwrap() > 0);
    manager.reloaded().await;
    assert_eq!(listening.hears().await, "READY=1");
    manager.stopping().await;
    manager.stopping().await;
    manager.reloaded().await;
    assert_eq!(listening.hears().await, "STOPPING=1");
    manager.status("two\nlines").await;
    assert_eq!(listening.hears().await, "STATUS=two lines");
    assert!(listening.hears_nothing());
}

#[tokio::test]
async fn an_agent_that_does_not_answer_gives_no_sign_of_life() {
    let listening = Listening::new(Some(Duration::from_millis(2)));
    let asked = Cell::new(0);
    let hangs_at_the_third = || async {
        asked.set(asked.get() + 1);
        if asked.get() == 3 {
            std::future::pending::<()>().await;
        }
        true
    };
    let feeding = listening.manager.feed_watchdog(hangs_at_the_third);
    // Fifty times the interval: two signs of life, and then silence.
    assert!(timeout(Duration::from_millis(50), feeding).await.is_err());
    assert_eq!(asked.get(), 3);
    for _ in 0..2 {
        assert_eq!(listening.hears().await, "WATCHDOG=1");
    }
    assert!(listening.hears_nothing());
    // One that has ended gives none either, and is not asked again.
    listening.manager.feed_watchdog(|| async { false }).await;
    assert!(listening.hears_nothing());
}

#[tokio::test]
async fn a_manager_that_is_behind_is_waited_for_and_one_that_is_gone_is_no_trouble() {
    let listening = Listening::new(None);
    // More than its queue holds.
    let saying = async {
        for number in 0..2000 {
            listening.manager.status(&number.to_string()).await;
        }
    };
    let hearing = async {
        for number in 0..2000 {
            assert_eq!(listening.hears().await, format!("STATUS={number}"));
        }
    };
    tokio::join!(saying, hearing);
    let Listening { socket, manager, _folder } = listening;
    drop(socket);
    manager.status("nobody hears").await;
    assert!(manager.0.unwrap().is_deaf.load(Ordering::Relaxed));
    Manager::default().ready().await;
}

#[test]
fn members_are_counted_by_kind() {
    let member = |name: &str, status| {
        let (name, addr) = (NodeName::new(name).unwrap(), ([127, 0, 0, 1], 1).into());
        let identity = Identity { name, addr, meta: [].into(), versions: Versions::CURRENT }.into();
        Member { identity, incarnation: Incarnation(1), status }
    };
    let mut members =
        vec![member("a", Status::Alive), member("b", Status::Alive), member("c", Status::Failed)];
    assert_eq!(counts(&Members::new(members.clone())), "2 members alive, 1 failed");
    members.extend([member("d", Status::Left), member("e", Status::Leaving)]);
    assert_eq!(counts(&Members::new(members)), "2 members alive, 1 failed, 1 leaving, 1 left");
}
