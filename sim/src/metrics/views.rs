//! What every node believes of every other, kept up by news alone: one byte per pair.

/// What an observer believes of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum View {
    /// Never heard of, or forgotten.
    Unknown = 0,
    /// Believed reachable.
    Alive = 1,
    /// Suspected, but still counted as there.
    Suspect = 2,
    /// Declared dead.
    Failed = 3,
    /// Said that it leaves.
    Left = 4,
}

impl View {
    const fn present(self) -> bool {
        matches!(self, Self::Alive | Self::Suspect)
    }
}

/// Observers whose views of one subject lie together, in one cache line: what befalls a few subjects is soon told to all, and what an
/// observer is born with is the same for its neighbours.
const TOGETHER: usize = 64;

/// All views, and how many of them are wrong.
#[derive(Debug)]
pub struct Views {
    nodes: usize,
    /// In blocks of observers; in a block by subject, then by observer.
    views: Vec<View>,
    live: Vec<bool>,
    up: Vec<bool>,
    /// Nodes of different groups have no label or key in common: they should not see each other.
    group: Vec<u16>,
    /// Live observers of each group.
    live_in: Vec<u64>,
    /// For each subject: live observers, itself apart, that see it present.
    present: Vec<u32>,
    wrong: u64,
    suspects: u64,
}

impl Views {
    /// Nobody is there, and nobody believes anything.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self {
            nodes,
            views: vec![View::Unknown; nodes.next_multiple_of(TOGETHER) * nodes],
            live: vec![false; nodes],
            up: vec![false; nodes],
            group: vec![0; nodes],
            live_in: vec![0],
            present: vec![0; nodes],
            wrong: 0,
            suspects: 0,
        }
    }

    /// The groups of a cluster of which nobody lives yet.
    pub fn divide(&mut self, group: Vec<u16>) {
        self.live_in = vec![0; group.iter().max().map_or(1, |last| usize::from(*last) + 1)];
        self.group = group;
    }

    /// Whether the observer should see the subject.
    fn should_see(&self, observer: u32, subject: u32) -> bool {
        self.up[subject as usize] && self.group[observer as usize] == self.group[subject as usize]
    }

    const fn at(&self, observer: u32, subject: u32) -> usize {
        let observer = observer as usize;
        (observer / TOGETHER * self.nodes + subject as usize) * TOGETHER + observer % TOGETHER
    }

    /// What the observer believes.
    #[must_use]
    pub fn get(&self, observer: u32, subject: u32) -> View {
        self.views[self.at(observer, subject)]
    }

    /// The observer believes something else now. A node's view of itself is never kept.
    pub fn set(&mut self, observer: u32, subject: u32, view: View) -> View {
        let at = self.at(observer, subject);
        let was = self.views[at];
        if observer == subject || was == view {
            return was;
        }
        if self.live[observer as usize] {
            self.forget_pair(observer, subject, was);
            self.count_pair(observer, subject, view);
        }
        self.views[at] = view;
        was
    }

    fn count_pair(&mut self, observer: u32, subject: u32, view: View) {
        self.wrong += u64::from(view.present() != self.should_see(observer, subject));
        let same = self.group[observer as usize] == self.group[subject as usize];
        self.present[subject as usize] += u32::from(view.present() && same);
        self.suspects += u64::from(view == View::Suspect);
    }

    fn forget_pair(&mut self, observer: u32, subject: u32, view: View) {
        self.wrong -= u64::from(view.present() != self.should_see(observer, subject));
        let same = self.group[observer as usize] == self.group[subject as usize];
        self.present[subject as usize] -= u32::from(view.present() && same);
        self.suspects -= u64::from(view == View::Suspect);
    }

    /// A process starts, believing in these members; it is up.
    pub fn born(&mut self, node: u32, believed: impl Iterator<Item = u32>) {
        let subjects = 0..self.nodes as u32;
        for subject in subjects.clone() {
            let at = self.at(node, subject);
            self.views[at] = View::Unknown;
        }
        for subject in believed.filter(|s| *s != node) {
            let at = self.at(node, subject);
            self.views[at] = View::Alive;
        }
        self.set_up(node, true);
        self.live[node as usize] = true;
        self.live_in[usize::from(self.group[node as usize])] += 1;
        for subject in subjects.filter(|s| *s != node) {
            self.count_pair(node, subject, self.get(node, subject));
        }
    }

    /// A node is gone: it observes no more, and should be seen no more.
    pub fn gone(&mut self, node: u32) {
        if !std::mem::replace(&mut self.live[node as usize], false) {
            return;
        }
        self.live_in[usize::from(self.group[node as usize])] -= 1;
        for subject in (0..self.nodes as u32).filter(|s| *s != node) {
            self.forget_pair(node, subject, self.get(node, subject));
        }
        self.set_up(node, false);
    }

    fn set_up(&mut self, node: u32, up: bool) {
        if std::mem::replace(&mut self.up[node as usize], up) == up {
            return;
        }
        let present = u64::from(self.present[node as usize]);
        let absent = self.others(node) - present;
        let (right, wrong) = if up { (present, absent) } else { (absent, present) };
        self.wrong = self.wrong + wrong - right;
    }

    /// Live observers of a node in its group, itself apart.
    #[must_use]
    pub fn others(&self, node: u32) -> u64 {
        self.live_in[usize::from(self.group[node as usize])] - u64::from(self.live[node as usize])
    }

    /// Whether two nodes are of one group.
    #[must_use]
    pub fn together(&self, a: u32, b: u32) -> bool {
        self.group[a as usize] == self.group[b as usize]
    }

    /// Live observers in its group that see the node present.
    #[must_use]
    pub fn present(&self, node: u32) -> u64 {
        u64::from(self.present[node as usize])
    }

    /// Whether the node observes.
    #[must_use]
    pub fn is_live(&self, node: u32) -> bool {
        self.live[node as usize]
    }

    /// (live observer, subject) pairs whose view differs from ground truth.
    #[must_use]
    pub const fn wrong(&self) -> u64 {
        self.wrong
    }

    /// Open suspicions at live observers.
    #[must_use]
    pub const fn suspects(&self) -> u64 {
        self.suspects
    }

    /// Members that the observer believes to be there.
    pub fn believed(&self, observer: u32) -> impl Iterator<Item = u32> + '_ {
        (0..self.nodes as u32).filter(move |subject| self.get(observer, *subject).present())
    }

    /// The first wrong view: observer, subject, and what it believes. Scans; for reports.
    #[must_use]
    pub fn first_wrong(&self) -> Option<(u32, u32, View)> {
        let nodes = 0..self.nodes as u32;
        nodes.clone().filter(|o| self.live[*o as usize]).find_map(|o| {
            let wrong = |s: &u32| *s != o && self.get(o, *s).present() != self.should_see(o, *s);
            nodes.clone().find(wrong).map(|s| (o, s, self.get(o, s)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn recount(views: &Views) -> (u64, u64) {
        let (mut wrong, mut suspects) = (0, 0);
        for o in (0..views.nodes as u32).filter(|o| views.live[*o as usize]) {
            for s in (0..views.nodes as u32).filter(|s| *s != o) {
                wrong += u64::from(views.get(o, s).present() != views.should_see(o, s));
                suspects += u64::from(views.get(o, s) == View::Suspect);
            }
        }
        (wrong, suspects)
    }

    proptest! {
        #[test]
        fn counters_equal_a_recount_after_any_history(
            ops in proptest::collection::vec((0u8..8, 0u32..5, 0u32..5), 0..200),
            group in proptest::collection::vec(0u16..2, 5),
        ) {
            let mut views = Views::new(5);
            views.divide(group);
            for (op, a, b) in ops {
                match op {
                    0 => { if !views.is_live(a) { views.born(a, [b, (b + 1) % 5].into_iter()); } }
                    1 => views.gone(a),
                    2 => { views.set(a, b, View::Unknown); }
                    3 | 4 => { views.set(a, b, View::Alive); }
                    5 => { views.set(a, b, View::Suspect); }
                    6 => { views.set(a, b, View::Failed); }
                    _ => { views.set(a, b, View::Left); }
                }
                prop_assert_eq!((views.wrong(), views.suspects()), recount(&views));
            }
        }
    }
}
