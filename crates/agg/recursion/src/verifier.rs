//! The whole verifier.

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use tsz_plonk::gadgets::hash::Digest;
use tsz_plonk::{Builder, Ext, Felt, Value, from_coordinates};
use tsz_stark::{CircuitAir, ExtField, F, FriParams, Proof, TableInfo, VerifyingKey};

use crate::batch::{BatchPhase, BatchWires, Challenges};
use crate::constraints::{self, LookupChallenges, Point, TableConstraints, Window};
use crate::crown::{self, CrownWires};
use crate::key::{KeyShape, KeyWires};
use crate::layout::{Layout, Source};
use crate::opening::{self, OpeningChallenges, OpeningWires};
use crate::query::{self, FinalPoly, QueryWires, Shared, Top};
use crate::reduction::Reduction;
use crate::seed::Seeds;
use crate::witness::{self, KeyValues, WitnessError};

/// The verifier of all proofs of one key, or of all keys of its shape.
#[derive(Clone, Debug)]
pub struct Verifier {
    layout: Layout,
    seeds: Seeds,
    batch: BatchPhase,
    key: KeyShape,
    tables: Vec<TableInfo>,
    constraints: Vec<TableConstraints>,
    /// Fields of the widest bus message.
    widest: usize,
}

/// A proof as wires.
#[derive(Clone, Debug)]
pub struct ProofWires {
    /// What the batch phase absorbs, public values included.
    pub batch: BatchWires,
    /// What the opening argument absorbs.
    pub opening: OpeningWires,
    /// The crown of each tree: of the commitments, then of the folding rounds.
    pub crowns: Vec<Vec<Digest>>,
    /// Openings of the queries.
    pub queries: Vec<QueryWires>,
}

impl ProofWires {
    /// Public values by table.
    pub fn publics(&self) -> &[Vec<Felt>] {
        &self.batch.publics
    }
}

/// All challenges of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Of the batch phase.
    pub batch: Challenges,
    /// Of the opening argument.
    pub opening: OpeningChallenges,
}

impl Verifier {
    /// The verifier of proofs under `vk`.
    pub fn new<A: CircuitAir>(vk: &VerifyingKey<A>) -> Self {
        let layout = Layout::new(vk);
        let seeds = Seeds::new(vk, &layout);
        let (constraints, widest) = constraints::tables(vk);
        Self {
            batch: BatchPhase::seeded(vk, seeds.batch.clone()),
            key: KeyShape::new(vk),
            tables: vk.tables().to_vec(),
            layout,
            seeds,
            constraints,
            widest,
        }
    }

    /// Parameters of the proofs it verifies.
    pub fn params(&self) -> &FriParams {
        &self.layout.params
    }

    /// Number of public values of each table.
    pub fn public_counts(&self) -> impl Iterator<Item = usize> + '_ {
        self.tables.iter().map(|t| t.public_values)
    }

    /// The key itself, as a constant of the program.
    #[track_caller]
    pub fn fixed_key(&self, b: &mut Builder) -> KeyWires {
        self.key.constant(b)
    }

    /// Any key of the same tables, heights and parameters, from the witness. Its digest is computed here: what it
    /// must be is for the program to say.
    #[track_caller]
    pub fn input_key(&self, b: &mut Builder) -> KeyWires {
        self.key.input(b)
    }

    /// The inputs of [`Verifier::input_key`].
    pub fn key_values(key: &KeyValues) -> Vec<Value> {
        KeyShape::values(key.preprocessed.as_ref())
    }

    /// Declares a proof. Its inputs are [`Verifier::values`].
    #[track_caller]
    pub fn input(&self, b: &mut Builder) -> ProofWires {
        let batch = self.batch.input(b);
        let opening = opening::input(&self.layout, b);
        let crowns = crown::input(&self.layout, b);
        let queries = (0..self.layout.params.num_queries).map(|_| query::input(&self.layout, b)).collect();
        ProofWires { batch, opening, crowns, queries }
    }

    /// Replays the transcript: checks every grinding and that the lookup terminals sum to 0, draws every challenge.
    #[track_caller]
    pub fn replay(&self, b: &mut Builder, key: &KeyWires, proof: &ProofWires) -> Run {
        let mut batch = self.batch.replay(b, key, &proof.batch);
        let seeds = [&self.seeds.opening[..], &self.seeds.folding[..]];
        let opening = opening::replay(&self.layout, seeds, b, &mut batch.transcript, &proof.opening);
        Run { batch, opening }
    }

    /// Asserts that the proof is one under the key, of the public values it carries.
    ///
    /// Gates are placed at the steps of this function and of those it calls, so that the rows of a program can be
    /// counted by step.
    pub fn verify(&self, b: &mut Builder, key: &KeyWires, proof: &ProofWires) -> Run {
        let run = self.replay(b, key, proof);
        self.check_constraints(b, &run, proof);
        self.check_queries(b, key, &run, proof);
        run
    }

    /// The inputs of [`Verifier::input`] for a proof under `key`.
    ///
    /// # Errors
    /// [`WitnessError`] for a proof that the native verifier refuses, or whose queries miss a part of its trees
    /// ([`WitnessError::Crown`]). The native verifier has also to check the proof's shape: vectors of another length than
    /// the key demands make this panic or give too many or too few values.
    pub fn values(
        &self,
        key: &KeyValues,
        proof: &Proof,
        publics: &[Vec<F>],
    ) -> Result<Vec<Value>, WitnessError> {
        let mut values = self.batch.values(proof, publics);
        values.extend(witness::opening_values(&self.layout, proof));
        let heights: Vec<usize> = self.tables.iter().map(|t| t.log_height).collect();
        let drawn = witness::draw(&self.layout, &self.seeds, &heights, key, proof, publics);
        values.extend(witness::query_values(&self.layout, &drawn, proof)?);
        Ok(values)
    }

    /// Where the digests of crowns stand among the inputs.
    #[cfg(test)]
    pub(crate) fn crowns(&self, proof: &Proof, publics: &[Vec<F>]) -> std::ops::Range<usize> {
        let before = self.batch.values(proof, publics).len();
        let first = before + witness::opening_values(&self.layout, proof).len();
        let trees = self.layout.rounds.len() + self.layout.schedule.len();
        first..first + (trees << (crown::levels(&self.layout.params) + 1))
    }

    /// Every table's folded constraints are the quotient times the vanishing polynomial, at zeta.
    fn check_constraints(&self, b: &mut Builder, run: &Run, proof: &ProofWires) {
        let challenges = run.batch.lookup.map(|lookup| LookupChallenges::new(b, lookup, self.widest));
        let mut terminals = proof.batch.terminals.iter();
        for (table, info) in self.tables.iter().enumerate() {
            let terminal = (info.aux_width > 0).then(|| terminals.next().copied()).flatten();
            let (point, vanishing) = self.point(b, run, proof, table, challenges.clone(), terminal);
            let folded = self.constraints[table].fold(b, run.batch.alpha, &point);
            let quotient = self.quotient(b, proof, table, &point.squares);
            let expected = b.mul(quotient, vanishing);
            b.assert_eq(folded, expected);
        }
    }

    /// What the constraints of a table read, and the vanishing polynomial of its rows at zeta, which is not 0.
    fn point(
        &self,
        b: &mut Builder,
        run: &Run,
        proof: &ProofWires,
        table: usize,
        challenges: Option<LookupChallenges>,
        terminal: Option<Ext>,
    ) -> (Point, Ext) {
        let (info, zeta) = (&self.tables[table], run.batch.zeta);
        let mut squares = vec![zeta];
        for k in 0..info.log_height {
            squares.push(b.square(squares[k]));
        }
        let vanishing = b.add_constant(squares[info.log_height], -ExtField::ONE);
        // A zeta on a row of the table is refused, as by the native verifier.
        b.inverse(vanishing);
        let last_row = F::two_adic_generator(info.log_height).inverse();
        let is_transition = b.add_constant(zeta, ExtField::from(-last_row));
        let from_first = b.add_constant(zeta, -ExtField::ONE);
        let is_first = b.div(vanishing, from_first);
        let is_last = b.div(vanishing, is_transition);
        let publics = proof.batch.publics[table].iter().map(|x| (*x).into()).collect();
        let lookup = self.window(b, proof, Source::Lookup, table, info.aux_width);
        let point = Point {
            main: self.window(b, proof, Source::Main, table, info.width),
            preprocessed: self.window(b, proof, Source::Preprocessed, table, info.preprocessed_width),
            lookup: Window { current: recompose(b, &lookup.current), next: recompose(b, &lookup.next) },
            publics,
            terminal,
            is_first,
            is_last,
            is_transition,
            squares,
            challenges,
        };
        (point, vanishing)
    }

    /// The opened values of a table; zeros for a next row that is not opened.
    #[track_caller]
    fn window(
        &self,
        b: &mut Builder,
        proof: &ProofWires,
        source: Source,
        table: usize,
        width: usize,
    ) -> Window {
        let zero: Ext = b.zero().into();
        let mut rows = [vec![zero; width], vec![zero; width]];
        if let Some((round, matrix)) = self.layout.matrices_of(source, table).first() {
            for (row, values) in rows.iter_mut().zip(&proof.opening.opened[*round][*matrix]) {
                row.clone_from(values);
            }
        }
        let [current, next] = rows;
        Window { current, next }
    }

    /// The quotient of a table at zeta from its chunks: `sum_i chunk_i(zeta) prod_{j != i} Z_j(zeta) / Z_j(s_i)`,
    /// where chunk i lives on the coset `s_i H` with vanishing polynomial `Z_i(x) = (x / s_i)^n - 1`.
    #[track_caller]
    fn quotient(&self, b: &mut Builder, proof: &ProofWires, table: usize, squares: &[Ext]) -> Ext {
        let info = &self.tables[table];
        let chunks = self.layout.matrices_of(Source::Quotient, table);
        let log_chunks = chunks.len().trailing_zeros() as usize;
        let step = F::two_adic_generator(info.log_height + log_chunks);
        let shifts: Vec<F> = (0..chunks.len() as u64).map(|i| F::GENERATOR * step.exp_u64(i)).collect();
        let vanish = |shift: F, x: F| (x / shift).exp_power_of_2(info.log_height) - F::ONE;
        let at_zeta: Vec<Ext> = shifts
            .iter()
            .map(|shift| {
                let scale = shift.inverse().exp_power_of_2(info.log_height);
                let scaled = b.scale(squares[info.log_height], scale);
                b.add_constant(scaled, -ExtField::ONE)
            })
            .collect();
        let mut sum: Ext = b.zero().into();
        for (i, (round, matrix)) in chunks.iter().enumerate() {
            let others = || (0..chunks.len()).filter(|j| *j != i);
            let scale: F = others().map(|j| vanish(shifts[j], shifts[i])).product();
            let mut factor = b.constant(ExtField::from(scale.inverse()));
            for j in others() {
                factor = b.mul(factor, at_zeta[j]);
            }
            let value = recompose(b, &proof.opening.opened[*round][*matrix][0])[0];
            sum = b.mul_add(value, factor, sum);
        }
        sum
    }

    fn check_queries(&self, b: &mut Builder, key: &KeyWires, run: &Run, proof: &ProofWires) {
        let (alpha, zeta) = (run.opening.alpha, run.batch.zeta);
        let reduction = Reduction::new(b, &self.layout, alpha, zeta, &proof.opening.opened);
        let root = |source: Source| -> Vec<Digest> {
            match source {
                Source::Main => proof.batch.main.clone(),
                Source::Quotient => proof.batch.quotient.clone(),
                Source::Preprocessed => key.preprocessed.clone(),
                Source::Lookup => proof.batch.lookup.clone(),
            }
        };
        let log_max = self.layout.log_max();
        let top = |b: &mut Builder, tree: usize, roots: Vec<Digest>| match proof.crowns.get(tree) {
            Some(crown) => {
                assert_eq!(roots.len(), 1, "a crown below one root");
                Top::Crown(CrownWires::new(b, log_max, roots[0], crown))
            }
            None => Top::Cap(roots),
        };
        let rounds = &self.layout.rounds;
        let tops = rounds.iter().enumerate().map(|(k, round)| top(b, k, root(round.source))).collect();
        let folds = proof.opening.commits.iter().enumerate();
        let fold_tops = folds.map(|(k, roots)| top(b, rounds.len() + k, roots.clone())).collect();
        let shared = Shared {
            layout: &self.layout,
            tops,
            fold_tops,
            reduction: &reduction,
            alpha,
            betas: &run.opening.betas,
            final_poly: FinalPoly::new(b, &proof.opening.final_poly),
        };
        for (index, query) in run.opening.indices.iter().zip(&proof.queries) {
            shared.check(b, index, query);
        }
    }
}

/// Extension elements from the openings of their four coordinate columns: `c0 + c1 X + c2 X^2 + c3 X^3`.
#[track_caller]
fn recompose(b: &mut Builder, coordinates: &[Ext]) -> Vec<Ext> {
    let x = b.constant(from_coordinates([F::ZERO, F::ONE, F::ZERO, F::ZERO]));
    let quads = coordinates.as_chunks::<4>().0;
    quads
        .iter()
        .map(|[c0, c1, c2, c3]| {
            let acc = b.mul_add(*c3, x, *c2);
            let acc = b.mul_add(acc, x, *c1);
            b.mul_add(acc, x, *c0)
        })
        .collect()
}
