//! Trace generation: chunks of signatures advance in lockstep, so that a chunk shares each inversion.

use p3_field::batch_multiplicative_inverse;
use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{
    Columns, F, Field, PrimeCharacteristicRing, PrimeField32, Requests, RowMajorMatrix, Trace, from_rows,
};
use tsz_hash::{Digest, join, step};
use tsz_sig::challenge::{self, LIMB_BITS, LIMBS};
use tsz_sig::comb::{START, WINDOW_BITS, WINDOWS, fixed_base};
use tsz_sig::curve::Curve;
use tsz_sig::{Challenge, KeyId, Point, PublicKey, Scalar, Septic, Signature, point_id};

use super::air::weight;
use super::columns::{LadderCols, SigCols};
use super::{COMB_LOG_HEIGHT, ENTRIES, HIGH_SHIFT, ROWS, STEPS};

/// Signatures that advance together.
const CHUNK: usize = 64;
/// Bits of e.
const BITS: usize = LIMBS * LIMB_BITS;

/// A signature to prove. The prover checks it first: an invalid one gives traces that no proof accepts.
#[derive(Clone, Debug)]
pub struct SignedMessage {
    /// The key.
    pub key: PublicKey,
    /// The message digest.
    pub message: Digest,
    /// Its signature.
    pub signature: Signature,
    /// Lookups of `(key id, message)` on bus `sig`.
    pub uses: u32,
}

/// Traces of the three tables.
#[derive(Clone, Debug)]
pub struct Traces {
    /// Table `sig`: 2^h rows.
    pub sig: Trace,
    /// Table `schnorr`: 2^(h + 4) rows.
    pub schnorr: Trace,
    /// Table `comb`: 2^12 rows.
    pub comb: Trace,
}

/// More signatures than rows.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{needed} signatures do not fit in {rows} rows")]
pub struct TooManySignatures {
    /// Signatures given.
    pub needed: usize,
    /// Rows of table `sig`.
    pub rows: usize,
}

/// Traces for any number of signatures from 0 to `2^log_sigs`; what they look up on `p2` and `range12` is added
/// to `requests`.
///
/// # Errors
/// [`TooManySignatures`].
pub fn generate(
    sigs: &[SignedMessage],
    log_sigs: usize,
    requests: &mut Requests,
) -> Result<Traces, TooManySignatures> {
    let blocks = 1 << log_sigs;
    if sigs.len() > blocks {
        return Err(TooManySignatures { needed: sigs.len(), rows: blocks });
    }
    let jobs: Vec<Job> = sigs.iter().map(Job::new).collect();
    let (schnorr, comb, nonces) = ladder_tables(jobs, log_sigs);
    let rows: Vec<SigCols<F>> =
        sigs.par_iter().zip(&nonces).map(|(sig, r)| sig_row(sig, &point_id(r))).collect();
    for row in &rows {
        requests.p2(join(&row.key_id, &row.msg));
        requests.p2(join(&row.r_id, &row.h1));
        for hi in row.hi {
            requests.range(hi.as_canonical_u32());
            requests.range(hi.as_canonical_u32() + HIGH_SHIFT);
        }
    }
    Ok(Traces { sig: from_rows(&rows, log_sigs), schnorr, comb })
}

/// Traces of `schnorr` and `comb` for at most 2^log_sigs jobs, and each job's R.
pub(super) fn ladder_tables(mut jobs: Vec<Job>, log_sigs: usize) -> (Trace, Trace, Vec<Point>) {
    // The padding block: the key G and e = 0.
    let (key, e) = (<Septic as Curve<7>>::G, Challenge::from_bytes(&[0; challenge::BYTES]));
    jobs.push(Job { key, e, start: Scalar::ONE });
    let combs: Vec<CombRun> = jobs.par_chunks(CHUNK).flat_map_iter(run_combs).collect();
    let ladders: Vec<LadderRun> = jobs
        .par_chunks(CHUNK)
        .zip(combs.par_chunks(CHUNK))
        .flat_map_iter(|(jobs, combs)| run_ladders(jobs, combs))
        .collect();
    let schnorr = schnorr_trace(&jobs, &combs, &ladders, log_sigs);
    (schnorr, comb_trace(&combs, 1 << log_sigs), ladders.iter().map(|l| l.nonce).collect())
}

/// What a block proves: the ladder of `e` over `key` from `start` * G + H.
pub(super) struct Job {
    /// P.
    pub(super) key: Point,
    /// The challenge.
    pub(super) e: Challenge,
    /// s', the response over 2^120.
    pub(super) start: Scalar,
}

impl Job {
    pub(super) fn new(sig: &SignedMessage) -> Self {
        let start = sig.signature.s * Scalar::LADDER_START;
        // An identifier whose last felt is zero is that of two points, and the signature is by one of them.
        let key = match sig.key.key_id() {
            [.., F::ZERO] => sig.key.signer(&sig.message, &sig.signature).unwrap_or(sig.key),
            _ => sig.key,
        };
        Self { key: *key.point(), e: sig.signature.e, start }
    }
}

/// The additions of a comb.
struct CombRun {
    indices: [usize; WINDOWS],
    x: [Septic; WINDOWS],
    slope: [Septic; WINDOWS],
    end: Point,
}

fn run_combs(jobs: &[Job]) -> Vec<CombRun> {
    let comb = fixed_base();
    let mut runs: Vec<CombRun> = jobs
        .iter()
        .map(|job| {
            let mut indices = [0; WINDOWS];
            indices.iter_mut().zip(comb.indices(&job.start)).for_each(|(slot, v)| *slot = v);
            CombRun { indices, x: [Septic::ZERO; WINDOWS], slope: [Septic::ZERO; WINDOWS], end: START }
        })
        .collect();
    let mut scratch = Vec::new();
    for (w, entries) in comb.windows().iter().enumerate() {
        let mut inverses: Vec<Septic> = runs.iter().map(|r| entries[r.indices[w]].x - r.end.x).collect();
        Septic::batch_invert(&mut inverses, &mut scratch);
        for (run, inv) in runs.iter_mut().zip(inverses) {
            let entry = &entries[run.indices[w]];
            run.x[w] = run.end.x;
            run.slope[w] = (entry.y - run.end.y) * inv;
            run.end = run.end.chord(&entry.x, &run.slope[w]);
        }
    }
    runs
}

/// One ladder step.
#[derive(Clone, Copy)]
struct Step {
    bit: bool,
    point: Point,
    slope_sum: Septic,
    slope_acc: Septic,
}

/// The steps of a ladder with the idle ones at the end.
struct LadderRun {
    steps: Vec<Step>,
    nonce: Point,
}

fn run_ladders(jobs: &[Job], combs: &[CombRun]) -> Vec<LadderRun> {
    let mut points: Vec<Point> = combs.iter().map(|c| c.end).collect();
    let start = |p: &Point| LadderRun { steps: Vec::with_capacity(ROWS * STEPS), nonce: *p };
    let mut runs: Vec<LadderRun> = points.iter().map(start).collect();
    let mut x_sums = vec![Septic::ZERO; jobs.len()];
    let (mut inverses, mut scratch) = (Vec::with_capacity(jobs.len()), Vec::new());
    for i in 0..ROWS * STEPS {
        if i == BITS {
            runs.iter_mut().zip(&points).for_each(|(run, p)| run.nonce = *p);
        }
        inverses.clear();
        inverses.extend(points.iter().zip(jobs).map(|(p, job)| p.x - job.key.x));
        Septic::batch_invert(&mut inverses, &mut scratch);
        for (k, job) in jobs.iter().enumerate() {
            // The bits of the idle steps are 0.
            let bit = BITS.checked_sub(i + 1).is_some_and(|bit| job.e.bit(bit));
            let (step, x_sum) = half_step(&points[k], &job.key, &inverses[k], bit);
            runs[k].steps.push(step);
            x_sums[k] = x_sum;
            inverses[k] = points[k].x - x_sum;
        }
        Septic::batch_invert(&mut inverses, &mut scratch);
        for (k, run) in runs.iter_mut().enumerate() {
            let step = &mut run.steps[i];
            step.slope_acc = points[k].y.double() * inverses[k] - step.slope_sum;
            points[k] = points[k].chord(&x_sums[k], &step.slope_acc);
        }
    }
    runs
}

/// The addition A + d P of a step with the abscissa of the sum, given 1/(x_A - x_P).
fn half_step(a: &Point, key: &Point, inv: &Septic, bit: bool) -> (Step, Septic) {
    let y = if bit { key.y } else { -key.y };
    let slope_sum = (a.y - y) * *inv;
    let x_sum = slope_sum.square() - a.x - key.x;
    (Step { bit, point: *a, slope_sum, slope_acc: Septic::ZERO }, x_sum)
}

fn sig_row(sig: &SignedMessage, r_id: &KeyId) -> SigCols<F> {
    let key_id = sig.key.key_id();
    let h1 = step(&key_id, &sig.message);
    let h2 = step(r_id, &h1);
    SigCols {
        is_real: F::ONE,
        mult: F::from_u32(sig.uses),
        key_id,
        msg: sig.message,
        r_id: *r_id,
        h1,
        h2,
        hi: core::array::from_fn(|k| F::from_u32(h2[k].as_canonical_u32() >> LIMB_BITS)),
    }
}

/// Block i holds the ladder of job i and the comb of the job of the next block; blocks beyond the signatures are
/// copies of the last job.
fn schnorr_trace(jobs: &[Job], combs: &[CombRun], ladders: &[LadderRun], log_sigs: usize) -> Trace {
    let (blocks, padding) = (1 << log_sigs, jobs.len() - 1);
    let width = LadderCols::<F>::WIDTH;
    let mut values = F::zero_vec(blocks * ROWS * width);
    values.par_chunks_exact_mut(ROWS * width).enumerate().for_each(|(block, out)| {
        let own = block.min(padding);
        let comb = &combs[((block + 1) % blocks).min(padding)];
        let mut limbs = [0; LIMBS];
        for (r, out) in out.chunks_exact_mut(width).enumerate() {
            let mut row = ladder_row(&jobs[own], &ladders[own], r);
            row.limbs = limbs.map(F::from_u32);
            row.uses = F::from_bool(r == ROWS - 1 && own < padding);
            fill_comb(&mut row, comb, r);
            row.to_row(out);
            let byte = row.bits.iter().fold(0, |acc, b| 2 * acc + b.as_canonical_u32());
            limbs.iter_mut().enumerate().for_each(|(k, limb)| *limb += weight(r, k) * byte);
        }
    });
    RowMajorMatrix::new(values, width)
}

fn ladder_row(job: &Job, run: &LadderRun, r: usize) -> LadderCols<F> {
    let steps = &run.steps[STEPS * r..STEPS * (r + 1)];
    let mut row = LadderCols::fill(F::ZERO);
    for (j, step) in steps.iter().enumerate() {
        row.bits[j] = F::from_bool(step.bit);
        row.x[j] = step.point.x.0;
        row.slope_sum[j] = step.slope_sum.0;
        row.slope_acc[j] = step.slope_acc.0;
    }
    let differences = core::array::from_fn(|j| steps[j].point.x - job.key.x);
    (row.weights, row.inverse) = separate(&differences);
    row.y_first = steps[0].point.y.0;
    row.y_last = steps[STEPS - 1].point.y.0;
    row.key_x = job.key.x.0;
    row.key_y = job.key.y.0;
    row
}

/// Weights under which the sum of no difference vanishes, and the inverses of the sums.
///
/// The powers of t are such weights for all but 6 values of t a difference, so one of the candidates is. A
/// difference that is zero, which no honest row has, is passed over and gets a wrong inverse.
pub(super) fn separate(differences: &[Septic; STEPS]) -> ([F; 7], [F; STEPS]) {
    let sum = |d: &Septic, weights: &[F; 7]| F::dot_product(&d.0, weights);
    let powers = |t: usize| {
        let mut weights = [F::ONE; 7];
        (1..7).for_each(|k| weights[k] = weights[k - 1] * F::from_usize(t));
        weights
    };
    let weights = (0..=6 * STEPS)
        .map(powers)
        .find(|w| differences.iter().all(|d| d.is_zero() || !sum(d, w).is_zero()))
        .unwrap_or([F::ONE; 7]);
    let sums = differences.map(|d| if d.is_zero() { F::ONE } else { sum(&d, &weights) });
    let mut inverses = [F::ZERO; STEPS];
    inverses.copy_from_slice(&batch_multiplicative_inverse(&sums));
    (weights, inverses)
}

fn fill_comb(row: &mut LadderCols<F>, run: &CombRun, r: usize) {
    let windows = fixed_base().windows();
    row.window = F::from_usize(ENTRIES * r);
    for k in 0..ENTRIES {
        let w = ENTRIES * r + k;
        let entry = &windows[w][run.indices[w]];
        row.comb_x[k] = run.x[w].0;
        row.comb_slope[k] = run.slope[w].0;
        row.entry_x[k] = entry.x.0;
        row.entry_y[k] = entry.y.0;
    }
}

/// Multiplicities of the entries: each block takes one of each window.
fn comb_trace(combs: &[CombRun], blocks: usize) -> Trace {
    let mut counts = vec![0u32; 1 << COMB_LOG_HEIGHT];
    let padding = combs.len() - 1;
    for (i, run) in combs.iter().enumerate() {
        let times = if i == padding { blocks - padding } else { 1 };
        for (w, v) in run.indices.iter().enumerate() {
            counts[(w << WINDOW_BITS) + v] += times as u32;
        }
    }
    RowMajorMatrix::new(counts.into_iter().map(F::from_u32).collect(), 1)
}
