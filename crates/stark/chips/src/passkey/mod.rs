//! WebAuthn assertions: a table that provides `(2, key_id, message)` on bus `login` for approvals by passkeys.
//!
//! # What is proven
//! For every message `(2, key_id, m)` that the table provides there are a passkey with that id and an assertion that
//! [`tsz_auth::Passkey::verify`] accepts for m: public key, relying party, demand of user verification and tail that
//! hash to `key_id`; authenticatorData of 37 bytes; clientDataJSON of at most 311 bytes; a signature. (One rule is
//! left to the native check: that R != +-Q; such a signature has no ladder.)
//!
//! One row an assertion; degree 3; no next row. Looks up `bytes`, `base64`, `sha_words`, `sha_state`, `ecdsa_p256`, `p2`.
//!
//! # Soundness
//! 1. *Bytes.* `data`, `counter`, `client_hash`, `digest` and `top_rest` are looked up on `bytes`; characters on
//!    `base64`; `rp` halves are equal to halves of a message of `sha256`, which are below 2^16; flags are bits; the key's
//!    bytes are those of the table of `ecdsa_p256`.
//! 2. *Key id.* The nine blocks of [`tsz_auth::Passkey::key_felts`] go through `p2` from the constant capacity; each
//!    felt is at most three bytes, so the id determines all of them (collision resistance).
//! 3. *Challenge.* A felt of m is the number of its six characters, whose value is unique by `base64`. It is below p:
//!    its top seven bits are at most 120, and if they are 120 the rest is 0. So m has one challenge and a challenge one m.
//! 4. *Tail.* `in_tail` is 1 up to the shortest tail, falls once, before the end, and the bytes before the fall are
//!    `","crossOrigin":false`; so the id is one that native code can build, up to the characters of the origin, of which
//!    no browser writes others. Where it is 1 the byte is absorbed into the key id (0
//!    elsewhere) and their number too, so the text after `"origin":"` is the key's tail. The byte after it is `,`, or it
//!    is `}` and the data ends there.
//! 5. *Padding.* `ended` rises once: at the byte 0x80; all later bytes are 0 but the length, which is that of the bytes
//!    before, in the last two bytes of the last block; the mark lies in the last nine bytes of the last block or before,
//!    and not so early that fewer blocks would do. So the blocks are the padded clientDataJSON.
//! 6. *Hashes.* Blocks 0..3 are always there; 3 and 4 if `more`; states of absent blocks are copies. The second hash is
//!    over rpIdHash, flags, counter and the bytes of the first, with constant padding. Its bytes are the digest on
//!    `ecdsa_p256`.
//! 7. *Flags.* UP is 1, UV at least the key's demand, reserved bits, AT and ED are 0, BS at most BE.
//! 8. *Padding rows* have `is_real` 0: they look nothing up and provide nothing (`uses` = 0).

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

pub use air::PasskeyTable;
pub use columns::PasskeyCols;
pub use trace::{Approval, Rows, rows, signature};

use tsz_auth::passkey::{MAX_CLIENT_DATA, TAIL_AT};

/// Blocks of clientDataJSON.
pub const BLOCKS: usize = (MAX_CLIENT_DATA + 9) / 64;
/// Blocks that every clientDataJSON has.
pub const LEAST_BLOCKS: usize = 3;
/// Bytes after the fixed part.
pub const DATA: usize = 64 * BLOCKS - TAIL_AT;
/// Bytes that may be tail.
pub const TAIL: usize = 96;
/// Compressions of an assertion.
pub const COMPRESSIONS: usize = BLOCKS + 2;
/// Blocks of a key id.
pub const KEY_BLOCKS: usize = tsz_auth::passkey::KEY_FELTS / 8;
