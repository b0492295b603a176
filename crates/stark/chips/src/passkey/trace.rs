//! Trace generation.

use num_bigint::BigUint;
use tsz_air::{Columns, F, PrimeCharacteristicRing};
use tsz_auth::base64url;
use tsz_auth::passkey::{self, TAIL_AT, signed_digest};
use tsz_auth::{Assertion, Passkey};
use tsz_hash::{Digest, Domain, step};

use super::columns::PasskeyCols;
use super::{BLOCKS, LEAST_BLOCKS};
use crate::ecdsa::{Affine, SignedDigest};
use crate::sha256::{Compression, IV, compress, digest_blocks};

/// An assertion to prove. One that is not valid gives traces that no proof accepts.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The passkey.
    pub passkey: Passkey,
    /// The message digest.
    pub message: Digest,
    /// The assertion.
    pub assertion: Assertion,
    /// Lookups of `(key id, message)` on `login`.
    pub uses: u32,
}

/// Rows of table `passkey`, and the compressions of table `sha256` in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// One an assertion.
    pub rows: Vec<PasskeyCols<F>>,
    /// What they hash.
    pub compressions: Vec<Compression>,
}

/// The rows of assertions.
pub fn rows(approvals: &[Approval]) -> Rows {
    let mut out = Rows::default();
    for approval in approvals {
        let row = row(approval, &mut out.compressions);
        out.rows.push(row);
    }
    out
}

/// The signature that an assertion needs of the ECDSA tables.
pub fn signature(approval: &Approval) -> SignedDigest {
    let number = BigUint::from_bytes_be;
    let (key, signature) = (&approval.passkey.key, &approval.assertion.signature);
    SignedDigest {
        key: Affine { x: number(&key.x), y: number(&key.y) },
        digest: number(&signed_digest(&approval.assertion)),
        r: number(&signature.r),
        s: number(&signature.s),
        uses: 1,
    }
}

fn halves(words: &[u32; 8]) -> [F; 16] {
    core::array::from_fn(|k| F::from_u32(if k % 2 == 0 { words[k / 2] >> 16 } else { words[k / 2] & 0xffff }))
}

/// Adds a compression; returns its id and the state after it.
fn hash(compressions: &mut Vec<Compression>, h_in: [u32; 8], block: [u32; 16]) -> (F, [u32; 8]) {
    compressions.push(Compression { h_in, block, uses: 1 });
    (F::from_usize(compressions.len()), compress(&h_in, &block))
}

fn row(approval: &Approval, compressions: &mut Vec<Compression>) -> PasskeyCols<F> {
    let Approval { passkey, assertion, uses, .. } = approval;
    let mut row = PasskeyCols::fill(F::ZERO);
    row.is_real = F::ONE;
    row.uses = F::from_u32(*uses);
    row.key_x = core::array::from_fn(|k| F::from_u8(passkey.key.x[31 - k]));
    row.key_y = core::array::from_fn(|k| F::from_u8(passkey.key.y[31 - k]));
    row.demands_uv = F::from_bool(passkey.user_verification);
    fill_key_id(&mut row, passkey);
    let data = &assertion.client_data;
    fill_challenge(&mut row, data);
    fill_data(&mut row, data, passkey.tail().len());

    let mut state = IV;
    for (k, block) in digest_blocks(data).into_iter().enumerate().take(BLOCKS) {
        (row.ids[k], state) = hash(compressions, state, block);
        row.states[k] = halves(&state);
        if let Some(more) = k.checked_sub(LEAST_BLOCKS).and_then(|k| row.more.get_mut(k)) {
            *more = F::ONE;
        }
    }
    for k in LEAST_BLOCKS..BLOCKS {
        if row.more[k - LEAST_BLOCKS] == F::ZERO {
            row.states[k] = row.states[k - 1];
        }
    }
    let client_hash: Vec<u8> = state.iter().flat_map(|w| w.to_be_bytes()).collect();
    row.client_hash = core::array::from_fn(|k| F::from_u8(client_hash[k]));
    let authenticator = &assertion.authenticator_data;
    row.rp = core::array::from_fn(|k| {
        F::from_u32(u32::from(authenticator[2 * k]) << 8 | u32::from(authenticator[2 * k + 1]))
    });
    row.flags = core::array::from_fn(|k| F::from_u8(authenticator[32] >> k & 1));
    row.counter = core::array::from_fn(|k| F::from_u8(authenticator[33 + k]));
    let signed = [&authenticator[..], &client_hash].concat();
    let mut state = IV;
    for (k, block) in digest_blocks(&signed).into_iter().enumerate() {
        (row.ids[BLOCKS + k], state) = hash(compressions, state, block);
        if k == 0 {
            row.middle = halves(&state);
        }
    }
    let digest = signed_digest(assertion);
    row.digest = core::array::from_fn(|k| F::from_u8(digest[31 - k]));
    row
}

fn fill_key_id(row: &mut PasskeyCols<F>, key: &Passkey) {
    let mut capacity = Domain::Passkey.iv(passkey::KEY_FELTS);
    for (out, block) in row.capacities.iter_mut().zip(key.key_felts().chunks_exact(8)) {
        capacity = step(&core::array::from_fn(|i| block[i]), &capacity);
        *out = capacity;
    }
}

fn fill_challenge(row: &mut PasskeyCols<F>, data: &[u8]) {
    for k in 0..row.characters.len() {
        let character = data.get(passkey::PREFIX.len() + k).copied().unwrap_or(b'A');
        row.characters[k] = F::from_u8(character);
        row.values[k] = F::from_u8(base64url::value(character).unwrap_or(0));
    }
    let per = passkey::CHARS_PER_FELT;
    for k in 0..row.top_rest.len() {
        let top = row.values[per * k] * F::from_u32(64) + row.values[per * k + 1];
        row.top_rest[k] = F::from_u32(120) - top;
        row.top_inv[k] = crate::ecdsa::inverse(row.top_rest[k]);
    }
}

fn fill_data(row: &mut PasskeyCols<F>, data: &[u8], tail: usize) {
    let padded: Vec<u8> =
        digest_blocks(data).iter().flatten().flat_map(|w| w.to_be_bytes()).skip(TAIL_AT).collect();
    let end = data.len().saturating_sub(TAIL_AT);
    for (j, byte) in row.data.iter_mut().enumerate() {
        *byte = F::from_u8(padded.get(j).copied().unwrap_or(0));
        row.ended[j] = F::from_bool(j >= end);
    }
    row.in_tail = core::array::from_fn(|j| F::from_bool(j < tail));
    row.is_closed = F::from_bool(padded.get(tail) == Some(&b'}'));
    let bits = 8 * data.len() as u32;
    row.length = [bits >> 8, bits & 255].map(F::from_u32);
}
