//! Schnorr signatures (`tsz-sig`): three tables that provide `(key_id, msg)` on bus `sig` for signed messages.
//!
//! # What is proven
//! For every message `(key_id, msg)` on bus `sig` there are a point P of the curve with identifier `key_id`, a
//! point R and a scalar s with R = s*G + c*P + 2^120 H, where c = 2e - (4^60 - 1) and e is the challenge of
//! `tsz-sig`: the low 24 bits of lanes 0..5 of step(id(R), step(key_id, msg)), no lane being p - 1.
//!
//! | table | rows | role |
//! |---|---|---|
//! | [`SigTable`] `sig` | one a signature | hashes the challenge, provides `sig` |
//! | [`LadderTable`] `schnorr` | [`ROWS`] a signature | R = s*G + c*P + 2^120 H, provides `schnorr` |
//! | [`CombTable`] `comb` | 2^12 | multiples of G (preprocessed), provides `comb` |
//!
//! Internal lookup buses: `schnorr` (key_id\[8\], limbs of e\[5\], id(R)\[8\]) and `comb` (window, x\[7\], y\[7\]).
//! Others': `sig` provided; `p2` and `range12` looked up.
//!
//! # Layout of `schnorr`
//! A block of 16 rows runs two accumulators side by side:
//! - the **ladder** of the block's signature: A <- 2A + d P, d = 2b - 1 for the bits b of e from the highest, 8
//!   bits a row, in rows 0..15; row 15 starts with A = R and provides the message; its own 8 steps are idle;
//! - the **comb** of the *next* block's signature: C starts at H and takes two entries a row, windows 2r and
//!   2r + 1; entry v < 128 of window w < 31 is (v + 1) 2^(7w) G, and the one entry of window 31 removes the ones.
//!   C ends at s'*G + H, and the next block's ladder starts there: R = 2^120 (s' G + H) + c P, s = 2^120 s'.
//!
//! The last block's comb feeds the first block: constraints between rows are cyclic, and no row is special.
//!
//! A step computes 2A + B as (A + B) + A with B = (x_P, d y_P): l1 is the slope of A and B, x_R = l1^2 - x_A -
//! x_P, l2 the slope of A and A + B, x_A' = l2^2 - x_A - x_R. Ordinates are no columns (but at the ends of a row,
//! for the degree): 2 y_A = (l1 + l2)(x_A - x_R). Seven weights a row and an inverse a step show x_A != x_P.
//!
//! # Soundness
//! 1. *Challenge.* An active row of `sig` looks up both hash steps, so h2 is the hash of (R, P, msg). `hi` and
//!    `hi + 3976` are below 4096, so hi < 120, and a limb h2 - 2^24 hi equals the ladder's sum of 24 bits: the
//!    decomposition lo + 2^24 hi < p is the canonical one, and a lane p - 1 has none.
//! 2. *Key.* The ladder block holds P with the curve equation on every row and the same P on its 16 rows. The
//!    message carries x_P and the lowest felt of y_P, so a key id that no point has is unprovable. If y_0 = 0,
//!    P and -P share the id: the owner of one secret owns the other, and `PublicKey::verify` takes either too.
//! 3. *Bits.* Bits are boolean; limb k is the sum of its 24 bits with fixed weights, from 0 at row 0. Weights,
//!    row numbers and first/last flags are periodic columns, fixed by the vk.
//! 4. *Message.* Only row 15 may provide (`uses` is 0 elsewhere). There the limbs are complete and A is the
//!    ladder's end, R by 7. An entry is a true statement whatever the key, so `uses` is free, and two signatures
//!    may share one.
//! 5. *Comb entries* are true multiples of G (preprocessed; padding repeats a true entry), and the window column
//!    is the row's. So C ends at s'*G + H for the s' that the entries name, if no addition is exceptional. Any s'
//!    is fine: s matters only modulo N, and nothing in the system identifies a signature by s.
//! 6. *Exceptional additions of the comb.* C starts at H and is on the curve until the first of them.
//!    l (x_T - x_C) = y_T - y_C leaves l free only if T = C; if T = -C it has no solution, as no point has order 2
//!    (N is an odd prime). There C = H + aG and T = bG with a and b sums of entries named in the trace: T = C
//!    gives the discrete logarithm of H, a point hashed to the curve. The comb knows no key, so this is one fixed
//!    instance that no choice of a prover enters.
//! 7. *Additions of the ladder are those of the curve.* P is on the curve by 2, and A is at the first step by 5
//!    and 6; its ordinate there is `y_first`, taken from the comb. Let A = (x_A, y_A) be on the curve before a step.
//!    - x_A != x_P: a sum of `weights` times the felts of x_A - x_P has an inverse, so one felt is not 0, whatever
//!      the weights are. So l1 is one value, the slope of A and B = dP, and A + B is finite and on the curve.
//!    - 2 y_A = (l1 + l2)(x_A - x_R), and y_A != 0 as no point has order 2. So x_A != x_R, and l2 is one value, the
//!      slope of A and A + B. If 2A + B were the identity then x_A = x_R: no witness.
//!    - So x_A' is that of 2A + B, and y_A' = l2 (x_A - x_A') - y_A its ordinate: the next step's expression (steps
//!      1..7), or `y_first` of the next row, which equals the expression there. `y_last` equals that of step 7.
//!
//!    By induction R = 2^120 (s' G + H) + c P for the c of the bits, whatever P is. The first point carries this:
//!    formulas of chords hold no coefficient of the curve, so with l1 free at A = B the ladder could go on on another
//!    curve through P, where P may have a tiny order, and end at an R chosen before: a forgery under a key that
//!    meets A by construction, such as P = aG + H (`rejects_a_ladder_that_hops_to_another_curve`).
//! 8. *Extraction.* By 1-7 an entry on `sig` comes with (R, s, e) of the Schnorr verification equation with e
//!    hashed from id(R), P and msg: a proof of knowledge of the key's logarithm in the random oracle model. id(R) is
//!    of R alone, or of R and -R if their y_0 is 0; of three challenges two have the same R.
//! 9. *Padding.* A padding row of `sig` has `is_real` = 0, so `mult` = 0 and it looks nothing up. Padding blocks of
//!    `schnorr` are honest blocks for the key G with `uses` = 0: every block satisfies every constraint, and a
//!    padding block that provides is a true statement like any other.
//! 10. *Counts.* `is_real` is boolean, so every lookup counts at most 1.
//!
//! # Completeness
//! A signature that the native verifier accepts has a trace unless x_A = x_P or 2A = -B at a step. There
//! A = 2^j H + aG + xP with a and x known, so that is a relation 2^j H + aG + x'P = 0 whose coefficient of H is
//! not 0 modulo N. A signer knows the logarithm of P (8), so it would know that of H. This covers the idle steps of
//! row 15, which bind nothing. `weights` exist: powers of t serve for all but 6 values of t a step.
//!
//! # Degree budget: 3
//! Slopes times sums of squares, weighted differences times inverses, and the curve equation have degree 3; what a
//! flag gates has degree 2.

mod air;
mod columns;
mod septic;
#[cfg(test)]
mod tests;
mod trace;

pub use air::{CombTable, LadderTable, SigTable};
pub use columns::{LadderCols, SigCols};
pub use trace::{SignedMessage, TooManySignatures, Traces, generate};

use tsz_air::LookupBus;

/// Rows of `schnorr` a signature.
pub const ROWS: usize = 16;
/// log2 of the rows of `schnorr` over those of `sig`.
pub const LOG_ROWS: usize = 4;
/// Ladder steps a row.
pub const STEPS: usize = 8;
/// Comb entries a row.
pub const ENTRIES: usize = 2;
/// log2 of the height of `comb`.
pub const COMB_LOG_HEIGHT: usize = 12;

/// `schnorr`: key_id\[8\], limbs\[5\], id(R)\[8\]. R = s*G + c*P + 2^120 H for some s.
const SCHNORR: LookupBus<'static> = LookupBus::new("schnorr");
/// `comb`: window, x\[7\], y\[7\]. An entry of the window.
const COMB: LookupBus<'static> = LookupBus::new("comb");
/// Least value that, added to a number below 120, stays below 4096 and, added to 120, does not.
const HIGH_SHIFT: u32 = (1 << tsz_air::RANGE_BITS) - tsz_sig::challenge::HIGH_LIMIT;
