//! The extracted data are the crate's: same taps, same value of all constraints at random points.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use risc0_circuit_rv32im::CircuitImpl;
use risc0_core::field::baby_bear::{BabyBearElem, BabyBearExtElem};
use risc0_zkp::adapter::{CircuitInfo, PROOF_SYSTEM_INFO, PolyExt, TapsProvider};
use tsz_segment::circuit::{Circuit, GLOBALS, GROUPS, MIX, Numbers};
use tsz_segment::field::{Ext, F, embed};

/// A felt of both libraries.
fn felt(rng: &mut StdRng) -> (BabyBearElem, F) {
    let x = rng.random_range(0..0x7800_0001);
    (BabyBearElem::new(x), F::from_u32(x))
}

fn ext(rng: &mut StdRng) -> (BabyBearExtElem, Ext) {
    let x: [(BabyBearElem, F); 4] = core::array::from_fn(|_| felt(rng));
    let [a, b, c, d] = x.map(|x| x.0);
    (BabyBearExtElem::new(a, b, c, d), embed(x.map(|x| x.1)))
}

#[test]
fn constraints_have_the_value_of_poly_ext_at_random_points() {
    let circuit = Circuit::rv32im().expect("data");
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..20 {
        let (mix, ours) = ext(&mut rng);
        let (taps, our_taps): (Vec<_>, Vec<_>) = (0..circuit.taps).map(|_| ext(&mut rng)).unzip();
        let (globals, our_globals): (Vec<_>, Vec<_>) = (0..GLOBALS).map(|_| felt(&mut rng)).unzip();
        let (accumulate, our_accumulate): (Vec<_>, Vec<_>) = (0..MIX).map(|_| felt(&mut rng)).unzip();
        let expected = CircuitImpl.poly_ext(&mix, &taps, &[&globals, &accumulate]).tot;
        let lift = |felts: Vec<F>| felts.into_iter().map(Ext::from).collect::<Vec<_>>();
        let got = circuit.walk(
            &mut Numbers::new(circuit, ours),
            &our_taps,
            &lift(our_globals),
            &lift(our_accumulate),
        );
        let expected = embed(core::array::from_fn(|k| F::from_u32(expected.elems()[k].as_u32())));
        assert_eq!(got, expected);
    }
}

#[test]
fn registers_are_those_of_the_tap_set() {
    let circuit = Circuit::rv32im().expect("data");
    let taps = CircuitImpl.get_taps();
    assert_eq!((taps.num_groups(), taps.tap_size()), (GROUPS, circuit.taps));
    assert_eq!(taps.reg_count(), circuit.registers.len());
    assert_eq!(
        (taps.combos_size(), taps.tot_combo_backs),
        (circuit.combos.len(), circuit.combos.iter().map(Vec::len).sum())
    );
    let mut tap = 0;
    for (theirs, ours) in taps.regs().zip(&circuit.registers) {
        assert_eq!((theirs.group(), theirs.offset(), tap), (ours.group, ours.offset, ours.tap));
        let backs: Vec<u32> = (0..theirs.size()).map(|k| theirs.back(k) as u32).collect();
        assert_eq!(backs, circuit.combos[ours.combo]);
        tap += theirs.size();
    }
    assert_eq!((CircuitImpl::OUTPUT_SIZE, CircuitImpl::MIX_SIZE), (GLOBALS, MIX));
}

#[test]
fn names_are_those_of_the_crate() {
    assert_eq!(&PROOF_SYSTEM_INFO.0, b"RISC0_STARK:v1__");
    assert_eq!(&CircuitImpl::CIRCUIT_INFO.0, b"RV32IM:v2rev2___");
    assert_eq!((risc0_zkp::QUERIES, risc0_zkp::INV_RATE, risc0_zkp::FRI_FOLD), (50, 4, 16));
}

/// `tests/mod.rs` of the crate has the same constant, so that its own tests notice other data too.
#[test]
fn poly_ext_has_the_known_value() {
    let circuit = Circuit::rv32im().expect("data");
    let felt = |k: usize| BabyBearElem::new(F::from_usize(k + 1).exp_u64(5).as_canonical_u32());
    let ext = |k: usize| BabyBearExtElem::new(felt(4 * k), felt(4 * k + 1), felt(4 * k + 2), felt(4 * k + 3));
    let taps: Vec<_> = (0..circuit.taps).map(ext).collect();
    let globals: Vec<_> = (0..GLOBALS).map(felt).collect();
    let accumulate: Vec<_> = (1000..1000 + MIX).map(felt).collect();
    let value = CircuitImpl.poly_ext(&ext(5000), &taps, &[&globals, &accumulate]).tot;
    assert_eq!(core::array::from_fn(|k| value.elems()[k].as_u32()), POLY_EXT);
}

const POLY_EXT: [u32; 4] = [1729606305, 1672472010, 623262896, 320023251];
