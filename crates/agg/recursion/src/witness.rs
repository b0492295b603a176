//! The inputs of the verifier's program for one proof. All of it is advice: the circuit trusts none.

use std::marker::PhantomData;

use p3_challenger::{CanObserve, CanSample, CanSampleBits, DuplexChallenger};
use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use p3_fri::{FriFoldingStrategy, TwoAdicFriFolding};
use thiserror::Error;
use tsz_hash::{Permuter, permuter};
use tsz_plonk::gadgets::hash;
use tsz_plonk::{Value, coordinates, from_coordinates};
use tsz_stark::{Commitment, ExtField, F, Proof, VerifyingKey};

use crate::crown;
use crate::layout::{Layout, Source};
use crate::opening::Opened;
use crate::paths::{Paths, expand, hash_row};
use crate::seed::Seeds;

type Challenger = DuplexChallenger<F, Permuter, 16, 8>;

/// Why a proof gives no inputs. A proof that the native verifier accepts gives some, but for the second reason.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WitnessError {
    /// A multi-proof has too few siblings.
    #[error("a Merkle multi-proof of the proof is too short")]
    Siblings,
    /// No query passes below some node near the root: one proof of a billion or fewer. It has to be made again.
    #[error("the queries of the proof miss a part of a commitment: the proof has to be made again")]
    Crown,
}

/// What the transcript absorbs of a key.
#[derive(Clone, Debug)]
pub struct KeyValues {
    /// Digest of the key.
    pub digest: [F; 8],
    /// Commitment to the preprocessed columns.
    pub preprocessed: Option<Commitment>,
}

impl<A> From<&VerifyingKey<A>> for KeyValues {
    fn from(vk: &VerifyingKey<A>) -> Self {
        Self { digest: *vk.digest(), preprocessed: vk.preprocessed_commitment().cloned() }
    }
}

/// Claimed evaluations of a proof in the order of the layout.
pub(crate) fn opened(layout: &Layout, proof: &Proof) -> Opened<ExtField> {
    let instances = &proof.inner().opened_values.instances;
    let matrix = |source: Source, table: usize, chunk: usize| -> Vec<Vec<ExtField>> {
        let (instance, base) = (&instances[table], &instances[table].base_opened_values);
        let both = |current: &[ExtField], next: Option<&[ExtField]>| {
            std::iter::once(current).chain(next).map(<[ExtField]>::to_vec).collect()
        };
        match source {
            Source::Main => both(&base.trace_local, base.trace_next.as_deref()),
            Source::Quotient => both(&base.quotient_chunks[chunk], None),
            Source::Preprocessed => both(base.preprocessed_local().unwrap_or(&[]), base.preprocessed_next()),
            Source::Lookup => both(&instance.permutation_local, Some(&instance.permutation_next)),
        }
    };
    layout
        .rounds
        .iter()
        .map(|round| {
            let chunk =
                |k: usize| round.matrices[..k].iter().filter(|m| m.table == round.matrices[k].table).count();
            (0..round.matrices.len())
                .map(|k| matrix(round.source, round.matrices[k].table, chunk(k)))
                .collect()
        })
        .collect()
}

/// The challenges that queries depend on.
pub(crate) struct Drawn {
    zeta: ExtField,
    alpha: ExtField,
    betas: Vec<ExtField>,
    indices: Vec<usize>,
}

/// Challenges by a replay of the whole transcript. Grinding is not checked.
pub(crate) fn draw(
    layout: &Layout,
    seeds: &Seeds,
    log_heights: &[usize],
    key: &KeyValues,
    proof: &Proof,
    publics: &[Vec<F>],
) -> Drawn {
    let (params, inner) = (&layout.params, proof.inner());
    let fri = &inner.opening_proof;
    let mut t = Replay(Challenger::new(permuter()));
    t.felts(&key.digest);
    t.felts(&seeds.batch);
    for log_height in log_heights {
        t.extension(ExtField::from_usize(*log_height));
    }
    t.commitment(&inner.commitments.main);
    publics.iter().for_each(|values| t.felts(values));
    key.preprocessed.iter().for_each(|c| t.commitment(c));
    if let Some(witness) = inner.lookup_pow_witness {
        t.grind(params.lookup_pow_bits, witness);
        let _: [ExtField; 2] = [t.0.sample(), t.0.sample()];
    }
    inner.commitments.permutation.iter().for_each(|c| t.commitment(c));
    inner.lookup_terminals.iter().flatten().for_each(|terminal| t.extension(terminal.0));
    let _: ExtField = t.0.sample();
    t.commitment(&inner.commitments.quotient_chunks);
    t.grind(params.ood_pow_bits, inner.ood_pow_witness);
    let zeta = t.0.sample();
    t.felts(&seeds.opening);
    opened(layout, proof).iter().flatten().flatten().flatten().for_each(|value| t.extension(*value));
    t.grind(params.batch_pow_bits, fri.batch_pow_witness);
    let alpha = t.0.sample();
    t.felts(&seeds.folding);
    let mut betas = Vec::with_capacity(fri.commit_phase_commits.len());
    for (commit, witness) in fri.commit_phase_commits.iter().zip(&fri.commit_pow_witnesses) {
        t.commitment(commit);
        t.grind(params.commit_pow_bits, *witness);
        betas.push(t.0.sample());
    }
    fri.final_poly.iter().for_each(|c| t.extension(*c));
    t.grind(params.query_pow_bits, fri.query_pow_witness);
    let indices = (0..params.num_queries).map(|_| t.0.sample_bits(layout.log_max())).collect();
    Drawn { zeta, alpha, betas, indices }
}

struct Replay(Challenger);

impl Replay {
    fn felts(&mut self, felts: &[F]) {
        felts.iter().for_each(|felt| self.0.observe(*felt));
    }
    fn extension(&mut self, value: ExtField) {
        self.felts(&coordinates(value));
    }
    fn commitment(&mut self, commitment: &Commitment) {
        commitment.roots().iter().for_each(|root| self.felts(root));
    }
    fn grind(&mut self, bits: usize, witness: F) {
        if bits > 0 {
            self.0.observe(witness);
            let _: usize = self.0.sample_bits(bits);
        }
    }
}

/// Inputs of the opening argument.
pub(crate) fn opening_values(layout: &Layout, proof: &Proof) -> Vec<Value> {
    let fri = &proof.inner().opening_proof;
    let mut values: Vec<Value> = opened(layout, proof).into_iter().flatten().flatten().flatten().collect();
    values.push(fri.batch_pow_witness.into());
    values.extend(fri.commit_phase_commits.iter().flat_map(|c| c.roots()).flat_map(hash::input_values));
    values.extend(fri.commit_pow_witnesses.iter().map(|w| Value::from(*w)));
    values.extend(&fri.final_poly);
    values.push(fri.query_pow_witness.into());
    values
}

/// Inputs of crowns and queries.
pub(crate) fn query_values(
    layout: &Layout,
    drawn: &Drawn,
    proof: &Proof,
) -> Result<Vec<Value>, WitnessError> {
    let (indices, fri) = (&drawn.indices, &proof.inner().opening_proof);
    let mut all =
        Openings { ends: ends(layout), crowns: Vec::new(), queries: vec![Vec::new(); indices.len()] };
    for (round, opening) in layout.rounds.iter().zip(&fri.input_openings) {
        let folds = layout.log_max() - round.log_height();
        let own: Vec<usize> = indices.iter().map(|index| index >> folds).collect();
        let row = |query: usize, log_height: usize| -> Option<Vec<F>> {
            let group = round.group(log_height);
            let rows = &opening.opened_values[query];
            (!group.is_empty()).then(|| group.into_iter().flat_map(|m| rows[m].iter().copied()).collect())
        };
        let digest = |query, log_height| row(query, log_height).map(hash_row);
        let siblings = &opening.opening_proof.sibling_hashes;
        let paths = expand(round.log_height(), all.ends, &own, digest, siblings)?;
        all.add(paths, |query, out| {
            for log_height in round.heights() {
                let felts = row(query, log_height).unwrap_or_default();
                let (quads, tail) = felts.as_chunks::<4>();
                out.extend(quads.iter().map(|quad| from_coordinates(*quad)));
                out.extend(tail.iter().map(|felt| Value::from(*felt)));
            }
        });
    }
    fold_values(layout, drawn, proof, &mut all)?;
    let mut values = all.crowns;
    values.extend(all.queries.iter().flatten());
    Ok(values)
}

/// log2 of the nodes of the level where paths end in the program, and where those of a proof end.
fn ends(layout: &Layout) -> [usize; 2] {
    let cap = layout.params.cap_height;
    [cap + crown::levels(&layout.params), cap]
}

/// What has been put together of all trees.
struct Openings {
    ends: [usize; 2],
    crowns: Vec<Value>,
    queries: Vec<Vec<Value>>,
}

impl Openings {
    /// Adds a tree: `opened` gives what a query opens of it.
    fn add(&mut self, paths: Paths, opened: impl Fn(usize, &mut Vec<Value>)) {
        self.crowns.extend(paths.crown.iter().flat_map(hash::input_values));
        for (query, (out, path)) in self.queries.iter_mut().zip(paths.siblings).enumerate() {
            opened(query, out);
            out.extend(path.iter().flat_map(hash::input_values));
        }
    }
}

/// The folding rounds of each query: all evaluations of a row, that which the proof leaves out included.
fn fold_values(
    layout: &Layout,
    drawn: &Drawn,
    proof: &Proof,
    all: &mut Openings,
) -> Result<(), WitnessError> {
    let fri = &proof.inner().opening_proof;
    let reduced = reduce(layout, drawn, proof);
    let mut folded: Vec<ExtField> = reduced.iter().map(|by_height| by_height[0]).collect();
    let (mut done, mut next) = (0, 1);
    for ((step, &log_arity), &beta) in
        fri.commit_phase_openings.iter().zip(&layout.schedule).zip(&drawn.betas)
    {
        let log_height = layout.log_max() - done - log_arity;
        let row = |query: usize| -> Vec<ExtField> {
            let own = drawn.indices[query] >> done & ((1 << log_arity) - 1);
            let mut row = step.sibling_values[query].clone();
            row.insert(own, folded[query]);
            row
        };
        let rows: Vec<Vec<ExtField>> = (0..folded.len()).map(row).collect();
        let at: Vec<usize> = drawn.indices.iter().map(|index| index >> (done + log_arity)).collect();
        let digest = |query: usize, h: usize| {
            (h == log_height).then(|| hash_row(rows[query].iter().flat_map(|e| coordinates(*e))))
        };
        let siblings = &step.opening_proof.sibling_hashes;
        let paths = expand(log_height, all.ends, &at, digest, siblings)?;
        all.add(paths, |query, out| out.extend(&rows[query]));
        done += log_arity;
        let joins = layout.heights.get(next) == Some(&log_height);
        for (query, value) in folded.iter_mut().enumerate() {
            *value = fold_row(at[query], log_height, log_arity, beta, &rows[query]);
            if joins {
                *value += beta.exp_power_of_2(log_arity) * reduced[query][next];
            }
        }
        next += usize::from(joins);
    }
    Ok(())
}

fn fold_row(index: usize, log_height: usize, log_arity: usize, beta: ExtField, row: &[ExtField]) -> ExtField {
    let strategy = TwoAdicFriFolding::<(), ()>(PhantomData);
    let row = row.iter().copied();
    FriFoldingStrategy::<F, ExtField>::fold_row(&strategy, index, log_height, log_arity, beta, row)
}

/// Batch reductions of each query by height, from the tallest.
fn reduce(layout: &Layout, drawn: &Drawn, proof: &Proof) -> Vec<Vec<ExtField>> {
    let claimed = opened(layout, proof);
    let openings = &proof.inner().opening_proof.input_openings;
    let query = |(query, index): (usize, &usize)| -> Vec<ExtField> {
        let at_height = |&log_height: &usize| -> ExtField {
            let point = reverse(index >> (layout.log_max() - log_height), log_height);
            let x = F::GENERATOR * F::two_adic_generator(log_height).exp_u64(point as u64);
            let next = drawn.zeta * F::two_adic_generator(log_height - layout.params.log_blowup);
            // A query at an opening point has no quotient; the circuit refuses it.
            let inverses = [drawn.zeta, next].map(|z| (z - x).try_inverse().unwrap_or_default());
            let (mut power, mut sum) = (ExtField::ONE, ExtField::ZERO);
            for (k, round) in layout.rounds.iter().enumerate() {
                for m in round.group(log_height) {
                    let row = &openings[k].opened_values[query][m];
                    for (values, inverse) in claimed[k][m].iter().zip(inverses) {
                        for (claimed, opened) in values.iter().zip(row) {
                            sum += power * (*claimed - *opened) * inverse;
                            power *= drawn.alpha;
                        }
                    }
                }
            }
            sum
        };
        layout.heights.iter().map(at_height).collect()
    };
    drawn.indices.iter().enumerate().map(query).collect()
}

fn reverse(x: usize, bits: usize) -> usize {
    (0..bits).fold(0, |acc, k| acc << 1 | (x >> k & 1))
}
