//! Events: what a program tells the world beside the cells.
//!
//! An event is one block of 16 felts: `[number of the operation in its run, topic + 2^16 * length, felts (14)]`,
//! zero-filled. The blocks of a run are absorbed, in order, into a sponge of their own from the capacity
//! `[EVENTS_TAG, 0..]`; number of events and last capacity are part of the digest of the run. Events change nothing in
//! the state, so no guard sees them; who has the operations can replay the program for them.

use crate::journal::RATE;
use crate::{Absorb, CELL, Fault, Leaf, Op, P, RUN_TAG};

/// First felt of the initial capacity of the events of a run.
pub const EVENTS_TAG: u32 = 42;
/// Felts of one event beside its topic.
pub const EVENT_FELTS: usize = RATE - 2;
/// Events of one operation.
pub const MAX_EVENTS: usize = 8;
/// Words of the events of one operation.
pub(crate) const EVENT_WORDS: usize = RATE * MAX_EVENTS;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Number of the operation in its run.
    pub op: u32,
    /// What the program calls it, below 2^16.
    pub topic: u32,
    len: usize,
    felts: [u32; EVENT_FELTS],
}

impl Event {
    /// Reads a block that [`Op::emit`] made.
    pub(crate) fn from_block(block: &[u32; RATE]) -> Self {
        let [op, head, felts @ ..] = *block;
        Self { op, topic: head & 0xffff, len: (head >> 16) as usize, felts }
    }

    /// The block that stands for it.
    fn to_block(self) -> [u32; RATE] {
        let mut block = [0; RATE];
        block[0] = self.op;
        block[1] = self.topic | (self.len as u32) << 16; // at most 14
        block[2..].copy_from_slice(&self.felts);
        block
    }

    /// What it says.
    pub fn felts(&self) -> &[u32] {
        self.felts.get(..self.len).unwrap_or(&self.felts)
    }
}

/// All events of a run, as its digest has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events {
    /// How many.
    pub count: u32,
    /// Capacity after the last one.
    pub capacity: Leaf,
}

impl Default for Events {
    fn default() -> Self {
        Self { count: 0, capacity: [EVENTS_TAG, 0, 0, 0, 0, 0, 0, 0] }
    }
}

impl Events {
    /// Adds the next event of a run.
    pub fn push(&mut self, absorb: Absorb, event: &Event) {
        self.count += 1; // at most 8 for each of 2^24 operations
        absorb(&mut self.capacity, &event.to_block());
    }

    /// Absorbs the events of one operation.
    pub(crate) fn absorb(&mut self, absorb: Absorb, op: u32, blocks: &mut [u32]) {
        let (blocks, _) = blocks.as_chunks_mut::<RATE>();
        for block in blocks.iter_mut() {
            block[0] = op;
            self.count += 1; // at most 8 for each of 2^24 operations
        }
        absorb(&mut self.capacity, blocks.as_flattened());
    }
}

/// Digest of a run of `count` operations whose journals lead from `start` to `end`: the initial capacity
/// `[RUN_TAG, count, events, 0..]` absorbs `start ‖ end` and, where there are events, a second block of their last
/// capacity and zeros.
pub fn run_digest(absorb: Absorb, start: &Leaf, end: &Leaf, count: u32, events: &Events) -> Leaf {
    let mut words = [0; 2 * RATE];
    words[..CELL].copy_from_slice(start);
    words[CELL..RATE].copy_from_slice(end);
    words[RATE..RATE + CELL].copy_from_slice(&events.capacity);
    let blocks = if events.count == 0 { 1 } else { 2 };
    let mut digest = [RUN_TAG, count, events.count, 0, 0, 0, 0, 0];
    absorb(&mut digest, &words[..RATE * blocks]);
    digest
}

impl Op<'_> {
    /// Tells the world: a topic below 2^16 and at most 14 felts. At most 8 times an operation.
    ///
    /// # Errors
    /// [`Fault::Event`] beyond these bounds, [`Fault::Word`] for what is no felt.
    pub fn emit(&mut self, topic: u32, felts: &[u32]) -> Result<(), Fault> {
        if topic >> 16 != 0 || felts.len() > EVENT_FELTS || self.emitted == MAX_EVENTS {
            return Err(Fault::Event);
        }
        if felts.iter().any(|w| *w >= P) {
            return Err(Fault::Word);
        }
        let at = RATE * self.emitted;
        self.emitted += 1;
        if let Some(block) = self.events.as_deref_mut().and_then(|words| words.get_mut(at..at + RATE)) {
            block.fill(0);
            block[1] = topic | (felts.len() as u32) << 16;
            block[2..2 + felts.len()].copy_from_slice(felts);
        }
        Ok(())
    }
}
