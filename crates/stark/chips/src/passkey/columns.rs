//! Columns.

use tsz_air::columns;
use tsz_auth::passkey::CHALLENGE;

use super::{BLOCKS, COMPRESSIONS, DATA, KEY_BLOCKS, TAIL};
use crate::bigint::LIMBS;

columns! {
    /// One assertion.
    pub struct PasskeyCols {
        /// Boolean: the row is an assertion; anything else is padding.
        is_real,
        /// Lookups of the row on `login`; any value, 0 on padding.
        uses,
        /// x of the key, little-endian bytes; bus `ecdsa_p256`.
        key_x: [LIMBS],
        /// y of the key.
        key_y: [LIMBS],
        /// Whether the key demands user verification; boolean.
        demands_uv,
        /// rpIdHash, halves in the order of bytes; bus `sha_words`.
        rp: [16],
        /// Capacities of the key id after each block; bus `p2`.
        capacities: [8; KEY_BLOCKS],
        /// Characters of the challenge; bus `base64`.
        characters: [CHALLENGE],
        /// Their values; bus `base64`.
        values: [CHALLENGE],
        /// 120 less the top seven bits of each felt of the message; bus `bytes`.
        top_rest: [8],
        /// Its inverse, or anything.
        top_inv: [8],
        /// clientDataJSON after `"origin":"` with the padding of SHA-256; bus `bytes`.
        data: [DATA],
        /// 1 where the byte is of the key's tail; boolean, falls once.
        in_tail: [TAIL],
        /// 1 from the first byte of the padding on; boolean, rises once.
        ended: [DATA],
        /// 1 if a brace closes right after the tail, 0 if a comma follows; boolean.
        is_closed,
        /// Whether blocks 3 and 4 are there; boolean, falling.
        more: [2],
        /// Bits of clientDataJSON, as two bytes, the upper first; bus `bytes`.
        length: [2],
        /// States after each block of clientDataJSON, halves; bus `sha_state`, or copies.
        states: [16; BLOCKS],
        /// Bytes of the last of them; bus `bytes`.
        client_hash: [32],
        /// Flags of authenticatorData, lowest first; boolean.
        flags: [8],
        /// Signature counter; bus `bytes`.
        counter: [4],
        /// State after the first block of the signed data; bus `sha_state`.
        middle: [16],
        /// The signed digest, little-endian bytes; bus `bytes`.
        digest: [32],
        /// Blocks of table `sha256` that hold the compressions.
        ids: [COMPRESSIONS],
    }
}
