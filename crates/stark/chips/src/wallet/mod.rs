//! Approvals by wallets: a table that provides `(4, key_id, message)` on bus `login` for signatures of typed data.
//!
//! # What is proven
//! For every message `(4, key_id, m)` that the table provides there are a wallet with that id, that is an address and a
//! domain separator that hash to `key_id`, and an approval that [`tsz_auth::Wallet::verify`] accepts for m: a public
//! key of that address and a signature of the digest that EIP-712 gives for `Approval(bytes32 digest)` of m in that
//! domain. (One rule is left to the native check: that R != +-Q; such a signature has no ladder.)
//!
//! One row an approval; degree 3; no next row. Looks up `bytes`, `keccak_in`, `keccak_out`, `ecdsa_secp256k1`, `p2`.
//!
//! # Soundness
//! 1. *Bytes.* `message` and `top_rest` are looked up on `bytes`; bytes of key and digest are those of an entry of
//!    `ecdsa_secp256k1`, whose table looks them up; halves are equal to limbs of messages of `keccak`, below 2^16.
//! 2. *Address.* The hash of x || y, 64 bytes big-endian with constant padding, is `key_hash`; its last ten halves are
//!    the address.
//! 3. *Key id.* Four blocks with the address, the separator and zeros go through `p2` from the constant capacity; every
//!    felt is below 2^16, so the id determines address and separator (collision resistance). What a separator hashes is
//!    not opened: the id fixes the domain as text fixes its hash, and a wallet signs for one domain only.
//! 4. *Message.* A felt of m is the number of its four bytes, below p: the upper byte is at most 120, and if it is 120
//!    the rest is 0. So m has one encoding.
//! 5. *Typed data.* `struct_hash` is the hash of the type hash of `Approval(bytes32 digest)`, a constant, and the 32 bytes
//!    of m; `digest` that of 0x1901, the separator and `struct_hash`, 66 bytes. Lengths and padding are constants.
//! 6. *Signature.* (x, y, digest) is looked up on `ecdsa_secp256k1`: the key is a point and there is a valid (r, s), hence
//!    one with s at most n / 2: (r, n - s) is valid, too. So the rule that s is low and the parity that a wallet returns
//!    add nothing to the statement.
//! 7. *Padding rows* have `is_real` 0: they look nothing up and provide nothing (`uses` = 0).

mod air;
mod columns;
mod trace;

pub use air::WalletTable;
pub use columns::WalletCols;
pub use trace::{Approval, Rows, rows, signature};

use tsz_auth::wallet::WALLET_FELTS;

/// Hashes of an approval: of the key, of the struct, of what is signed.
pub const HASHES: usize = 3;
/// Blocks of a key id.
pub const KEY_BLOCKS: usize = WALLET_FELTS.div_ceil(8);
/// Halves of an address.
pub const ADDRESS: usize = 10;
