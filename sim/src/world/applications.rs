//! Applications of users of the library: when they are called, and how what they want is done.

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use rumormill_core::Node;
use rumormill_core::io::{Event, Input, Output};
use rumormill_core::time::nanos;

use super::stage::{Stage, What};
use super::{EVENT_NAME, QUERY_NAME, World};
use crate::application::{Application, CALLS_MAX, Context, Desk, TIMERS_MAX, Wish, is_applications};

/// Makes the application of a process, by its node's number.
pub(super) type Factory<'f> = dyn FnMut(u32) -> Option<Box<dyn Application>> + 'f;

/// The application of one process.
struct Cell {
    application: Box<dyn Application>,
    life: u32,
    rng: ChaCha8Rng,
    /// The last moment at which it was called, and how often then.
    at: u64,
    calls: u32,
    /// Timers that run.
    timers: u32,
}

/// The applications of a run.
pub(super) struct Applications<'s> {
    factory: &'s mut Factory<'s>,
    cells: Vec<Option<Cell>>,
    desk: &'s mut Desk,
    seed: u64,
    /// Whether a wish is being carried out: what comes of it waits its turn.
    busy: bool,
    /// Whether the measured time is over.
    over: bool,
}

impl<'s> Applications<'s> {
    pub(super) fn new(nodes: usize, seed: u64, factory: &'s mut Factory<'s>, desk: &'s mut Desk) -> Self {
        Self { factory, cells: (0..nodes).map(|_| None).collect(), desk, seed, busy: false, over: false }
    }

    /// Nobody is called any more.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.desk.wishes.clear();
    }

    /// A process is gone, and its application with it.
    pub(super) fn gone(&mut self, node: u32) {
        self.cells[node as usize] = None;
    }

    /// What a node wants done may be news to its application.
    #[inline]
    pub(super) fn hear(&mut self, node: u32, process: &Node, stage: &Stage, output: &Output<'_>) {
        match output {
            Output::Event(Event::User { name, .. }) if *name == EVENT_NAME => {}
            Output::Event(Event::Query { name, .. }) if *name == QUERY_NAME => {}
            // What comes back to who asked has no name, but the command that asked.
            Output::Event(Event::Answer { command, .. } | Event::Ack { command, .. })
                if !is_applications(*command) => {}
            Output::Event(event) => self.call(node, process, stage, |it, context| it.event(event, context)),
            Output::Completed { id, result } if is_applications(*id) => {
                self.call(node, process, stage, |it, context| it.completed(*id, result, context));
            }
            _ => {}
        }
    }

    fn born(&mut self, node: u32, process: &Node, stage: &Stage) {
        if self.over {
            return;
        }
        let Some(application) = (self.factory)(node) else { return };
        let life = stage.truth.life(node);
        let rng = self.stream(node, life);
        self.cells[node as usize] = Some(Cell { application, life, rng, at: stage.now, calls: 0, timers: 0 });
        self.call(node, process, stage, |it, context| it.started(context));
    }

    /// The stream of random numbers of one process.
    fn stream(&self, node: u32, life: u32) -> ChaCha8Rng {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..19].copy_from_slice(b"application");
        let mut rng = ChaCha8Rng::from_seed(bytes);
        rng.set_stream(u64::from(node) << 32 | u64::from(life));
        rng
    }

    fn call(
        &mut self,
        node: u32,
        process: &Node,
        stage: &Stage,
        with: impl FnOnce(&mut dyn Application, &mut Context<'_>),
    ) {
        let Some(cell) = self.cells[node as usize].as_mut().filter(|_| !self.over) else { return };
        if cell.at != stage.now {
            (cell.at, cell.calls) = (stage.now, 0);
        }
        cell.calls += 1;
        if cell.calls > CALLS_MAX {
            if cell.calls == CALLS_MAX + 1 {
                let what = format!(
                    "was called more than {CALLS_MAX} times at one moment; it is not called again at it"
                );
                self.desk.violation(stage.now, node, what);
            }
            return;
        }
        let mut context = Context {
            node,
            life: cell.life,
            process,
            truth: &stage.truth,
            now: stage.now,
            local: stage.conditions.local(node, stage.now),
            rng: &mut cell.rng,
            desk: self.desk,
            made: 0,
        };
        with(cell.application.as_mut(), &mut context);
    }

    pub(super) fn has_wishes(&self) -> bool {
        !self.desk.wishes.is_empty() && !self.busy
    }
}

impl World<'_> {
    /// A process has started: so does its application.
    pub(super) fn application_starts(&mut self, node: u32) {
        let (Some(applications), Some(process)) = (&mut self.applications, &self.nodes[node as usize]) else {
            return;
        };
        applications.born(node, process, &self.stage);
        self.carry_out_wishes();
    }

    /// A process is gone.
    pub(super) fn application_ends(&mut self, node: u32) {
        if let Some(applications) = &mut self.applications {
            applications.gone(node);
        }
    }

    /// A timer of an application has run out, if its process still lives.
    pub(super) fn call_back(&mut self, node: u32, life: u32, token: u32) {
        let (Some(applications), Some(process)) = (&mut self.applications, &self.nodes[node as usize]) else {
            return;
        };
        let cell = applications.cells[node as usize].as_mut().filter(|cell| cell.life == life);
        let Some(cell) = cell else { return };
        cell.timers -= 1;
        applications.call(node, process, &self.stage, |it, context| it.called_back(token, context));
        self.carry_out_wishes();
    }

    /// Does what applications want, in order, and what they want because of it.
    pub(super) fn carry_out_wishes(&mut self) {
        while let Some(applications) = self.applications.as_mut().filter(|it| it.has_wishes()) {
            let Some((node, life, wish)) = applications.desk.wishes.pop_front() else { return };
            applications.busy = true;
            // Its process may have ended by what it wanted before.
            if self.nodes[node as usize].is_some() && self.stage.truth.life(node) == life {
                self.carry_out_wish(node, life, wish);
            }
            if let Some(applications) = &mut self.applications {
                applications.busy = false;
            }
        }
    }

    fn carry_out_wish(&mut self, node: u32, life: u32, wish: Wish) {
        match wish {
            Wish::Command(id, command) => self.feed(node, Input::Command { id, command }),
            Wish::Leave if self.stage.truth.is_up(node) => self.tell_to_leave(node),
            Wish::Leave => {}
            Wish::CallBack { after, token } => {
                let Some(applications) = &mut self.applications else { return };
                let Some(cell) = &mut applications.cells[node as usize] else { return };
                let stage = &mut self.stage;
                let at = stage.conditions.global(node, stage.conditions.local(node, stage.now) + after);
                if at >= nanos(self.scenario.duration) {
                    return;
                }
                if cell.timers >= TIMERS_MAX {
                    let what = format!("has more than {TIMERS_MAX} timers at a time; this one does not run");
                    return applications.desk.violation(stage.now, node, what);
                }
                cell.timers += 1;
                stage.plan(at, What::CallBack { life, token }, node, node, &[]);
            }
        }
    }
}
