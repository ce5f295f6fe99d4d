//! Ground truth: who is really there. The simulator's own knowledge, never a node's.

/// Where a node really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has not started yet.
    Absent,
    /// Its process runs and wants to be a member.
    Up,
    /// It was told to leave; its process may still run, but it is no member any more.
    Leaving,
    /// It left.
    Left,
    /// Its process was stopped without a word.
    Down,
}

/// Ground truth of one run.
#[derive(Clone, Debug)]
pub struct Truth {
    presence: Vec<Presence>,
    lives: Vec<u32>,
    up: u32,
    /// How many faults disturb each node.
    disturbances: Vec<u32>,
    disturbed: u32,
    last_change: Option<u64>,
}

impl Truth {
    /// Nobody is there yet.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self {
            presence: vec![Presence::Absent; nodes],
            lives: vec![0; nodes],
            up: 0,
            disturbances: vec![0; nodes],
            disturbed: 0,
            last_change: None,
        }
    }

    /// How many nodes there are, those that have not started yet included.
    #[must_use]
    pub const fn nodes(&self) -> u32 {
        self.presence.len() as u32
    }

    /// Where a node is.
    #[must_use]
    pub fn presence(&self, node: u32) -> Presence {
        self.presence[node as usize]
    }

    /// Whether a node is up: a member that others should see.
    #[must_use]
    pub fn is_up(&self, node: u32) -> bool {
        self.presence(node) == Presence::Up
    }

    /// Nodes that are up.
    #[must_use]
    pub const fn up(&self) -> u32 {
        self.up
    }

    /// The number of a node's present or last life, from 1; 0 before the first.
    #[must_use]
    pub fn life(&self, node: u32) -> u32 {
        self.lives[node as usize]
    }

    /// A node's place changes.
    pub fn set(&mut self, node: u32, presence: Presence) {
        let was = std::mem::replace(&mut self.presence[node as usize], presence);
        self.up -= u32::from(was == Presence::Up);
        if presence == Presence::Up {
            self.up += 1;
            self.lives[node as usize] += 1;
        }
    }

    /// A fault begins to disturb the node: its process or its machine is not as it should be.
    pub fn disturb(&mut self, node: u32) {
        let faults = &mut self.disturbances[node as usize];
        self.disturbed += u32::from(*faults == 0);
        *faults += 1;
    }

    /// A fault disturbs the node no more.
    pub fn leave_alone(&mut self, node: u32) {
        let faults = &mut self.disturbances[node as usize];
        *faults -= 1;
        self.disturbed -= u32::from(*faults == 0);
    }

    /// Whether a fault disturbs the node.
    #[must_use]
    pub fn is_disturbed(&self, node: u32) -> bool {
        self.disturbances[node as usize] > 0
    }

    /// Nodes that a fault disturbs.
    #[must_use]
    pub const fn disturbed(&self) -> u32 {
        self.disturbed
    }

    /// Ground truth, or who can reach whom, changed after the start.
    pub const fn changed(&mut self, now: u64) {
        self.last_change = Some(now);
    }

    /// When it last changed after the start.
    #[must_use]
    pub const fn last_change(&self) -> Option<u64> {
        self.last_change
    }
}

/// The name of a node.
#[must_use]
pub fn node_name(node: u32) -> String {
    format!("node-{node}")
}

/// The number of the node of that name.
#[must_use]
pub fn node_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("node-")?;
    let mut number = 0u32;
    for byte in digits.bytes() {
        number =
            number.checked_mul(10)?.checked_add(u32::from(byte.checked_sub(b'0').filter(|d| *d < 10)?))?;
    }
    (!digits.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_each_other() {
        assert_eq!(node_number(&node_name(1234)), Some(1234));
        assert_eq!(node_number("node-"), None);
        assert_eq!(node_number("node-1x"), None);
        assert_eq!(node_number("other-1"), None);
        assert_eq!(node_number("node-99999999999"), None);
    }

    #[test]
    fn a_node_is_disturbed_while_any_fault_disturbs_it() {
        let mut truth = Truth::new(2);
        truth.disturb(1);
        truth.disturb(1);
        truth.leave_alone(1);
        assert_eq!((truth.is_disturbed(1), truth.is_disturbed(0), truth.disturbed()), (true, false, 1));
        truth.leave_alone(1);
        assert_eq!((truth.is_disturbed(1), truth.disturbed()), (false, 0));
    }

    #[test]
    fn lives_and_the_number_that_is_up_follow_the_changes() {
        let mut truth = Truth::new(2);
        truth.set(0, Presence::Up);
        truth.set(1, Presence::Up);
        truth.set(0, Presence::Down);
        assert_eq!((truth.up(), truth.life(0)), (1, 1));
        truth.set(0, Presence::Up);
        assert_eq!((truth.up(), truth.life(0), truth.is_up(0)), (2, 2, true));
    }
}
