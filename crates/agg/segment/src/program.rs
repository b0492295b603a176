//! The program: transcript, constraints, queries, public values.

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::gadgets::{hash, wide};
use tsz_plonk::{Bit, Builder, Ext, Felt};
use tsz_poseidon24::from_montgomery;
use tsz_segment::circuit::{Circuit, GROUPS, MIX};
use tsz_segment::place;
use tsz_segment::shape::{QUERIES, Shape};
use tsz_segment::transcript::NAMES;
use tsz_stark::F;

use crate::constraints::{Constraints, embed_quad, points};
use crate::query::{Batch, Mixing};
use crate::wires::Wires;

/// Halves of the words of a digest.
pub(crate) const HALVES: usize = 16;

/// Challenges as wires.
struct Challenges {
    /// Of the accumulators.
    mix: Vec<Ext>,
    constraints: Ext,
    point: Ext,
    columns: Ext,
    folds: Vec<Ext>,
    /// Bits of the positions, least first.
    positions: Vec<Vec<Bit>>,
}

/// The program that verifies a seal of this size and exposes what it claims ([`crate::claim`]).
pub fn build(circuit: &Circuit, shape: &Shape) -> Builder {
    let mut builder = Builder::new();
    let globals = segment(&mut builder, circuit, shape);
    for at in crate::exposed() {
        builder.expose(globals[at]);
    }
    builder
}

/// Image and output of a run, as halves of words.
pub(crate) struct RunWires {
    pub(crate) image: [Felt; HALVES],
    pub(crate) output: [Felt; HALVES],
}

/// The program that verifies the seals of a whole run, segments of these sizes in order, and exposes the image that
/// it starts from and its output ([`crate::RunLift`]).
pub fn build_run(circuit: &Circuit, shapes: &[Shape]) -> Builder {
    let mut builder = Builder::new();
    if let Some(run) = run(&mut builder, circuit, shapes) {
        run.image.into_iter().chain(run.output).for_each(|half| builder.expose(half));
    }
    builder
}

/// Verifies the seals of a whole run from the witness, segments of these sizes in order; none without a segment.
pub(crate) fn run(b: &mut Builder, circuit: &Circuit, shapes: &[Shape]) -> Option<RunWires> {
    let segments: Vec<Vec<Felt>> = shapes.iter().map(|shape| segment(b, circuit, shape)).collect();
    for pair in segments.windows(2) {
        for (end, start) in place::STATE_OUT.zip(place::STATE_IN) {
            b.assert_eq(pair[0][end], pair[1][start]);
        }
        b.assert_zero(pair[0][place::IS_TERMINATE]);
    }
    let (first, last) = (segments.first()?, segments.last()?);
    let one = b.one();
    b.assert_eq(last[place::IS_TERMINATE], one);
    for at in place::EXIT {
        b.assert_zero(last[at]);
    }
    Some(RunWires {
        image: core::array::from_fn(|k| first[place::STATE_IN.start + k]),
        output: core::array::from_fn(|k| last[place::OUTPUT.start + k]),
    })
}

/// Verifies a seal from the witness: its public felts.
pub(crate) fn segment(b: &mut Builder, circuit: &Circuit, shape: &Shape) -> Vec<Felt> {
    let wires = Wires::new(b, circuit, shape);
    let challenges = draw(b, shape, &wires);
    let globals: Vec<Ext> = wires.globals.iter().map(|x| (*x).into()).collect();
    let coefficients: Vec<Ext> = wires.coefficients.iter().map(|quad| embed_quad(b, *quad)).collect();
    let points = points(b, circuit, shape, challenges.point);
    Constraints {
        circuit,
        shape,
        globals: &globals,
        mix: &challenges.mix,
        mixer: challenges.constraints,
        z: challenges.point,
        points: &points,
        coefficients: &coefficients,
    }
    .assert(b);
    let mixing = Mixing {
        mixer: challenges.columns,
        z: challenges.point,
        points: &points,
        coefficients: &coefficients,
        folds: &challenges.folds,
    };
    let batch = Batch::new(b, circuit, shape, &wires, mixing);
    for (query, position) in wires.queries.iter().zip(&challenges.positions) {
        batch.assert(b, query, position);
    }
    wires.globals
}

/// The transcript, in the order of `tsz_segment::verifier::Challenges::draw`.
fn draw(b: &mut Builder, shape: &Shape, wires: &Wires) -> Challenges {
    let mut transcript = wide::Transcript::new(b);
    for name in NAMES {
        let name = hash::constant(b, &tsz_poseidon24::hash(name.map(F::from_u8)));
        transcript.commit(b, name);
    }
    let public = public(b, shape, wires);
    transcript.commit(b, public);
    let [accum, code, data] = core::array::from_fn::<_, GROUPS, _>(|group| wires.roots[group]);
    transcript.commit(b, code);
    transcript.commit(b, data);
    let mix = (0..MIX / 4).flat_map(|_| {
        let quad = transcript.quad(b);
        b.unpack(quad).map(Ext::from)
    });
    let mix = mix.collect();
    transcript.commit(b, accum);
    let constraints = challenge(b, &mut transcript);
    transcript.commit(b, wires.roots[GROUPS]);
    let point = challenge(b, &mut transcript);
    let coefficients = wide::hash(b, &wires.coefficients);
    transcript.commit(b, coefficients);
    let columns = challenge(b, &mut transcript);
    let mut folds = Vec::new();
    for root in &wires.folds {
        transcript.commit(b, *root);
        folds.push(challenge(b, &mut transcript));
    }
    let last = wide::hash(b, &wires.last);
    transcript.commit(b, last);
    let positions = (0..QUERIES).map(|_| position(b, &mut transcript, shape.log_domain())).collect();
    Challenges { mix, constraints, point, columns, folds, positions }
}

/// Hash of the public felts and the size, which is a constant of the program.
fn public(b: &mut Builder, shape: &Shape, wires: &Wires) -> hash::Digest {
    let size = b.constant(from_montgomery(shape.po2 as u32));
    let zero = b.zero();
    let felts: Vec<Felt> = wires.globals.iter().copied().chain([size]).collect();
    let quads: Vec<Ext> = felts
        .chunks(4)
        .map(|felts| b.pack(core::array::from_fn(|k| felts.get(k).copied().unwrap_or(zero))))
        .collect();
    wide::hash(b, &quads)
}

fn challenge(b: &mut Builder, transcript: &mut wide::Transcript) -> Ext {
    let quad = transcript.quad(b);
    embed_quad(b, quad)
}

/// A position takes the first of four felts that is not zero. That the first one is not is asserted: a seal where it
/// is zero (probability 2^-25) has no lift and is proven anew.
fn position(b: &mut Builder, transcript: &mut wide::Transcript, bits: usize) -> Vec<Bit> {
    let quad = transcript.quad(b);
    let [first, ..] = b.unpack(quad);
    b.inverse(first);
    b.bits(first)[..bits].to_vec()
}
