//! Bytes of felts, tips and undo records.

use crate::state::Undo;
use crate::{Digest, Tip};
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32, ZERO};

/// Bytes of a digest or leaf.
pub(crate) const DIGEST_BYTES: usize = 32;
/// Bytes of a key and a value.
pub(crate) const LEAF_BYTES: usize = 8 + DIGEST_BYTES;
const TIP_BYTES: usize = 8 + DIGEST_BYTES;

/// Canonical little-endian words.
pub(crate) fn digest_to_bytes(digest: &Digest) -> [u8; DIGEST_BYTES] {
    let mut bytes = [0; DIGEST_BYTES];
    for (word, felt) in bytes.chunks_exact_mut(4).zip(digest) {
        word.copy_from_slice(&felt.as_canonical_u32().to_le_bytes());
    }
    bytes
}

/// None if the length is wrong or a felt is not below p.
pub(crate) fn digest_from_bytes(bytes: &[u8]) -> Option<Digest> {
    let bytes: &[u8; DIGEST_BYTES] = bytes.try_into().ok()?;
    let mut digest = ZERO;
    for (felt, word) in digest.iter_mut().zip(bytes.chunks_exact(4)) {
        let word = u32::from_le_bytes(word.try_into().ok()?);
        *felt = (word < F::ORDER_U32).then(|| F::from_u32(word))?;
    }
    Some(digest)
}

pub(crate) fn tip_to_bytes(tip: &Tip) -> [u8; TIP_BYTES] {
    leaf_to_bytes(tip.batch, &tip.root)
}

pub(crate) fn tip_from_bytes(bytes: &[u8]) -> Option<Tip> {
    let (batch, root) = leaf_from_bytes(bytes)?;
    Some(Tip { batch, root })
}

pub(crate) fn leaf_to_bytes(key: u64, value: &Digest) -> [u8; LEAF_BYTES] {
    let mut bytes = [0; LEAF_BYTES];
    bytes[..8].copy_from_slice(&key.to_le_bytes());
    bytes[8..].copy_from_slice(&digest_to_bytes(value));
    bytes
}

pub(crate) fn leaf_from_bytes(bytes: &[u8]) -> Option<(u64, Digest)> {
    let (key, value) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*key), digest_from_bytes(value)?))
}

/// `root before | (key | old value)*`.
pub(crate) fn undo_to_bytes(undo: &Undo) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DIGEST_BYTES + LEAF_BYTES * undo.old.len());
    bytes.extend(digest_to_bytes(&undo.root));
    undo.old.iter().for_each(|(key, value)| bytes.extend(leaf_to_bytes(*key, value)));
    bytes
}

pub(crate) fn undo_from_bytes(bytes: &[u8]) -> Option<Undo> {
    let (root, rest) = bytes.split_at_checked(DIGEST_BYTES)?;
    let leaves = rest.chunks_exact(LEAF_BYTES);
    if !leaves.remainder().is_empty() {
        return None;
    }
    Some(Undo { root: digest_from_bytes(root)?, old: leaves.map(leaf_from_bytes).collect::<Option<_>>()? })
}
