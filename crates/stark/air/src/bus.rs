//! The buses of the system: names, message layouts and who may say what.
//!
//! On a **lookup** bus a table provides entries with any multiplicity and users look them up. On a
//! **permutation** bus every message sent is received exactly once.
//!
//! The `flag` of every lookup, send and receive is a multiplicity that the caller's AIR constrains to be
//! boolean: LogUp counts modulo p, and the bound on the number of messages that rules out a wrap takes each flag
//! as at most 1.

use p3_lookup::{Count, InteractionBuilder, LookupBus, PermutationCheckBus};

use crate::F;

/// `p2`: in\[16\], out_hi\[8\]. Provided by `poseidon2`: `out_hi = P(in)[8..16]`.
pub const P2: LookupBus<'static> = LookupBus::new("p2");
/// `range12`: v. Provided by `range`: `v < 2^12`.
pub const RANGE12: LookupBus<'static> = LookupBus::new("range12");
/// `sig`: key_id\[8\], msg\[8\]. Provided by the signature table: the key signed the message.
pub const SIG: LookupBus<'static> = LookupBus::new("sig");
/// `bytes`: a, b. Provided by `bytes`: `a, b < 2^8`.
pub const BYTES: LookupBus<'static> = LookupBus::new("bytes");
/// `range15`: v. Provided by `range15`: `v < 2^15`.
pub const RANGE15: LookupBus<'static> = LookupBus::new("range15");
/// `login`: scheme, key_id\[8\], msg\[8\]. Provided by the tables of external keys, each with its own scheme: the key
/// approved the message.
pub const LOGIN: LookupBus<'static> = LookupBus::new("login");
/// `token`: i, key_id\[8\], msg\[8\]. Sent by the table of tokens: a token approved the message of op i for the identity.
pub const TOKEN: PermutationCheckBus<'static> = PermutationCheckBus::new("token");
/// `op`: i, slot, n, nv. From op or access tables to the tuple table: one tuple for each op.
pub const OP: PermutationCheckBus<'static> = PermutationCheckBus::new("op");
/// `key`: i, j, hi', lo. Access j of op i has that key (and write bit).
pub const KEY: PermutationCheckBus<'static> = PermutationCheckBus::new("key");
/// `val`: i, k, v\[8\]. Value k of op i: old values first, then written values.
pub const VAL: PermutationCheckBus<'static> = PermutationCheckBus::new("val");
/// `mem`: hi, lo, v\[8\], ts. Offline memory checking.
pub const MEM: PermutationCheckBus<'static> = PermutationCheckBus::new("mem");
/// `node`: u, w, hi, lo, old\[8\], new\[8\]. The touched tree node u levels of `hi` and w levels of `lo` below the root,
/// sent once by itself and received once by its parent.
pub const NODE: PermutationCheckBus<'static> = PermutationCheckBus::new("node");
/// `seg`: slot, count, cap\[8\]. One tuple sponge for each slot.
pub const SEG: PermutationCheckBus<'static> = PermutationCheckBus::new("seg");
/// `setnode`: heap index, digest\[8\]. Merkle tree of the transition set.
pub const SETNODE: PermutationCheckBus<'static> = PermutationCheckBus::new("setnode");

macro_rules! message {
    ($ab:ident; $($part:expr),* $(,)?) => {{
        let mut fields: Vec<$ab::Expr> = Vec::new();
        $(fields.extend($part.map(Into::into));)*
        fields
    }};
}

macro_rules! lookup_bus {
    ($(#[$doc:meta])* $name:ident, $bus:ident, ($($arg:ident: $n:literal),*)) => {
        $(#[$doc])*
        pub mod $name {
            use super::*;

            /// Asserts that the message is in the table on rows where the boolean `flag` is 1.
            pub fn lookup<AB: InteractionBuilder<F = F>>(
                builder: &mut AB,
                $($arg: [impl Into<AB::Expr>; $n],)*
                flag: impl Into<AB::Expr>,
            ) {
                $bus.lookup_key(builder, message!(AB; $($arg),*), Count::bounded(flag.into(), 1));
            }

            /// Provides the message `mult` times. Only the table that owns the bus may call this.
            pub fn provide<AB: InteractionBuilder<F = F>>(
                builder: &mut AB,
                $($arg: [impl Into<AB::Expr>; $n],)*
                mult: impl Into<AB::Expr>,
            ) {
                $bus.table_entry(builder, message!(AB; $($arg),*), mult);
            }
        }
    };
}

macro_rules! permutation_bus {
    ($(#[$doc:meta])* $name:ident, $bus:ident, ($($arg:ident: $n:literal),*)) => {
        $(#[$doc])*
        pub mod $name {
            use super::*;

            /// Sends the message on rows where the boolean `flag` is 1.
            pub fn send<AB: InteractionBuilder<F = F>>(
                builder: &mut AB,
                $($arg: [impl Into<AB::Expr>; $n],)*
                flag: impl Into<AB::Expr>,
            ) {
                $bus.send(builder, message!(AB; $($arg),*), Count::bounded(flag.into(), 1));
            }

            /// Receives the message on rows where the boolean `flag` is 1.
            pub fn receive<AB: InteractionBuilder<F = F>>(
                builder: &mut AB,
                $($arg: [impl Into<AB::Expr>; $n],)*
                flag: impl Into<AB::Expr>,
            ) {
                $bus.receive(builder, message!(AB; $($arg),*), Count::bounded(flag.into(), 1));
            }
        }
    };
}

lookup_bus! {
    /// Bus [`P2`]: `out_hi = P(input)[8..16]`.
    p2, P2, (input: 16, out_hi: 8)
}
lookup_bus! {
    /// Bus [`RANGE12`]: `v < 2^12`.
    range12, RANGE12, (v: 1)
}
lookup_bus! {
    /// Bus [`SIG`]: the key with id `key_id` signed the message digest `msg`.
    sig, SIG, (key_id: 8, msg: 8)
}
lookup_bus! {
    /// Bus [`BYTES`]: `a < 2^8` and `b < 2^8`.
    bytes, BYTES, (pair: 2)
}
lookup_bus! {
    /// Bus [`RANGE15`]: `v < 2^15`.
    range15, RANGE15, (v: 1)
}
lookup_bus! {
    /// Bus [`LOGIN`]: the external key of that scheme with id `key_id` approved the message digest `msg`.
    login, LOGIN, (scheme: 1, key_id: 8, msg: 8)
}
permutation_bus! {
    /// Bus [`TOKEN`]: a token approved the message digest `msg` of op `index` for the identity with id `key_id`.
    token, TOKEN, (index: 1, key_id: 8, msg: 8)
}
permutation_bus! {
    /// Bus [`OP`]: `head = [i, slot, n, nv]`.
    op, OP, (head: 4)
}
permutation_bus! {
    /// Bus [`KEY`]: `at = [i, j]`, `key = [hi', lo]`.
    key, KEY, (at: 2, key: 2)
}
permutation_bus! {
    /// Bus [`VAL`]: `at = [i, k]`.
    val, VAL, (at: 2, value: 8)
}
permutation_bus! {
    /// Bus [`MEM`]: `key = [hi, lo]`.
    mem, MEM, (key: 2, value: 8, ts: 1)
}
permutation_bus! {
    /// Bus [`NODE`]: `position = [u, w, hi, lo]`.
    node, NODE, (position: 4, old: 8, new: 8)
}
permutation_bus! {
    /// Bus [`SEG`]: `head = [slot, count]`.
    seg, SEG, (head: 2, capacity: 8)
}
permutation_bus! {
    /// Bus [`SETNODE`]: heap index (root 1) and digest.
    setnode, SETNODE, (index: 1, digest: 8)
}

/// Looks up `P(block || capacity)[8..16] = out`: one step of the sponge.
pub fn step<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    block: [impl Into<AB::Expr>; 8],
    capacity: [impl Into<AB::Expr>; 8],
    out: [impl Into<AB::Expr>; 8],
    flag: impl Into<AB::Expr>,
) {
    let fields = message!(AB; block, capacity, out);
    P2.lookup_key(builder, fields, Count::bounded(flag.into(), 1));
}

/// Looks up `out = compress(l, r) = P(l || r)[8..16] + r`.
pub fn compress<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    l: [impl Into<AB::Expr>; 8],
    r: [impl Into<AB::Expr>; 8],
    out: [impl Into<AB::Expr>; 8],
    flag: impl Into<AB::Expr>,
) {
    let r = r.map(Into::into);
    let mut out = out.map(Into::into).into_iter();
    let hi: Vec<AB::Expr> = r.iter().zip(&mut out).map(|(r, out)| out - r.clone()).collect();
    let mut fields: Vec<AB::Expr> = l.map(Into::into).into_iter().chain(r).collect();
    fields.extend(hi);
    P2.lookup_key(builder, fields, Count::bounded(flag.into(), 1));
}
