//! Sponge steps: hash chains in cells, and the L1 queue.

use tsz_air::InteractionBuilder;
use tsz_air::PrimeCharacteristicRing;
use tsz_hash::{Block, Digest, F, PrimeField32, step};

use crate::columns;
use crate::limb::U24;
use crate::row::{Row, SYS_HI, c, pad8};

/// Index of the system cells that fund ops touch.
pub mod sys {
    /// Batch head.
    pub const HEAD: u32 = 0;
    /// Next L1 serial.
    pub const L1IN: u32 = 1;
    /// Chain of consumed L1 operations.
    pub const L1CHAIN: u32 = 2;
    /// Chain of withdrawal records.
    pub const OUT: u32 = 3;
    /// Hash of the parameters.
    pub const PARAMS: u32 = 5;
}

columns! {
    /// A chain cell that absorbs a record of two blocks.
    pub struct Chain {
        /// Value found; bound to the cell by the bus.
        old: [8],
        /// Capacity after the first block; owned by `p2`.
        mid: [8],
        /// Capacity after the second block; owned by `p2`, or the old value if nothing is absorbed.
        new: [8],
    }
}

impl Chain<F> {
    /// Absorbs `blocks` into `old`.
    pub fn of(old: &Digest, blocks: [&Block; 2]) -> Self {
        let mid = step(blocks[0], old);
        Self { old: *old, mid, new: step(blocks[1], &mid) }
    }

    /// Absorbs nothing.
    pub fn kept(old: &Digest) -> Self {
        Self { old: *old, mid: Digest::default(), new: *old }
    }
}

columns! {
    /// The next L1 serial (u64) and its increment. The old limbs are expressions.
    pub struct Serial {
        /// New limbs: 24, 24, 16 bits; range12.
        new: (U24 * 3),
        /// Carries out of the two lower limbs; boolean.
        carries: [2],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Serial<E> {
    /// The serial of this op: the value found.
    ///
    /// Old limbs have 24 bits (every writer checks), so a wrong carry would make an old limb negative or 2^24.
    pub fn old(&self) -> [E; 3] {
        let [s0, s1, s2] = core::array::from_fn(|k| self.new[k].value());
        let [c0, c1] = self.carries.clone();
        let radix = c::<E>(1 << 24);
        [s0 - E::ONE + c0.clone() * radix.clone(), s1 - c0 + c1.clone() * radix, s2 - c1]
    }
}

impl Serial<F> {
    /// Columns of an L1 queue that went on from `old`.
    pub fn of(old: &Digest) -> Self {
        let [s0, s1, s2] = core::array::from_fn(|k| u128::from(old[k].as_canonical_u32()));
        let low = s0 + 1;
        let mid = s1 + (low >> 24);
        let new = [low & 0xff_ffff, mid & 0xff_ffff, s2 + (mid >> 24)];
        Self {
            new: new.map(|x| U24::of(x as u32)),
            carries: [low >> 24, mid >> 24].map(|x| F::from_u32(x as u32)),
        }
    }
}

columns! {
    /// What every L1 op does first: take the next serial and absorb its record into the L1 chain.
    pub struct L1Queue {
        /// The serial.
        serial: (Serial),
        /// The chain of consumed L1 operations.
        chain: (Chain),
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// Access `j`, write `w`: system cell `index`.
    pub fn sys_key(&mut self, j: u32, write: bool, index: u32) {
        self.key(j, write, c(SYS_HI), c(index));
    }

    /// Access `j` (write number `w`) of a chain cell that absorbs the two blocks if `count`, else is kept.
    pub fn chain(
        &mut self,
        (j, w, index): (u32, u32, u32),
        chain: &Chain<AB::Expr>,
        count: &AB::Expr,
        blocks: [[AB::Expr; 8]; 2],
    ) {
        let [first, second] = blocks;
        self.step(count, first, &chain.old, &chain.mid);
        self.step(count, second, &chain.mid, &chain.new);
        let idle = self.real.clone() - count.clone();
        for k in 0..8 {
            self.zero(idle.clone() * (chain.new[k].clone() - chain.old[k].clone()));
        }
        self.sys_key(j, true, index);
        self.old(j, chain.old.clone());
        self.new_value(w, chain.new.clone());
    }

    /// Access `j`, write `w`: the serial of the op is taken from L1IN; returns its limbs.
    pub fn serial(&mut self, j: u32, w: u32, serial: &Serial<AB::Expr>) -> [AB::Expr; 3] {
        self.u24(&serial.new[0]);
        self.u24(&serial.new[1]);
        self.u16(&serial.new[2]);
        for carry in &serial.carries {
            self.boolean(carry);
        }
        let old = serial.old();
        self.sys_key(j, true, sys::L1IN);
        self.old(j, pad8(&old));
        self.new_value(w, pad8(&core::array::from_fn::<_, 3, _>(|k| serial.new[k].value())));
        old
    }

    /// Accesses `j` and `j + 1` (writes `w` and `w + 1`): the serial is taken and the record `[code, serial, ..]`
    /// is absorbed; `rest` is what follows code and serial in the record.
    pub fn l1_queue(
        &mut self,
        (j, w): (u32, u32),
        queue: &L1Queue<AB::Expr>,
        code: AB::Expr,
        rest: [[AB::Expr; 4]; 3],
    ) {
        let [s0, s1, s2] = self.serial(j, w, &queue.serial);
        let [head, a, b] = rest;
        let mut first = pad8(&[code, s0, s1, s2]);
        first[4..].clone_from_slice(&head);
        let second = core::array::from_fn(|k| if k < 4 { a[k].clone() } else { b[k - 4].clone() });
        let count = self.real.clone();
        self.chain((j + 1, w + 1, sys::L1CHAIN), &queue.chain, &count, [first, second]);
    }
}
