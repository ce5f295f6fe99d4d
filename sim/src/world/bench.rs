//! The simulator measured: the same loop as a run's, stopped between phases.

use super::World;
use crate::Scenario;
use crate::bench::{KILL_END, Run, Stopwatch, UNMEASURED, cpu_seconds};
use crate::truth::Presence;

/// Events between two looks at whether everybody knows.
const LOOK_EVERY: u32 = 64;

/// Measures one run of a scenario whose only fault is a crash at the end of the idle phase (ns).
pub(crate) fn run(scenario: &Scenario, seed: u64, idle: u64) -> Run {
    let began = cpu_seconds();
    let mut world = World::new(scenario, &scenario.variants[0], seed);
    world.schedule_faults();
    world.start();
    let set_up = cpu_seconds() - began;
    world.until(UNMEASURED, |_| false);
    let watch = Stopwatch::start(UNMEASURED, world.messages());
    // The crash is the first thing that happens at the end of the idle phase.
    world.until(UNMEASURED + idle - 1, |_| false);
    let idle_phase = watch.stop(UNMEASURED + idle, world.messages());
    let watch = Stopwatch::start(UNMEASURED + idle, world.messages());
    world.until(UNMEASURED + idle, |_| false);
    let down: Vec<u32> = (0..scenario.cluster.nodes)
        .filter(|node| world.stage.truth.presence(*node) == Presence::Down)
        .collect();
    // No live node takes a crashed one for alive any more.
    let known = |world: &World<'_>| down.iter().all(|node| world.stage.meter.views.present(*node) == 0);
    world.until(UNMEASURED + idle + KILL_END, known);
    let killed = watch.stop(world.stage.now, world.messages());
    Run { set_up, idle: idle_phase, killed, complete: !down.is_empty() && known(&world) }
}

impl World<'_> {
    fn until(&mut self, end: u64, done: impl Fn(&Self) -> bool) {
        let mut events = 0u32;
        while let Some((time, what)) = self.stage.queue.pop_until(end) {
            self.advance(time);
            self.one_event(time, what);
            events += 1;
            if events.is_multiple_of(LOOK_EVERY) && done(self) {
                return;
            }
        }
    }

    /// Datagrams sent so far.
    fn messages(&self) -> u64 {
        self.stage.meter.load.packets.iter().sum()
    }
}
