//! The one monomorphised Plonky3 configuration of the system.

use p3_baby_bear::{BabyBear, Poseidon2BabyBear, default_babybear_poseidon2_16};
use p3_challenger::CanObserve;
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::extension::BinomialExtensionField;
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_merkle_tree::MerkleCap;
use p3_symmetric::{PaddingFreeSponge, TruncatedPermutation};
use p3_uni_stark::StarkConfig;
use tsz_hash::Digest;

use crate::challenger::Challenger;
use crate::params::FriParams;
use crate::tree::Tree;

/// The base field.
pub type F = BabyBear;
/// The challenge field: degree 4 over [`F`], 123 bits.
pub type ExtField = BinomialExtensionField<F, 4>;
/// Degree of [`ExtField`] over [`F`].
pub(crate) const EXT_DEGREE: usize = 4;
/// Bits of the challenge field, rounded down.
pub(crate) const EXT_BITS: usize = 123;

pub(crate) type Perm = Poseidon2BabyBear<16>;
/// Rows have a width fixed by the vk, so a sponge without padding is collision resistant here.
pub(crate) type LeafHash = PaddingFreeSponge<Perm, 16, 8, 8>;
pub(crate) type Compress = TruncatedPermutation<Perm, 2, 8, 16>;
pub(crate) type ValMmcs = Tree;
pub(crate) type ExtMmcs = ExtensionMmcs<F, ExtField, ValMmcs>;
pub(crate) type Dft = Radix2DitParallel<F>;
pub(crate) type Pcs = TwoAdicFriPcs<F, Dft, ValMmcs, ExtMmcs>;
/// The STARK configuration: BabyBear, Poseidon2 trees and transcript, two-adic FRI.
pub type Config = StarkConfig<Pcs, ExtField, Challenger>;
/// A Merkle commitment.
pub type Commitment = MerkleCap<F, [F; 8]>;

/// Merkle trees with `2^cap_height` roots.
pub(crate) fn mmcs(cap_height: usize) -> ValMmcs {
    let perm = default_babybear_poseidon2_16();
    ValMmcs::new(LeafHash::new(perm.clone()), Compress::new(perm), cap_height)
}

/// Builds the configuration; `seed` (a vk digest) is the first thing the transcript absorbs.
pub(crate) fn config(params: &FriParams, seed: &Digest) -> Config {
    let perm = default_babybear_poseidon2_16();
    let mmcs = mmcs(params.cap_height);
    let fri = FriParameters {
        log_blowup: params.log_blowup,
        log_final_poly_len: params.log_final_poly_len,
        max_log_arity: params.max_log_arity,
        num_queries: params.num_queries,
        batch_proof_of_work_bits: params.batch_pow_bits,
        commit_proof_of_work_bits: params.commit_pow_bits,
        query_proof_of_work_bits: params.query_pow_bits,
        mmcs: ExtMmcs::new(mmcs.clone()),
    };
    let mut challenger = Challenger::new(perm);
    for felt in seed {
        challenger.observe(*felt);
    }
    Config::new(Pcs::new(Dft::default(), mmcs, fri), challenger)
        .with_ood_proof_of_work_bits(params.ood_pow_bits)
        .with_lookup_proof_of_work_bits(params.lookup_pow_bits)
}
