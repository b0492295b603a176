//! Poseidon2-16 over BabyBear: the one permutation of the system, its compression, its sponge and its domain tags.
//!
//! Both constructions expose the **high lanes** `P(x)[8..16]` only, so that one lookup table of
//! `(input[16], output_hi[8])` serves every circuit (docs/src/hash.md):
//!
//! - [`compress`]`(l, r) = P(l || r)[8..16] + r`: two-to-one with feed-forward. Without the `+ r` it would be
//!   invertible, and a leaf that nobody hashed could be opened to any value.
//! - [`Sponge`]: overwrite mode, rate 8, capacity 8; the digest is the capacity. A message is bound by its
//!   initial capacity ([`Domain::iv`]) and its number of blocks; collision resistance is 2^124.
#![no_std]

pub use p3_baby_bear::BabyBear;
use p3_baby_bear::{Poseidon2BabyBear, default_babybear_poseidon2_16};
use p3_field::Field;
pub use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_symmetric::Permutation;
use spin::LazyLock;

/// The base field, p = 15 * 2^27 + 1.
pub type F = BabyBear;
/// Eight canonical felts: 248 bits, 124 bits of collision resistance.
pub type Digest = [F; 8];
/// One rate block of the sponge.
pub type Block = [F; 8];
/// Width of the permutation in felts.
pub const WIDTH: usize = 16;
/// Felts absorbed by one permutation.
pub const RATE: usize = 8;
/// The all-zero digest: the value of an empty leaf.
pub const ZERO: Digest = [F::ZERO; 8];

/// Domain tags: the first felt of the initial capacity. A tag is never reused for another message layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Domain {
    /// System id: (rollup id, L1 chain id, rollup address).
    System = 1,
    /// Batch context: (system id, batch number, batch time).
    Context = 2,
    /// Verification key digest.
    Vk = 3,
    /// Algorithm id.
    Algorithm = 4,
    /// Leaf of the transition set.
    SetLeaf = 5,
    /// Leaf of the vk tree.
    VkLeaf = 6,
    /// Secret nonce of a signature.
    Nonce = 7,
    /// Genesis and parameter hashes.
    Parameters = 8,
    /// Transcript seed of a proof.
    Transcript = 9,
    /// Hash of arbitrary bytes packed 3 to a felt.
    Bytes = 10,
    /// Start of a chain over one list of parameters; the number of the list stands for the length.
    ParameterList = 11,
    /// Id of a passkey: its public key and policy.
    Passkey = 20,
    /// Id of a wallet: its public key and signing domain.
    Wallet = 21,
    /// Id of a social login: issuer, audience, subject, salt.
    Oidc = 22,
    /// Key of an OpenID provider with issuer and audience.
    Provider = 23,
    /// Claim of a node of the aggregation tree.
    Claim = 30,
    /// Header of a batch: what is settled.
    Header = 31,
    /// Chain of batch headers: (digest of the headers before, next header).
    Headers = 32,
}

impl Domain {
    /// Initial capacity of a message of `len` felts in this domain: `[tag, len, 0, ..]`.
    pub fn iv(self, len: usize) -> Digest {
        let mut iv = ZERO;
        iv[0] = F::from_u32(self as u32);
        iv[1] = F::from_usize(len);
        iv
    }
}

/// The permutation with Plonky3's round constants (Poseidon2, eprint 2023/323; x^7, 8 + 13 rounds).
pub type Permuter = Poseidon2BabyBear<16>;

/// A fresh instance of the permutation; building one costs a few allocations, so keep it.
pub fn permuter() -> Permuter {
    default_babybear_poseidon2_16()
}

static PERMUTER: LazyLock<Permuter> = LazyLock::new(permuter);

/// Applies the permutation in place.
pub fn permute(state: &mut [F; WIDTH]) {
    PERMUTER.permute_mut(state);
}

/// High lanes of `P(block || capacity)`: one step of the sponge.
pub fn step(block: &Block, capacity: &Digest) -> Digest {
    let mut s = join(block, capacity);
    permute(&mut s);
    hi(&s)
}

/// A vector of felts: 16 with AVX-512, 8 with AVX2, 4 with NEON, else 1.
pub type Pack = <F as Field>::Packing;

/// [`step`] in every lane.
pub fn step_packed(block: &[Pack; 8], capacity: &[Pack; 8]) -> [Pack; 8] {
    let mut s: [Pack; WIDTH] = core::array::from_fn(|k| if k < 8 { block[k] } else { capacity[k - 8] });
    PERMUTER.permute_mut(&mut s);
    core::array::from_fn(|k| s[k + 8])
}

/// Two-to-one compression with feed-forward: `P(l || r)[8..16] + r`.
pub fn compress(l: &Digest, r: &Digest) -> Digest {
    let h = step(l, r);
    core::array::from_fn(|k| h[k] + r[k])
}

/// Concatenates two halves of a state.
pub fn join(lo: &[F; 8], hi: &[F; 8]) -> [F; WIDTH] {
    core::array::from_fn(|k| if k < 8 { lo[k] } else { hi[k - 8] })
}

/// High lanes of a state.
pub fn hi(s: &[F; WIDTH]) -> Digest {
    core::array::from_fn(|k| s[k + 8])
}

/// Overwrite-mode sponge whose digest is its capacity.
#[derive(Clone, Debug)]
pub struct Sponge {
    capacity: Digest,
}

impl Sponge {
    /// Starts from a capacity: a [`Domain::iv`] or the digest of a fixed prefix.
    pub fn new(capacity: Digest) -> Self {
        Self { capacity }
    }

    /// Absorbs one block.
    pub fn absorb(&mut self, block: &Block) {
        self.capacity = step(block, &self.capacity);
    }

    /// The running digest.
    pub fn digest(&self) -> Digest {
        self.capacity
    }
}

/// Hash of `felts` in a domain: zero-filled last block, length in the initial capacity.
pub fn hash(domain: Domain, felts: &[F]) -> Digest {
    let mut sponge = Sponge::new(domain.iv(felts.len()));
    for chunk in felts.chunks(RATE) {
        let mut block = ZERO;
        block[..chunk.len()].copy_from_slice(chunk);
        sponge.absorb(&block);
    }
    sponge.digest()
}

/// Hash of bytes: the length, then 3 bytes to a felt, little-endian. Injective for any length.
pub fn hash_bytes(bytes: &[u8]) -> Digest {
    let mut sponge = Sponge::new(Domain::Bytes.iv(bytes.len()));
    for chunk in bytes.chunks(3 * RATE) {
        let mut block = ZERO;
        for (felt, b) in block.iter_mut().zip(chunk.chunks(3)) {
            *felt = F::from_u32(b.iter().rev().fold(0, |acc, x| acc << 8 | u32::from(*x)));
        }
        sponge.absorb(&block);
    }
    sponge.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn felts(start: u32) -> Digest {
        core::array::from_fn(|k| F::from_u32(start + k as u32))
    }

    #[test]
    fn compress_depends_on_order_and_feeds_forward() {
        let (l, r) = (felts(1), felts(9));
        assert_ne!(compress(&l, &r), compress(&r, &l));
        let raw = step(&l, &r);
        assert_eq!(compress(&l, &r)[3], raw[3] + r[3]);
    }

    #[test]
    fn zero_fill_does_not_collide() {
        assert_ne!(hash(Domain::Vk, &[F::ONE]), hash(Domain::Vk, &[F::ONE, F::ZERO]));
        assert_ne!(hash(Domain::Vk, &[F::ONE]), hash(Domain::Algorithm, &[F::ONE]));
        assert_ne!(hash_bytes(b"a"), hash_bytes(b"a\0"));
    }

    #[test]
    fn permutation_is_pinned() {
        // Plonky3's published test vector for the width-16 default permutation is checked upstream; this pins
        // the value that every commitment of this system depends on.
        let mut s = [F::ZERO; WIDTH];
        permute(&mut s);
        let got: [u32; 4] = core::array::from_fn(|k| s[k].as_canonical_u32());
        assert_eq!(got, PINNED);
    }

    const PINNED: [u32; 4] = [1168947398, 128782440, 747404447, 883925857];
}
