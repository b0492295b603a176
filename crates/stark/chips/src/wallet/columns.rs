//! Columns.

use tsz_air::columns;

use super::{HASHES, KEY_BLOCKS};
use crate::bigint::LIMBS;
use crate::keccak::HASH;

columns! {
    /// One approval. Halves have the first byte as the lower.
    pub struct WalletCols {
        /// Boolean: the row is an approval; anything else is padding.
        is_real,
        /// Lookups of the row on `login`; any value, 0 on padding.
        uses,
        /// x of the key, little-endian bytes; bus `ecdsa_secp256k1`.
        key_x: [LIMBS],
        /// y of the key.
        key_y: [LIMBS],
        /// Hash of the key, halves; bus `keccak_out`. The last ten are the address.
        key_hash: [HASH],
        /// Domain separator, halves; bus `keccak_in`.
        separator: [HASH],
        /// Capacities of the key id after each block; bus `p2`.
        capacities: [8; KEY_BLOCKS],
        /// Bytes of each felt of the message, the upper first; bus `bytes`.
        message: [4; 8],
        /// 120 less the upper byte of each felt; bus `bytes`.
        top_rest: [8],
        /// Its inverse, or anything.
        top_inv: [8],
        /// Hash of the struct, halves; bus `keccak_out`.
        struct_hash: [HASH],
        /// The signed digest, little-endian bytes; bus `ecdsa_secp256k1`.
        digest: [LIMBS],
        /// Blocks of table `keccak` that hold the hashes of key, struct, signed bytes.
        ids: [HASHES],
    }
}
