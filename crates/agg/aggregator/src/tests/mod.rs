//! Tests by lie, and damaged bytes. [`Seals`] stands in for circuits: its proofs are plain hashes of key and
//! claim, so a claim that differs in anything is refused, as by a sound proof system.

mod damage;
mod guest;
mod lies;
mod stark;

use tsz_codec::Encode;
use tsz_hash::{Digest, F, PrimeField32, hash_bytes};
use tsz_ledger::{
    Access, BatchContext, BatchHeader, ExecClaim, Family, Key, TransitionClaim, TransitionSet, TupleSponge,
};
use tsz_vktree::{VkEntry, VkTree, transition_algorithm};

use crate::*;

/// A distinct digest for each `n`.
fn digest(n: u32) -> Digest {
    hash_bytes(&n.to_le_bytes())
}

const FUND_SMALL: u32 = 101;
const FUND_LARGE: u32 = 102;
const SPOT: u32 = 103;
const TRANSITION: u32 = 104;
/// Known to the verifier, but not in the tree.
const UNLISTED: u32 = 105;

fn tree() -> VkTree {
    let entry = |algorithm, vk| VkEntry { algorithm, vk: digest(vk) };
    VkTree::new([
        entry(Family::Fund.algorithm(), FUND_SMALL),
        entry(Family::Fund.algorithm(), FUND_LARGE),
        entry(Family::Spot.algorithm(), SPOT),
        entry(transition_algorithm(), TRANSITION),
    ])
    .unwrap()
}

/// The place of a key in the tree; for a pair that is not listed, the place of some other pair.
fn vk_ref(tree: &VkTree, algorithm: Digest, vk: u32) -> VkRef {
    let entry = VkEntry { algorithm, vk: digest(vk) };
    let membership = tree.prove(&entry).unwrap_or_else(|| tree.prove(&tree.entries()[0]).unwrap());
    VkRef { digest: digest(vk), membership }
}

/// The test verifier.
struct Seals {
    root: Digest,
}

fn seal(felts: &[Digest], rest: impl Encode) -> Vec<u8> {
    hash_bytes(&(felts, rest).to_bytes()).to_bytes()
}

fn context_bytes(context: &BatchContext) -> Vec<u8> {
    (context.system, context.batch, context.time).to_bytes()
}

fn seal_exec(vk: &Digest, claim: &ExecClaim) -> Vec<u8> {
    let rest = (context_bytes(&claim.context), claim.count, claim.has_begin);
    seal(&[*vk, claim.algorithm, claim.start, claim.end], rest)
}

fn seal_transition(vk: &Digest, claim: &TransitionClaim) -> Vec<u8> {
    seal(&[*vk, claim.s0, claim.sn, claim.context, claim.set_root], claim.ops)
}

fn compare(known: bool, expected: &[u8], proof: &[u8]) -> Result<(), ProofError> {
    match (known, expected == proof) {
        (false, _) => Err(ProofError::UnknownVk),
        (true, false) => Err(ProofError::Claim("seal".into())),
        (true, true) => Ok(()),
    }
}

impl VerifierSet for Seals {
    fn vk_root(&self) -> Digest {
        self.root
    }
    fn verify_exec(&self, vk: &Digest, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        let known = [FUND_SMALL, FUND_LARGE, SPOT, UNLISTED].iter().any(|n| digest(*n) == *vk);
        compare(known, &seal_exec(vk, claim), proof)
    }
    fn verify_transition(&self, vk: &Digest, c: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError> {
        let known = [TRANSITION, UNLISTED].iter().any(|n| digest(*n) == *vk);
        compare(known, &seal_transition(vk, c), proof)
    }
}

type Op = (Digest, Vec<Access>);

/// Nine ops: fund at 0, 2, 4, 6, 8; spot at 1, 3, 5, 7.
fn ops(salt: u32) -> Vec<Op> {
    (0..9)
        .map(|i| {
            let family = if i % 2 == 0 { Family::Fund } else { Family::Spot };
            let access = Access::write(Key::sub(i, 0), digest(salt + i), digest(salt + i + 1));
            (family.algorithm(), vec![Access::read(Key::HEAD, digest(salt)), access])
        })
        .collect()
}

/// Exec proofs of the ops of `algorithm`, split after the given numbers of ops.
fn exec_proofs(
    tree: &VkTree,
    context: &BatchContext,
    ops: &[Op],
    algorithm: Digest,
    ranges: &[(u32, u32)],
) -> Vec<ExecProof> {
    let mut sponge = TupleSponge::new(context.digest());
    let mut own = (0u32..).zip(ops).filter(|(_, op)| op.0 == algorithm);
    let mut out = Vec::new();
    for &(count, vk) in ranges {
        let start = sponge.commitment();
        for (i, op) in own.by_ref().take(count as usize) {
            sponge.absorb(i, &op.1);
        }
        let has_begin = out.is_empty() && algorithm == Family::Fund.algorithm();
        let end = sponge.commitment();
        let claim = ExecClaim { algorithm, context: *context, count, start, end, has_begin };
        let proof = seal_exec(&digest(vk), &claim);
        out.push(ExecProof { claim, vk: vk_ref(tree, algorithm, vk), proof, run: None });
    }
    out
}

fn batch(context: BatchContext, s0: Digest, sn: Digest, salt: u32) -> BatchProofs {
    let (tree, ops) = (tree(), ops(salt));
    let (set, _) = TransitionSet::from_ops(context.digest(), &ops).unwrap();
    let header = BatchHeader { context, s0, sn, ops: ops.len() as u32, set_root: set.root() };
    let (fund, spot) = (Family::Fund.algorithm(), Family::Spot.algorithm());
    let mut execs = Vec::new();
    for leaf in set.leaves() {
        let ranges: &[_] =
            if leaf.algorithm == fund { &[(3, FUND_LARGE), (2, FUND_SMALL)] } else { &[(4, SPOT)] };
        let algorithm = if leaf.algorithm == fund { fund } else { spot };
        execs.extend(exec_proofs(&tree, &context, &ops, algorithm, ranges));
    }
    let transition = TransitionProof {
        vk: vk_ref(&tree, transition_algorithm(), TRANSITION),
        proof: seal_transition(&digest(TRANSITION), &header.transition()),
    };
    BatchProofs { header, leaves: set.leaves().to_vec(), transition, execs }
}

fn system() -> Digest {
    digest(7)
}

/// Two consecutive batches, numbers 4 and 5.
fn bundle() -> Bundle {
    let context = |batch, time| BatchContext { system: system(), batch, time, params: digest(6) };
    Bundle {
        batches: vec![
            batch(context(4, 1_000), digest(1), digest(2), 1000),
            batch(context(5, 1_000), digest(2), digest(3), 2000),
        ],
    }
}

fn verifier() -> Seals {
    Seals { root: tree().root() }
}

fn run(bundle: &Bundle) -> Result<Vec<BatchHeader>, AggregationError> {
    check(&bundle.to_bytes(), &verifier(), None)
}

/// Place of the first fund proof of batch 0 and of the spot proof.
fn places(b: &BatchProofs) -> (usize, usize) {
    let find = |f: Family| b.execs.iter().position(|e| e.claim.algorithm == f.algorithm()).unwrap();
    (find(Family::Fund), find(Family::Spot))
}

/// Signs every claim of a bundle anew: what a prover of true statements about changed claims would hand in.
fn reseal(bundle: &mut Bundle) {
    for batch in &mut bundle.batches {
        for e in &mut batch.execs {
            e.proof = seal_exec(&e.vk.digest, &e.claim);
        }
        let claim = batch.header.transition();
        batch.transition.proof = seal_transition(&batch.transition.vk.digest, &claim);
    }
}

#[test]
fn accepts_an_honest_bundle_and_returns_its_headers() {
    let bundle = bundle();
    let headers = run(&bundle).unwrap();
    assert_eq!(headers, bundle.batches.iter().map(|b| b.header).collect::<Vec<_>>());
}

#[test]
fn the_encoding_is_canonical() {
    let bundle = bundle();
    let bytes = bundle.to_bytes();
    assert_eq!(Bundle::from_bytes(&bytes).unwrap(), bundle);
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Bundle::from_bytes(&longer).is_err());
    let mut version = bytes.clone();
    version[4] += 1;
    assert!(Bundle::from_bytes(&version).is_err());
}

#[test]
fn a_felt_has_one_encoding() {
    // The system digest starts at byte 10; p added to its first felt is the same felt, but other bytes.
    let mut bytes = bundle().to_bytes();
    let felt = u32::from_le_bytes(bytes[10..14].try_into().unwrap());
    let alias = felt.wrapping_add(F::ORDER_U32);
    bytes[10..14].copy_from_slice(&alias.to_le_bytes());
    assert!(matches!(check(&bytes, &verifier(), None), Err(AggregationError::Decode(_))));
}
