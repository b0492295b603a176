//! Blocks and digests that the messages and records share.

use tsz_hash::{Block, Digest, F, Sponge};
use tsz_types::{Bucket, SubId, TokenId};

/// Absorbs blocks into a capacity: a hash chain, or a message that starts from the system digest.
pub fn chain(capacity: &Digest, blocks: &[Block]) -> Digest {
    let mut sponge = Sponge::new(*capacity);
    blocks.iter().for_each(|block| sponge.absorb(block));
    sponge.digest()
}

/// Digest of a signed message in the system with digest `system`.
pub fn message(system: &Digest, blocks: &[Block; 2]) -> Digest {
    chain(system, blocks)
}

/// Copies felts into a block.
pub(crate) fn place(block: &mut Block, at: usize, felts: &[F]) {
    for (to, from) in block[at..].iter_mut().zip(felts) {
        *to = *from;
    }
}

/// `sb = sub * 2 + bucket`.
pub(crate) fn sub_bits(sub: SubId, bucket: Bucket) -> u32 {
    u32::from(sub.get()) * 2 + bucket.bit()
}

/// `tsb = token * 64 + sub * 2 + bucket`.
pub(crate) fn bucket_bits(token: TokenId, sub: SubId, bucket: Bucket) -> u32 {
    u32::from(token.get()) * 64 + sub_bits(sub, bucket)
}
