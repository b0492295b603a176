//! Our prover against Plonky3's: without grinding both are deterministic, and the proofs are the same bytes.

use std::borrow::Cow;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_batch_stark::StarkInstance;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::dense::RowMajorMatrix;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{Circuit, F, Profile, TableAir, Trace, setup};

const LOGS: [usize; 4] = [8, 6, 9, 7];

/// Reads everything that constraints and messages can read. What it says holds for no trace of these tests: both
/// provers compute the same values all the same.
#[derive(Clone)]
enum Probe {
    /// Both rows of main and preprocessed columns, a periodic column, selectors, public values; messages of one to
    /// three fields on three buses, with multiplicities and fields that are expressions.
    Full { log: usize },
    /// Branches of which one counts.
    Branches,
    /// A local lookup.
    Local,
    /// No message.
    Silent,
}

impl TableAir for Probe {
    fn name(&self) -> String {
        match self {
            Self::Full { .. } => "full",
            Self::Branches => "branches",
            Self::Local => "local",
            Self::Silent => "silent",
        }
        .into()
    }
}

fn random(seed: u64, width: usize, log: usize) -> Trace {
    let mut rng = StdRng::seed_from_u64(seed);
    let cells = (0..width << log).map(|_| F::from_u32(rng.random_range(0..2_000_000_000)));
    RowMajorMatrix::new(cells.collect(), width)
}

impl BaseAir<F> for Probe {
    fn width(&self) -> usize {
        match self {
            Self::Full { .. } => 21,
            Self::Branches => 7,
            Self::Local => 4,
            Self::Silent => 1,
        }
    }
    fn preprocessed_width(&self) -> usize {
        if matches!(self, Self::Full { .. }) { 3 } else { 0 }
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let Self::Full { log } = self else { return None };
        Some(random(77, 3, *log))
    }
    fn num_periodic_columns(&self) -> usize {
        if matches!(self, Self::Full { .. }) { 2 } else { 0 }
    }
    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        let column = |period: u32| (0..period).map(|k| F::from_u32(3 + k * k)).collect();
        match self {
            Self::Full { .. } => Cow::Owned(vec![column(4), column(16)]),
            _ => Cow::Owned(vec![]),
        }
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        match self {
            Self::Full { .. } => vec![0, 5, 20],
            Self::Branches => vec![6],
            _ => vec![],
        }
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        if matches!(self, Self::Full { .. }) { vec![1] } else { vec![] }
    }
    fn num_public_values(&self) -> usize {
        if matches!(self, Self::Full { .. }) { 2 } else { 0 }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Probe {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let (x, next) = (main.current_slice(), main.next_slice());
        let at = |k: usize| -> AB::Expr { x[k].into() };
        match self {
            Self::Full { .. } => {
                let fixed = builder.preprocessed().clone();
                let (p, q) = (fixed.current_slice(), fixed.next_slice());
                let periodic: Vec<AB::Expr> = builder.periodic_values().iter().map(|v| (*v).into()).collect();
                let publics: Vec<AB::Expr> = builder.public_values().iter().map(|v| (*v).into()).collect();
                builder.assert_zero(at(0) * at(1) - at(2) + periodic[0].clone() * at(3));
                builder.when_first_row().assert_eq(x[4], publics[0].clone());
                builder.when_transition().assert_eq(next[5], at(5) + next[0] + q[1]);
                builder.when_last_row().assert_eq(at(6) + next[20], publics[1].clone());
                builder.assert_zeros([at(7) * p[0] - at(8), at(9) - periodic[1].clone()]);
                let product = at(10) * at(11) - at(12);
                let first = builder.is_first_row();
                builder.push_interaction(
                    "a",
                    [product.clone(), at(13), p[2].into()],
                    Count::bounded(at(14), 1),
                );
                builder.push_interaction(
                    "a",
                    [at(15), -product.clone(), publics[1].clone()],
                    Count::bounded(first, 1),
                );
                builder.push_interaction("a", [at(16), at(17), next[5].into()], Count::bounded(-at(18), 1));
                builder.push_interaction(
                    "a",
                    [at(0), q[1].into(), AB::Expr::from_u8(9)],
                    Count::bounded(p[1].into(), 1),
                );
                builder.push_interaction("b", [at(19)], Count::bounded(product + at(1), 1));
                let step = builder.is_transition();
                builder.push_interaction("c", [at(20), at(20)], Count::bounded(step, 1));
            }
            Self::Branches => {
                builder.assert_zero(at(0) * next[6]);
                let branch =
                    |k: usize| (at(k), Count::bounded(at(k + 1), 1), vec![at(4), at(5), at(6) - at(k)]);
                builder.push_exclusive_interaction("a", [branch(0), branch(2)]);
            }
            Self::Local => {
                let tuple = |k: usize| (vec![at(k), at(3)], Count::bounded(at(k + 1), 1));
                builder.push_local_interaction([tuple(0), tuple(1)]);
                builder.push_interaction("b", [at(2)], Count::bounded(-at(0), 1));
            }
            Self::Silent => builder.assert_bool(x[0]),
        }
    }
}

/// Random cells, but for flags of branches: none or one is set.
fn trace(air: &Probe, log: usize) -> Trace {
    let mut trace = random(log as u64, air.width(), log);
    if matches!(air, Probe::Branches) {
        for (row, cells) in trace.values.chunks_exact_mut(air.width()).enumerate() {
            (cells[0], cells[2]) = (F::from_bool(row % 3 == 0), F::from_bool(row % 3 == 1));
        }
    }
    trace
}

fn airs() -> [Probe; 4] {
    [Probe::Full { log: LOGS[0] }, Probe::Silent, Probe::Branches, Probe::Local]
}

#[test]
fn proofs_are_those_of_plonky3() {
    for profile in [Profile::InsecureTest, Profile::InsecureNode] {
        let pk = setup(Circuit::new(profile, airs().into_iter().zip(LOGS))).unwrap();
        let traces: Vec<Trace> = pk.vk.airs.iter().zip(LOGS).map(|(air, log)| trace(air, log)).collect();
        let publics = [vec![F::from_u32(5), F::from_u32(6)], vec![], vec![], vec![]];
        let theirs: Vec<_> = pk
            .vk
            .airs
            .iter()
            .zip(&traces)
            .zip(&publics)
            .map(|((air, trace), values)| StarkInstance { air, trace, public_values: values.clone() })
            .collect();
        let theirs = p3_batch_stark::prove_batch(&pk.vk.config, &theirs, &pk.data).unwrap();
        let ours = super::prove_batch(&pk.vk, &pk.data, &traces, &publics).unwrap();
        assert!(
            postcard::to_allocvec(&ours).unwrap() == postcard::to_allocvec(&theirs).unwrap(),
            "{profile:?}"
        );
        // The probe reads what it says: another value of anything is another proof.
        let mut other = publics.clone();
        other[0][1] += F::ONE;
        let other = super::prove_batch(&pk.vk, &pk.data, &traces, &other).unwrap();
        assert!(postcard::to_allocvec(&other).unwrap() != postcard::to_allocvec(&theirs).unwrap());
    }
}
