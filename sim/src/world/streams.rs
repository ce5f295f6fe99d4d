//! Connections between processes, and which process knows them by which number.

use rumormill_core::io::StreamId;

/// One side of a connection. Side 0 opened it.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) node: u32,
    pub(super) id: StreamId,
    pub(super) open: bool,
    pub(super) said_last: bool,
    pub(super) heard_last: bool,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) generation: u32,
    pub(super) ends: [End; 2],
    /// When the last thing under way to each side arrives: nothing overtakes.
    pub(super) arrival: [u64; 2],
    /// Whether the way to each side has lost something for good.
    pub(super) stalled: [bool; 2],
}

/// What happens at one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The first segment of a connection reaches the peer's machine.
    Syn,
    /// The opener learns that it is connected.
    Connected,
    /// The acceptor's side is complete.
    Accepted,
    /// A frame arrives.
    Frame,
    /// The other side has said its last.
    Closed,
    /// Nobody listens there.
    Refused,
    /// The other process is gone.
    Lost,
}

/// All connections of a run.
#[derive(Debug)]
pub(super) struct Connections {
    all: Vec<Connection>,
    free: Vec<u32>,
    of_node: Vec<Vec<(StreamId, u32)>>,
    accepted: Vec<u32>,
}

impl Connections {
    pub(super) fn new(nodes: usize) -> Self {
        Self { all: Vec::new(), free: Vec::new(), of_node: vec![Vec::new(); nodes], accepted: vec![0; nodes] }
    }

    /// A new connection from one node to another, known to the first as `id`.
    pub(super) fn open(&mut self, from: u32, id: StreamId, to: u32) -> u32 {
        let end = |node, id, open| End { node, id, open, said_last: false, heard_last: false };
        let ends = [end(from, id, true), end(to, StreamId::Theirs(0), false)];
        let index = self.free.pop().unwrap_or(self.all.len() as u32);
        let generation = self.all.get(index as usize).map_or(0, |c| c.generation);
        let fresh = Connection { generation, ends, arrival: [0; 2], stalled: [false; 2] };
        match self.all.get_mut(index as usize) {
            Some(slot) => *slot = fresh,
            None => self.all.push(fresh),
        }
        self.of_node[from as usize].push((id, index));
        index
    }

    /// The acceptor's side comes to be.
    pub(super) fn accept(&mut self, index: u32) {
        let end = &mut self.all[index as usize].ends[1];
        let count = &mut self.accepted[end.node as usize];
        end.id = StreamId::Theirs(*count);
        end.open = true;
        *count += 1;
        self.of_node[end.node as usize].push((end.id, index));
    }

    pub(super) fn get(&mut self, index: u32) -> &mut Connection {
        &mut self.all[index as usize]
    }

    /// The connection that a node knows by this number, and which side the node is.
    pub(super) fn find(&self, node: u32, id: StreamId) -> Option<(u32, usize)> {
        let (_, index) = self.of_node[node as usize].iter().find(|(i, _)| *i == id)?;
        let ends = &self.all[*index as usize].ends;
        Some((*index, usize::from(!(ends[0].node == node && ends[0].id == id))))
    }

    /// The node's side ends; a connection with no side left is reused.
    pub(super) fn end(&mut self, index: u32, side: usize) {
        let end = &mut self.all[index as usize].ends[side];
        if !end.open {
            return;
        }
        end.open = false;
        self.of_node[end.node as usize].retain(|(_, i)| *i != index);
        let connection = &mut self.all[index as usize];
        if !connection.ends[1 - side].open {
            // What is still under way belongs to a connection that is no more: a first segment must not open it again.
            connection.generation += 1;
            self.free.push(index);
        }
    }

    /// Any connection of the node, and its side.
    pub(super) fn any_of(&self, node: u32) -> Option<(u32, usize)> {
        let (id, _) = self.of_node[node as usize].first()?;
        self.find(node, *id)
    }

    /// A new life begins: its numbers start afresh.
    pub(super) fn born(&mut self, node: u32) {
        self.accepted[node as usize] = 0;
    }
}
