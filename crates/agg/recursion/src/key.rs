//! The key of a proof as wires: a constant of the program, or a witness bound by its digest.

use tsz_hash::Domain;
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Builder, Felt, Value};
use tsz_stark::{Commitment, F, VerifyingKey};

/// A vk digest and the commitment to the preprocessed columns that it binds.
#[derive(Clone, Debug)]
pub struct KeyWires {
    /// Digest of the key.
    pub digest: Digest,
    /// Roots of the preprocessed commitment; empty if no table has preprocessed columns.
    pub preprocessed: Vec<Digest>,
}

/// How keys of one shape (same tables, heights and parameters) are digested.
#[derive(Clone, Debug)]
pub(crate) struct KeyShape {
    preimage: Vec<F>,
    at: std::ops::Range<usize>,
    digest: [F; 8],
}

impl KeyShape {
    pub(crate) fn new<A>(vk: &VerifyingKey<A>) -> Self {
        Self {
            preimage: vk.digest_preimage().to_vec(),
            at: vk.preprocessed_in_preimage(),
            digest: *vk.digest(),
        }
    }

    /// The key itself.
    #[track_caller]
    pub(crate) fn constant(&self, b: &mut Builder) -> KeyWires {
        let roots = self.preimage[self.at.clone()].as_chunks::<8>().0;
        let preprocessed = roots.iter().map(|root| hash::constant(b, root)).collect();
        KeyWires { digest: hash::constant(b, &self.digest), preprocessed }
    }

    /// Any key of the shape: the preprocessed commitment is an input, the digest is computed from it.
    #[track_caller]
    pub(crate) fn input(&self, b: &mut Builder) -> KeyWires {
        let preprocessed: Vec<Digest> = (0..self.at.len() / 8).map(|_| hash::input(b)).collect();
        let mut felts: Vec<Felt> = self.preimage.iter().map(|x| b.constant(*x)).collect();
        let roots: Vec<Felt> = preprocessed.iter().flatten().flat_map(|quad| b.unpack(*quad)).collect();
        felts[self.at.clone()].copy_from_slice(&roots);
        KeyWires { digest: hash::tagged(b, Domain::Vk, &felts), preprocessed }
    }

    /// The inputs of [`KeyShape::input`].
    pub(crate) fn values(commitment: Option<&Commitment>) -> Vec<Value> {
        commitment.iter().flat_map(|c| c.roots()).flat_map(hash::input_values).collect()
    }
}
