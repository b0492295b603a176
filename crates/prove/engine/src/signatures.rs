//! The signatures of a batch: collected while it is executed, each verified once, all together on all cores.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use tsz_hash::Digest;
use tsz_sig::{Claim, LANES, PublicKey, SIGNATURE_BYTES, Signature, verify_batch};
use tsz_stf::{SigVerifier, Verified};

/// Signatures verified by one task.
const CHUNK: usize = 8 * LANES;

/// Key id, message and signature.
type Entry = (Digest, Digest, [u8; SIGNATURE_BYTES]);

/// Takes every signature for valid and remembers it. An order that is filled many times is remembered once.
#[derive(Default)]
pub(crate) struct Deferred(RefCell<HashMap<Entry, Signature>>);

impl SigVerifier for Deferred {
    fn verify(&self, key_id: &Digest, message: &Digest, signature: &Signature) -> bool {
        self.0.borrow_mut().insert((*key_id, *message, signature.to_bytes()), *signature);
        true
    }
}

impl Deferred {
    /// Verifies what was taken for valid.
    pub fn verdicts(self) -> Verdicts {
        let taken: Vec<(Entry, Signature)> = self.0.into_inner().into_iter().collect();
        let keys = decompress(taken.iter().map(|(entry, _)| entry.0));
        let (mut places, mut claims) = (Vec::with_capacity(taken.len()), Vec::with_capacity(taken.len()));
        for (place, ((key_id, message, _), signature)) in taken.iter().enumerate() {
            if let Some(key) = keys.get(key_id) {
                places.push(place);
                claims.push(Claim { key: *key, message: *message, signature: *signature });
            }
        }
        let valid: Vec<bool> = claims.par_chunks(CHUNK).flat_map_iter(verify_batch).collect();
        let mut verdicts = vec![false; taken.len()]; // no valid signature under an id that is no key
        places.into_iter().zip(valid).for_each(|(place, valid)| verdicts[place] = valid);
        Verdicts(taken.into_iter().map(|(entry, _)| entry).zip(verdicts).collect())
    }
}

/// The keys of the identifiers that are of some point, each computed once.
fn decompress(ids: impl Iterator<Item = Digest>) -> HashMap<Digest, PublicKey> {
    let ids: Vec<Digest> = ids.collect::<HashSet<_>>().into_iter().collect();
    ids.par_iter().filter_map(|id| Some((*id, PublicKey::from_key_id(id).ok()?))).collect()
}

/// The verdicts of signatures that were verified together; others are verified alone.
pub(crate) struct Verdicts(HashMap<Entry, bool>);

impl Verdicts {
    /// Whether all hold.
    pub fn all_valid(&self) -> bool {
        self.0.values().all(|valid| *valid)
    }
}

impl SigVerifier for Verdicts {
    fn verify(&self, key_id: &Digest, message: &Digest, signature: &Signature) -> bool {
        let known = self.0.get(&(*key_id, *message, signature.to_bytes()));
        known.copied().unwrap_or_else(|| Verified.verify(key_id, message, signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tsz_hash::{F, PrimeCharacteristicRing};
    use tsz_sig::SecretKey;

    #[test]
    fn verdicts_are_those_of_single_verification() {
        let deferred = Deferred::default();
        let mut all = Vec::new();
        for k in 0..3 * LANES {
            let key = SecretKey::from_seed(&[k as u8 % 4]);
            let message = [F::from_usize(k); 8];
            let mut entry = (key.public_key().key_id(), message, key.sign(&message));
            match k % 7 {
                3 => entry.1[0] += F::ONE,
                4 => entry.0 = [F::from_usize(k); 8], // most likely no key
                5 => entry.0 = [F::ZERO; 8],
                _ => {}
            }
            all.push(entry);
        }
        for (key, message, signature) in all.iter().chain(&all) {
            assert!(deferred.verify(key, message, signature));
        }
        assert_eq!(deferred.0.borrow().len(), all.len());
        let verdicts = deferred.verdicts();
        assert!(!verdicts.all_valid());
        for (k, (key, message, signature)) in all.iter().enumerate() {
            let valid = Verified.verify(key, message, signature);
            assert_eq!(verdicts.verify(key, message, signature), valid);
            assert_eq!(verdicts.0[&(*key, *message, signature.to_bytes())], valid);
            assert_eq!(valid, !(3..6).contains(&(k % 7)));
        }
    }

    #[test]
    fn a_signature_that_was_not_collected_is_verified_alone() {
        let verdicts = Deferred::default().verdicts();
        assert!(verdicts.all_valid());
        let (key, message) = (SecretKey::from_seed(b"a"), [F::ONE; 8]);
        let id = key.public_key().key_id();
        assert!(verdicts.verify(&id, &message, &key.sign(&message)));
        assert!(!verdicts.verify(&id, &[F::TWO; 8], &key.sign(&message)));
    }
}
