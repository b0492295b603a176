//! A run: many operations of one program under one digest.

use crate::event::EVENT_WORDS;
use crate::{Absorb, Event, Events, Fault, Layout, Leaf, Op, P, Program, RATE, WORDS, run_digest};

/// Words of arguments of one operation.
pub const MAX_ARGS: usize = 1024;

/// Where operations come from; nothing that it gives is trusted.
pub trait Input {
    /// Fills `words`.
    ///
    /// # Errors
    /// [`Fault::Shape`] if there are not that many.
    fn read(&mut self, words: &mut [u32]) -> Result<(), Fault>;
}

/// A list of words.
impl Input for &[u32] {
    fn read(&mut self, words: &mut [u32]) -> Result<(), Fault> {
        let (head, tail) = self.split_at_checked(words.len()).ok_or(Fault::Shape)?;
        words.copy_from_slice(head);
        *self = tail;
        Ok(())
    }
}

/// Memory of a run; static in a guest.
#[derive(Debug)]
pub struct Memory {
    words: [u32; WORDS],
    args: [u32; MAX_ARGS],
    events: [u32; EVENT_WORDS],
}

impl Memory {
    /// Empty memory.
    pub const fn new() -> Self {
        Self { words: [0; WORDS], args: [0; MAX_ARGS], events: [0; EVENT_WORDS] }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs a program on all operations of the input and gives the digest of the run.
///
/// Input: `[count, start 8]`, then for each operation `[accesses, writes, parties, length of args]`, the keys, the
/// old values, the arguments. The journals are absorbed from the capacity `start` on and end at a capacity `end`; the
/// digest is [`run_digest`] of both, the count and the events.
///
/// # Errors
/// The first [`Fault`]; there is no digest then.
pub fn run(
    program: Program,
    input: &mut impl Input,
    memory: &mut Memory,
    absorb: Absorb,
) -> Result<Leaf, Fault> {
    replay(program, input, memory, absorb, |_| ())
}

/// As [`run`], with every event.
///
/// # Errors
/// As [`run`].
pub fn replay(
    program: Program,
    input: &mut impl Input,
    memory: &mut Memory,
    absorb: Absorb,
    mut see: impl FnMut(Event),
) -> Result<Leaf, Fault> {
    let mut head = [0; 9];
    input.read(&mut head)?;
    if head.iter().any(|w| *w >= P) {
        return Err(Fault::Word);
    }
    let [count, start @ ..] = head;
    let mut end = start;
    let mut events = Events::default();
    for number in 0..count {
        let emitted = step(program, input, memory, absorb, &mut end)?;
        if emitted != 0 {
            let blocks = &mut memory.events[..RATE * emitted]; // at most as many as there is room for
            events.absorb(absorb, number, blocks);
            blocks.as_chunks().0.iter().for_each(|block| see(Event::from_block(block)));
        }
    }
    Ok(run_digest(absorb, &start, &end, count, &events))
}

/// Runs one operation and absorbs its journal; gives the number of its events.
fn step(
    program: Program,
    input: &mut impl Input,
    memory: &mut Memory,
    absorb: Absorb,
    capacity: &mut Leaf,
) -> Result<usize, Fault> {
    let mut head = [0; 4];
    input.read(&mut head)?;
    let [accesses, writes, parties, args_len] = head;
    let layout = Layout::new(accesses, writes, parties)?;
    let words = &mut memory.words;
    input.read(&mut words[layout.keys()..layout.keys_end()])?;
    input.read(&mut words[layout.olds()..layout.olds_end()])?;
    let args = memory.args.get_mut(..args_len as usize).ok_or(Fault::Shape)?;
    input.read(args)?;
    let mut op = Op::blank(words, layout, args, absorb);
    op.events = Some(&mut memory.events);
    op.open()?;
    program(&mut op)?;
    absorb(capacity, op.journal());
    Ok(op.emitted)
}
