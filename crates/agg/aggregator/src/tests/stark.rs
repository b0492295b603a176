//! The check over real proofs of a small circuit: one table that repeats its public values in its first row.

use std::sync::{Arc, OnceLock};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{Air, AirBuilder, BaseAir, InteractionBuilder, PrimeCharacteristicRing, WindowAccess};
use tsz_stark::{Circuit, Profile, ProvingKey, RowMajorMatrix, TableAir, prove, setup, verify};

use super::*;

/// Public values: the felts of a claim. `tag` only makes keys differ.
#[derive(Clone)]
struct ClaimAir {
    publics: usize,
    tag: u32,
}

impl TableAir for ClaimAir {
    fn name(&self) -> String {
        format!("claim_{}", self.tag)
    }
}

impl BaseAir<F> for ClaimAir {
    fn width(&self) -> usize {
        self.publics
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn num_public_values(&self) -> usize {
        self.publics
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ClaimAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        for (k, cell) in row.iter().enumerate() {
            let public = builder.public_values()[k];
            builder.when_first_row().assert_eq(*cell, public);
        }
    }
}

struct Small(ProvingKey<ClaimAir>);

impl Small {
    fn new(publics: usize, tag: u32) -> Arc<Self> {
        let air = ClaimAir { publics, tag };
        Arc::new(Self(setup(Circuit::new(Profile::InsecureTest, [(air, 6)])).unwrap()))
    }

    fn digest(&self) -> Digest {
        *self.0.vk().digest()
    }

    fn prove(&self, publics: Vec<F>) -> Vec<u8> {
        let trace = RowMajorMatrix::new(publics.repeat(64), publics.len());
        prove(&self.0, &[trace], &[publics]).unwrap().to_bytes().unwrap()
    }
}

fn exec_felts(c: &ExecClaim) -> Vec<F> {
    let number = |n: u64| [n as u32 & 0xff_ffff, (n >> 24) as u32].map(F::from_u32);
    let mut out = [c.algorithm, c.context.system, c.start, c.end].concat();
    out.extend(number(c.context.batch));
    out.extend(number(c.context.time));
    out.extend([F::from_u32(c.count), F::from_bool(c.has_begin)]);
    out
}

fn transition_felts(c: &TransitionClaim) -> Vec<F> {
    let mut out = [c.s0, c.sn, c.context, c.set_root].concat();
    out.push(F::from_u32(c.ops));
    out
}

impl ExecVerifier for Small {
    fn verify(&self, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        Ok(verify(self.0.vk(), proof, &[exec_felts(claim)])?)
    }
}

impl TransitionVerifier for Small {
    fn verify(&self, claim: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError> {
        Ok(verify(self.0.vk(), proof, &[transition_felts(claim)])?)
    }
}

/// The honest bundle with real proofs, and its verifiers.
fn fixture() -> &'static (Bundle, VkSet) {
    static FIXTURE: OnceLock<(Bundle, VkSet)> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let (fund, spot, transition) = (Small::new(38, 1), Small::new(38, 2), Small::new(33, 3));
        let entries = [
            (Family::Fund.algorithm(), &fund),
            (Family::Spot.algorithm(), &spot),
            (transition_algorithm(), &transition),
        ]
        .map(|(algorithm, small)| VkEntry { algorithm, vk: small.digest() });
        let tree = VkTree::new(entries).unwrap();
        let place = |e: VkEntry| VkRef { digest: e.vk, membership: tree.prove(&e).unwrap() };
        let mut bundle = bundle();
        for batch in &mut bundle.batches {
            batch.transition.vk = place(entries[2]);
            batch.transition.proof = transition.prove(transition_felts(&batch.header.transition()));
            for e in &mut batch.execs {
                let k = usize::from(e.claim.algorithm != Family::Fund.algorithm());
                e.vk = place(entries[k]);
                e.proof = [&fund, &spot][k].prove(exec_felts(&e.claim));
            }
        }
        let mut set = VkSet::new(tree.root());
        set.insert_exec(&fund.digest(), fund);
        set.insert_exec(&spot.digest(), spot);
        set.insert_transition(&transition.digest(), transition);
        (bundle, set)
    })
}

fn error(bundle: &Bundle) -> BatchError {
    match check(&bundle.to_bytes(), &fixture().1, None) {
        Err(AggregationError::Batch { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn accepts_real_proofs() {
    let (bundle, set) = fixture();
    assert_eq!(check(&bundle.to_bytes(), set, None).unwrap().len(), 2);
}

#[test]
fn rejects_real_proofs_of_other_claims_or_keys() {
    let mut b = fixture().0.clone();
    let (fund, spot) = places(&b.batches[0]);
    b.batches[0].execs[fund].proof = fixture().0.batches[0].execs[spot].proof.clone();
    let BatchError::Exec { error: ExecError::Proof(ProofError::Verify(_)), .. } = error(&b) else { panic!() };
    let mut b = fixture().0.clone();
    b.batches[1].header.sn = digest(9);
    assert!(matches!(error(&b), BatchError::Transition(ProofError::Verify(_))));
}

#[test]
fn an_exec_proof_is_no_transition_proof() {
    let mut b = fixture().0.clone();
    b.batches[0].transition.proof = b.batches[0].execs[0].proof.clone();
    assert!(matches!(error(&b), BatchError::Transition(ProofError::Verify(_))));
}

#[test]
fn rejects_damaged_bytes_of_real_bundles() {
    let (bundle, set) = fixture();
    let bytes = bundle.to_bytes();
    let mut rng = StdRng::seed_from_u64(4);
    for _ in 0..300 {
        let mut damaged = bytes.clone();
        if rng.random_range(0..4) == 0 {
            damaged.truncate(rng.random_range(0..bytes.len()));
        } else {
            let at = rng.random_range(0..damaged.len());
            damaged[at] ^= 1 << rng.random_range(0..8);
        }
        assert!(check(&damaged, set, None).is_err());
    }
}
