//! Node proofs and how they are made.

use thiserror::Error;
use tsz_codec::{CodecError, Decode, Encode, Reader, decode_all};
use tsz_hash::{Digest, ZERO};
use tsz_plonk::{RunError, Value};
use tsz_stark::{F, MAX_PROOF_BYTES, SetupError, VerifyError};

use crate::claim::Claim;
use crate::join::JoinError;
use crate::program::{NodeKeys, NodeProgram};

/// First bytes of a node proof.
const MAGIC: [u8; 4] = *b"TSZN";
/// Version of the format.
const VERSION: u16 = 1;

/// The proof of a lift or join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeProof {
    /// log2 of the rows of its shape.
    pub log: u8,
    /// Root of the commitment to its program.
    pub program: Digest,
    /// vk root, or zero for a lift.
    pub root: Digest,
    /// What it says.
    pub claim: Claim,
    /// Canonical bytes of the proof.
    pub proof: Vec<u8>,
}

/// Why there is no node proof, or why one is refused.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The inputs do not satisfy the program.
    #[error("{0}")]
    Run(#[from] RunError),
    /// The prover refused.
    #[error(transparent)]
    Prove(#[from] tsz_plonk::Error),
    /// There are no inputs.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The program says something else than was expected of it. Not reachable if the claim rules agree with the
    /// circuits, which tests compare.
    #[error("the program makes another claim")]
    Claim,
    /// The shape is none of nodes.
    #[error("no shape of nodes: {0}")]
    Shape(#[from] SetupError),
    /// The proof does not hold.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl NodeProof {
    /// Runs a program and proves the run; `claim` and `root` are what it must say.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn prove(
        program: &NodeProgram,
        inputs: &[Value],
        root: Digest,
        claim: Claim,
    ) -> Result<Self, NodeError> {
        let (publics, proof) = program.prover().prove(inputs)?;
        let node = Self { log: program.log() as u8, program: program.commitment(), root, claim, proof };
        if publics == node.publics() { Ok(node) } else { Err(NodeError::Claim) }
    }

    /// Whether it is a lift's.
    pub fn is_lift(&self) -> bool {
        self.root == ZERO
    }

    /// Its public values.
    pub fn publics(&self) -> Vec<F> {
        [self.root, self.claim.digest()].concat()
    }

    /// Verifies the proof under the key that its commitment gives, whose digest is returned: that it is listed is
    /// the caller's business.
    ///
    /// # Errors
    /// [`NodeError`] for anything but a valid proof.
    pub fn verify(&self, keys: &NodeKeys) -> Result<Digest, NodeError> {
        if !self.claim.is_canonical() {
            return Err(NodeError::Claim);
        }
        let vk = keys.key(self.log.into(), &self.program)?;
        tsz_plonk::verify(&vk, &self.publics(), &self.proof)?;
        Ok(*vk.digest())
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        Encode::to_bytes(self)
    }

    /// Reads a node proof; only the bytes of [`NodeProof::to_bytes`] are accepted.
    ///
    /// # Errors
    /// [`CodecError`] with the offset of what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        decode_all(bytes)
    }
}

impl Encode for NodeProof {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        VERSION.encode(out);
        (self.log, self.program, self.root).encode(out);
        self.claim.encode(out);
        self.proof.encode(out);
    }
}

impl Decode for NodeProof {
    const MIN_LEN: usize = 4 + 2 + 1 + 2 * 32 + Claim::MIN_LEN + 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        if input.array()? != MAGIC {
            return Err(input.invalid("node proof (magic bytes)"));
        }
        if u16::decode(input)? != VERSION {
            return Err(input.invalid("node proof version"));
        }
        let (log, program, root) = Decode::decode(input)?;
        let claim = Claim::decode(input)?;
        let len = u32::decode(input)? as usize;
        if len > MAX_PROOF_BYTES {
            return Err(CodecError::Length { at: input.at(), got: len as u64, max: MAX_PROOF_BYTES as u64 });
        }
        Ok(Self { log, program, root, claim, proof: input.take(len)?.to_vec() })
    }
}
