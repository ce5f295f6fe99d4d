//! What agents tell of members that had trouble. Nothing here waits for a time; everything waits for a condition.

mod common;

use std::time::Duration;

use common::{alive, builder, cluster, is, quick, sees, shut_down, soon};
use rumormill_core::id::{Incarnation, Versions};
use rumormill_core::io::Status;
use rumormill_core::wire::{Accusation, Alive, Message, Wire};
use rumormill_tokio::Handle;
use rumormill_tokio::agent::why::{Through, What, Why};
use tokio::net::UdpSocket;

/// Asks again and again until the answer is as wanted.
async fn told(agent: &Handle, name: &str, what: &str, wanted: impl Fn(&Why) -> bool) -> Why {
    let asking = async {
        loop {
            match agent.why(name).await.unwrap() {
                Some(why) if wanted(&why) => return why,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    soon(what, asking).await
}

fn position(why: &Why, wanted: impl Fn(&What) -> bool) -> Option<usize> {
    why.happenings.iter().position(|happening| wanted(&happening.what))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_dies_and_comes_back_is_explained_by_those_that_live() {
    let mut agents = cluster(5).await;
    let well = told(&agents[0], "node-04", "an answered probe", |why| why.round_trips.last.is_some()).await;
    let present = well.present.unwrap();
    assert_eq!((&*present.status, &*present.state), ("alive", "alive"));
    assert_eq!(&*present.address, agents[4].addr().to_string());
    assert!(well.round_trips.last.unwrap().ms > 0.0);
    assert_eq!(agents[0].why("node-05").await.unwrap(), None);

    let lost = agents.pop().unwrap();
    let addr = lost.addr();
    lost.shutdown().await;
    let names: Vec<String> = agents.iter().map(|agent| agent.name().to_owned()).collect();
    let mut probed = 0;
    for agent in &agents {
        sees(agent, "noticing the failure", |members| is(members, "node-04", Status::Failed)).await;
        let why = agent.why("node-04").await.unwrap().unwrap();
        assert_eq!((&*why.observer, &*why.member), (agent.name(), "node-04"));
        let present = why.present.as_ref().unwrap();
        assert_eq!((&*present.status, &*present.state), ("failed", "dead"));
        // All but a death that came before its suspicion are told from the beginning.
        let suspected = position(&why, |what| match what {
            What::Suspected { accuser, through, timeout_ms, .. } => {
                assert!(names.contains(&String::from(&**accuser)), "{accuser}");
                assert_eq!(*through == Through::Own, **accuser == *agent.name());
                *timeout_ms > 0
            }
            _ => false,
        });
        let declared = position(&why, |what| match what {
            What::DeclaredFailed { accuser, .. } => names.contains(&String::from(&**accuser)),
            _ => false,
        });
        assert!(declared.is_some() && suspected.is_none_or(|at| Some(at) < declared), "{why:?}");
        probed += usize::from(position(&why, |what| matches!(what, What::ProbeFailed { .. })).is_some());
        let troubled = agent.troubled().await.unwrap();
        let of = troubled.iter().find(|one| &*one.member == "node-04").expect("it is listed");
        assert_eq!(of.state.as_deref(), Some("dead"));
        assert_eq!(of.happenings as usize, why.happenings.len());
    }
    assert!(probed > 0, "somebody's probe found out");

    let peer = agents[0].addr().to_string();
    agents.push(builder("node-04").bind(addr).join(vec![peer]).start().await.unwrap());
    for agent in &agents {
        sees(agent, "the return", |members| alive(members) == 5).await;
    }
    let back = agents[1].why("node-04").await.unwrap().unwrap();
    assert!(position(&back, |what| matches!(what, What::Returned { .. })).is_some(), "{back:?}");
    assert_eq!(&*back.present.unwrap().status, "alive");
    shut_down(agents).await;
}

/// Whoever can send packets can make up names and accuse them.
#[tokio::test]
async fn a_flood_of_accused_names_is_forgotten_again() {
    const NAMES: usize = 4000;
    let agent = builder("node-00").start().await.unwrap();
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let mut wire = Wire::new(&quick());
    for n in 0..NAMES {
        let (name, incarnation) = (format!("ghost-{n:05}-{}", "x".repeat(200)), Incarnation(1));
        let addr = ([127, 0, 0, 1], 9).into();
        let ghost = Alive { incarnation, name: &name, addr, meta: &[], versions: Versions::CURRENT };
        let accused = Accusation { incarnation, name: &name, from: &name[..250.min(name.len())] };
        let mut packet = Vec::new();
        let start = wire.begin_packet(&mut packet);
        wire.encode(&Message::Alive(ghost), &mut packet);
        wire.encode(&Message::Suspect(accused), &mut packet);
        wire.finish_packet(start, &mut packet);
        socket.send_to(&packet, agent.addr()).await.unwrap();
        if n % 50 == 0 {
            // What it has answered after, it has had the time to read.
            agent.stats().await.unwrap();
        }
    }
    let full = async {
        loop {
            if agent.troubled().await.unwrap().len() == 1024 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("a full memory", full).await;
    let troubled = agent.troubled().await.unwrap();
    assert!(troubled.iter().map(|one| one.happenings as usize).sum::<usize>() <= 4096);
    assert!(agent.members().len() > 1024, "{}", agent.members().len());
    shut_down(vec![agent]).await;
}
