use std::collections::BTreeSet;
use std::time::Duration;

use rumormill_core::io::Event;
use rumormill_sim::Scenario;
use rumormill_sim::application::{self, Application, Context, Outcome};

const PAUSE: Duration = Duration::from_secs(1);

/// Sends a request to one of its backends every second.
struct Router {
    backends: BTreeSet<String>,
    /// The bug: who leaves is not taken from the list, as if only failures counted.
    forgetful: bool,
}

impl Application for Router {
    fn started(&mut self, context: &mut Context<'_>) {
        self.backends = context.members().map(|member| member.identity.name.to_string()).collect();
        context.call_back(PAUSE, 0);
    }

    fn event(&mut self, event: &Event<'_>, _: &mut Context<'_>) {
        match event {
            Event::Join { member, .. } => {
                self.backends.insert(member.name.to_string());
            }
            Event::Leave { .. } if self.forgetful => {}
            Event::Leave { member } | Event::Failed { member, .. } => {
                self.backends.remove(member.name.as_str());
            }
            _ => {}
        }
    }

    fn called_back(&mut self, _: u32, context: &mut Context<'_>) {
        let place = context.random() as usize % self.backends.len().max(1);
        if let Some(backend) = self.backends.iter().nth(place) {
            let up = context.member(backend).is_some_and(|member| member.status.is_up());
            context.check(up, || format!("sent a request to {backend}, which is known to be gone"));
        }
        context.call_back(PAUSE, 0);
    }
}

fn run(seed: u64, forgetful: bool) -> Outcome {
    let text = r#"
        name = "router"
        duration = "2m"
        [cluster]
        nodes = 8
        [network]
        loss = 0.05
        [[fault]]
        at = "10s"
        for = "40s"
        kind = "crash"
        nodes = { pick = 2 }
        [[fault]]
        at = "20s"
        kind = "leave"
        nodes = { pick = 1 }
    "#;
    let scenario = Scenario::parse(text, "router.toml", &[]).unwrap();
    application::run(&scenario, 0, seed, &mut |_| {
        Some(Box::new(Router { backends: BTreeSet::new(), forgetful }))
    })
}

#[test]
fn no_request_goes_to_who_is_known_to_be_gone() {
    for seed in 1..=5 {
        assert_eq!(run(seed, false).problems(), [""; 0]);
    }
}

#[test]
fn the_forgetful_router_is_found_out() {
    let problems = run(1, true).problems();
    assert!(problems[0].contains("which is known to be gone"), "{problems:?}");
}
