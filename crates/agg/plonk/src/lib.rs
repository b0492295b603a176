//! A PLONKish recursion machine over BabyBear.
//!
//! Programs are written with a [`Builder`], compiled into preprocessed columns of six fixed tables, and proven with
//! p3-batch-stark. All programs of one [`Shape`] have proofs of one shape and differ in their vk alone.
//!
//! ```
//! use tsz_plonk::{Builder, Program, coordinates, verify};
//! # use tsz_plonk::Value;
//! # use tsz_stark::{F, Profile};
//! # use p3_field::PrimeCharacteristicRing;
//! // "I know a square root of the public value."
//! let mut b = Builder::new();
//! let root = b.input();
//! let square = b.square(root);
//! b.expose(square);
//! let program = Program::fitted(b, Profile::Node)?;
//! let witness = program.run(&[Value::from(F::from_u8(5))])?;
//! assert_eq!(witness.publics, [F::from_u8(25)]);
//! // program.keys()?.prove(&inputs)? gives the public values and a proof for verify(vk, publics, proof).
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Wires
//! A wire holds four felts: an extension element of `F[X]/(X^4 - 11)`, or four lanes of a hash state. A [`Felt`] is
//! one whose last three are 0. [`Builder::pack`] and [`Builder::unpack`] go between quads and felts; hashing works
//! on quads, so that digests and opened rows cost no packing.
//!
//! # From source to proof
//! 1. [`Builder`] and [`gadgets`] append nodes, each with the source location of its caller.
//! 2. The optimiser folds constants, shares common subexpressions, fuses products into sums, drops dead nodes, makes
//!    polynomials of chains `acc x + v`.
//! 3. The layout gives each node rows, each operand a slot, each wire one defining slot.
//! 4. [`Program::run`] computes all wires from the inputs. Where an assertion fails, [`RunError`] names the gate and
//!    its file and line.
//! 5. [`Program::keys`] commits to the preprocessed columns; [`Prover::prove`] and [`verify`].
//!
//! # Tables
//! | table | a row | main | preprocessed | LogUp |
//! |---|---|---|---|---|
//! | `alu` | `d = ab a b + ac a c + qa a + qb b + qc c + k` | 16 | 17 | 12 |
//! | `poseidon2` | a permutation of four quads, halves exchanged by a bit | 299 | 19 | 20 |
//! | `pack` | a quad and its four coordinates | 4 | 12 | 16 |
//! | `bits` | a felt and its 31 canonical bits | 33 | 64 | 36 |
//! | `horner` | two steps `acc alpha^4 + P(q)` of quads with masked coordinates, or `acc x + v` | 28 | 20 | 8 |
//! | `public` | all public values in row 0 | n | 2n | n + 4 |
//!
//! Tables of one height may stand side by side as one AIR ([`Arrangement`]): each keeps its constraints and its slots, and
//! they share LogUp columns and the quotient. In nodes of the aggregation tree `alu`, `poseidon2` and `horner` do, and
//! `bits` and `public`: a quarter of the CPU time of a proof.
//!
//! Constraints have degree 5 at most (an S-box has a column for the cube of its input; LogUp columns of several messages
//! have 5): the blow-up is 4.
//!
//! # The witness bus
//! Bus `wit` carries `(address, value[4])`. Every slot of every row puts its value there with a preprocessed signed
//! multiplicity: +1 where it reads, minus the number of readers where it defines. `SOUNDNESS.md` argues that this
//! makes all slots of an address equal. There is no other tie between rows, but for chains of the batch reduction.

mod builder;
pub mod gadgets;
mod ir;
mod layout;
mod machine;
mod optimise;
mod run;
mod tables;
#[cfg(test)]
mod tests;

pub use builder::{Bit, Builder, Ext, Felt, Num};
pub use ir::{FELT_BITS, Source, Value, coordinates, from_coordinates};
pub use machine::{
    Arrangement, CompileError, Error, Program, Prover, Rows, Shape, SourceRows, publics_of, rows,
    rows_by_source, verify,
};
pub use run::{Fault, RunError, Witness};
pub use tables::PlonkAir;
