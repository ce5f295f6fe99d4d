use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rumormill_core::io::{Event, Status};
use rumormill_sim::Scenario;
use rumormill_sim::application::{self, Application, Context};

/// Follows the member that is up and has the first name, and says so when that is another one.
struct Election {
    leader: String,
    /// Whom each node follows, for the test to look at.
    followed: Rc<RefCell<BTreeMap<u32, String>>>,
    /// The bug: another leader is only looked for when the present one is gone.
    lazy: bool,
}

impl Election {
    fn elect(&mut self, context: &mut Context<'_>) {
        let up = context.members().filter(|member| member.status == Status::Alive);
        let Some(first) = up.map(|member| member.identity.name.as_str().to_owned()).min() else { return };
        if first != self.leader {
            context.user_event("leader", first.as_bytes());
            self.followed.borrow_mut().insert(context.number(), first.clone());
            self.leader = first;
        }
    }
}

impl Application for Election {
    fn started(&mut self, context: &mut Context<'_>) {
        self.elect(context);
    }

    fn event(&mut self, event: &Event<'_>, context: &mut Context<'_>) {
        match event {
            Event::Failed { member, .. } | Event::Leave { member }
                if !self.lazy || *member.name == *self.leader =>
            {
                self.elect(context);
            }
            Event::Join { .. } if !self.lazy => self.elect(context),
            _ => {}
        }
    }
}

/// Four nodes are cut off from the eight others for a minute, on a network that loses three packets in a hundred.
fn split() -> Scenario {
    let text = r#"
        name = "election"
        duration = "3m"
        [cluster]
        nodes = 12
        zones = [{ name = "a", nodes = 4 }, { name = "b", nodes = 8 }]
        [network]
        loss = 0.03
        [[fault]]
        at = "20s"
        for = "60s"
        kind = "partition"
        partition = { a = { zone = "a" }, b = { zone = "b" } }
    "#;
    Scenario::parse(text, "election.toml", &[]).unwrap()
}

/// Whom the nodes follow at the end of a run.
fn leaders(seed: u64, lazy: bool) -> BTreeSet<String> {
    let followed = Rc::new(RefCell::new(BTreeMap::new()));
    let outcome = application::run(&split(), 0, seed, &mut |_| {
        Some(Box::new(Election { leader: String::new(), followed: followed.clone(), lazy }))
    });
    assert_eq!(outcome.problems(), [""; 0]);
    followed.borrow().values().cloned().collect()
}

#[test]
fn there_is_one_leader_long_after_a_split() {
    for seed in 1..=5 {
        let leaders = leaders(seed, false);
        assert_eq!(leaders.len(), 1, "seed {seed}: {leaders:?}");
    }
}

#[test]
fn the_lazy_election_is_found_out() {
    // Of the two parts one has elected a leader of its own, and nothing tells it to look again when they meet.
    for seed in 1..=5 {
        let leaders = leaders(seed, true);
        assert_eq!(leaders.len(), 2, "seed {seed}: {leaders:?}");
    }
}
