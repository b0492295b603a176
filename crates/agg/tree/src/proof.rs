//! The aggregation proof: the node at the root of the tree, with the membership of its key.

use thiserror::Error;
use tsz_codec::{CodecError, Decode, Encode, Reader, decode_all};
use tsz_hash::Digest;
use tsz_vktree::{VkEntry, VkMembership};

use crate::claim::{Batches, Claim};
use crate::join_algorithm;
use crate::node::{NodeError, NodeProof};
use crate::program::NodeKeys;

/// First bytes of an aggregation proof.
const MAGIC: [u8; 4] = *b"TSZA";
/// Version of the format.
const VERSION: u16 = 1;

/// Consecutive batches are proven: alone what `tsz verify` needs besides the vk root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregationProof {
    /// The node; its claim is one of batches.
    pub node: NodeProof,
    /// That its key is listed among the joins.
    pub membership: VkMembership,
}

/// Why an aggregation proof is refused.
#[derive(Debug, Error)]
pub enum ProofError {
    /// The bytes are none.
    #[error("malformed aggregation proof: {0}")]
    Decode(#[from] CodecError),
    /// The node says something else.
    #[error("the proof is not one of whole batches")]
    Claim,
    /// The vk root is not the trusted one.
    #[error("the proof is under another vk root")]
    VkRoot,
    /// The key is not a listed join.
    #[error("the key of the proof is not listed among the joins")]
    Unlisted,
    /// The proof does not hold.
    #[error(transparent)]
    Node(#[from] NodeError),
}

impl AggregationProof {
    /// What it says, without a look at the proof.
    ///
    /// # Errors
    /// [`ProofError::Claim`].
    pub fn claim(&self) -> Result<&Batches, ProofError> {
        match &self.node.claim {
            Claim::Batches(batches) => Ok(batches),
            _ => Err(ProofError::Claim),
        }
    }

    /// Verifies it under the trusted vk root; returns what is proven.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof; no bytes make it panic.
    pub fn verify(&self, keys: &NodeKeys, vk_root: &Digest) -> Result<Batches, ProofError> {
        let claim = *self.claim()?;
        if self.node.root != *vk_root {
            return Err(ProofError::VkRoot);
        }
        let vk = self.node.verify(keys)?;
        let entry = VkEntry { algorithm: join_algorithm(), vk };
        if !self.membership.verify(vk_root, &entry) {
            return Err(ProofError::Unlisted);
        }
        Ok(claim)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        Encode::to_bytes(self)
    }

    /// Reads a proof; only the bytes of [`AggregationProof::to_bytes`] are accepted.
    ///
    /// # Errors
    /// [`ProofError::Decode`] with the offset of what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        Ok(decode_all(bytes)?)
    }
}

impl Encode for AggregationProof {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        VERSION.encode(out);
        self.membership.encode(out);
        self.node.encode(out);
    }
}

impl Decode for AggregationProof {
    const MIN_LEN: usize = 6 + VkMembership::MIN_LEN + NodeProof::MIN_LEN;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        if input.array()? != MAGIC {
            return Err(input.invalid("aggregation proof (magic bytes)"));
        }
        if u16::decode(input)? != VERSION {
            return Err(input.invalid("aggregation proof version"));
        }
        let membership = VkMembership::decode(input)?;
        Ok(Self { membership, node: NodeProof::decode(input)? })
    }
}
