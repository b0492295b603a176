//! Trace generation.

use num_bigint::BigUint;
use tsz_air::{Columns, F, PrimeCharacteristicRing, PrimeField32};
use tsz_auth::wallet::{PREFIX, approval_type};
use tsz_auth::{Wallet, WalletApproval};
use tsz_hash::{Digest, Domain, step};

use super::columns::WalletCols;
use crate::ecdsa::{Affine, SignedDigest};
use crate::keccak::{self, Absorb, HASH};

/// An approval to prove. One that is not valid gives traces that no proof accepts.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The wallet.
    pub wallet: Wallet,
    /// The message digest.
    pub message: Digest,
    /// Key and signature.
    pub approval: WalletApproval,
    /// Lookups of `(4, key id, message)` on `login`.
    pub uses: u32,
}

/// Rows of table `wallet`, and what table `keccak` absorbs in the order of its ids.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// One an approval.
    pub rows: Vec<WalletCols<F>>,
    /// What they hash.
    pub absorbed: Vec<Absorb>,
}

/// The rows of approvals.
pub fn rows(approvals: &[Approval]) -> Rows {
    let mut out = Rows::default();
    for approval in approvals {
        let row = row(approval, &mut out.absorbed);
        out.rows.push(row);
    }
    out
}

/// The signature that an approval needs of the ECDSA tables.
pub fn signature(approval: &Approval) -> SignedDigest {
    let number = BigUint::from_bytes_be;
    let WalletApproval { key, signature } = &approval.approval;
    SignedDigest {
        key: Affine { x: number(&key.x), y: number(&key.y) },
        digest: number(&approval.wallet.domain.digest(&approval.message)),
        r: number(&signature.r),
        s: number(&signature.s),
        uses: 1,
    }
}

fn halves(bytes: &[u8; 32]) -> [F; HASH] {
    core::array::from_fn(|k| F::from_u32(u32::from(bytes[2 * k]) | u32::from(bytes[2 * k + 1]) << 8))
}

/// Adds a hash; returns its id and value.
fn hash(absorbed: &mut Vec<Absorb>, parts: &[&[u8]]) -> (F, [u8; 32]) {
    let block = keccak::block(&parts.concat());
    absorbed.push(Absorb { block, uses: 1 });
    (F::from_usize(absorbed.len()), keccak::hash(&block))
}

fn little_endian(bytes: &[u8; 32]) -> [F; 32] {
    core::array::from_fn(|k| F::from_u8(bytes[31 - k]))
}

fn row(approval: &Approval, absorbed: &mut Vec<Absorb>) -> WalletCols<F> {
    let Approval { wallet, message, approval, uses } = approval;
    let mut row = WalletCols::fill(F::ZERO);
    row.is_real = F::ONE;
    row.uses = F::from_u32(*uses);
    (row.key_x, row.key_y) = (little_endian(&approval.key.x), little_endian(&approval.key.y));
    let separator = wallet.domain.separator();
    row.separator = halves(&separator);
    let words: [[u8; 4]; 8] = message.map(|f| f.as_canonical_u32().to_be_bytes());
    row.message = words.map(|w| w.map(F::from_u8));
    row.top_rest = words.map(|w| F::from_u8(120 - w[0].min(120)));
    row.top_inv = row.top_rest.map(crate::ecdsa::inverse);

    let (key_id, key_hash) = hash(absorbed, &[&approval.key.x, &approval.key.y]);
    let (struct_id, struct_hash) = hash(absorbed, &[&approval_type(), words.as_flattened()]);
    let (signed_id, digest) = hash(absorbed, &[&PREFIX, &separator, &struct_hash]);
    row.ids = [key_id, struct_id, signed_id];
    (row.key_hash, row.struct_hash) = (halves(&key_hash), halves(&struct_hash));
    row.digest = little_endian(&digest);

    let felts = wallet.key_felts();
    let mut capacity = Domain::Wallet.iv(felts.len());
    for (out, block) in row.capacities.iter_mut().zip(felts.chunks(8)) {
        capacity = step(&core::array::from_fn(|i| block.get(i).copied().unwrap_or(F::ZERO)), &capacity);
        *out = capacity;
    }
    row
}
