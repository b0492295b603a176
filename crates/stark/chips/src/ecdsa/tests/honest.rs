//! What must be accepted, bounds, constants, cost.

use num_bigint::BigInt;
use sha2::{Digest as _, Sha256};
use tsz_air::{assert_degrees, report};
use tsz_stark::{prove, setup, verify};

use super::super::comb::Addition;
use super::super::ladder::Step;
use super::super::verify::{PRODUCTS, products};
use super::*;
use crate::bigint::mulmod::{LINEAR_BOUND, PRODUCT_BOUND};
use crate::bigint::{Interval, Ring};

#[test]
fn constants_are_what_they_are_called() {
    for curve in [&*P256, &*SECP256K1] {
        for point in [&curve.generator, &curve.offset, &curve.comb_start, &curve.ladder_end] {
            assert!(curve.holds(point));
        }
        assert_eq!(curve.multiple(&curve.order.value, &curve.generator), None);
        let name = if curve.name == "p256" { "P-256" } else { "secp256k1" };
        let hash = |counter: u8| {
            let digest = Sha256::new().chain_update(format!("TS-zkVM/{name}/H")).chain_update([counter]);
            BigUint::from_bytes_be(&digest.finalize())
        };
        let exponent = (&curve.field.value + 1u8) >> 2;
        let lift = |x: BigUint| {
            let p = &curve.field.value;
            let x3 = BigInt::from(x.clone()).pow(3)
                + BigInt::from(x.clone()) * curve.a
                + BigInt::from(curve.b.clone());
            let y = curve.reduce(x3).modpow(&exponent, p);
            let y = if y.bit(0) { p - y } else { y };
            Some(Affine { x, y }).filter(|point| curve.holds(point))
        };
        assert_eq!((1..).find_map(|c| lift(hash(c))).unwrap(), curve.offset);
        let last = &curve.comb[256 * 3 + 7];
        let multiple = BigUint::from(8u8) << 24;
        assert_eq!(curve.multiple(&multiple, &curve.generator).unwrap(), *last);
    }
}

/// Chords and tangents by fractions of integers.
#[test]
fn points_are_those_of_the_affine_formulas() {
    for curve in [&*P256, &*SECP256K1] {
        let int = |x: &BigUint| BigInt::from(x.clone());
        let chord = |a: &Affine, b: &Affine, slope: BigUint| {
            let x = curve.reduce(int(&slope) * int(&slope) - int(&a.x) - int(&b.x));
            let y = curve.reduce(int(&slope) * (int(&a.x) - int(&x)) - int(&a.y));
            Affine { x, y }
        };
        let sum = |a: &Affine, b: &Affine| {
            chord(a, b, curve.divide(&(int(&b.y) - int(&a.y)), &(int(&b.x) - int(&a.x))))
        };
        let double =
            |a: &Affine| chord(a, a, curve.divide(&(3 * int(&a.x) * int(&a.x) + curve.a), &(2 * int(&a.y))));
        let (g, h) = (&curve.generator, &curve.offset);
        let (mut start, mut base, mut end) = (h.clone(), g.clone(), h.clone());
        for window in 0..WINDOWS {
            assert_eq!(curve.comb[256 * window], base);
            let negative = Affine { x: base.x.clone(), y: curve.reduce(-int(&base.y)) };
            start = sum(&start, &negative);
            // Entry k is entry k - 1 and the first one: on the chord, by what a quotient would have to be.
            for k in 2..256 {
                let [a, b, c] = [&curve.comb[256 * window + k - 1], &base, &curve.comb[256 * window + k]];
                let [dx, dy] = [int(&b.x) - int(&a.x), int(&b.y) - int(&a.y)];
                let on_line = (int(&a.y) + int(&c.y)) * &dx - &dy * (int(&a.x) - int(&c.x));
                let is_third = (int(&a.x) + int(&b.x) + int(&c.x)) * &dx * &dx - &dy * &dy;
                assert!(curve.reduce(dx) != 0u8.into(), "{window} {k}");
                assert_eq!([on_line, is_third].map(|x| curve.reduce(x)), [0u8, 0].map(BigUint::from));
            }
            assert_eq!(curve.comb[256 * window + 1], double(&base));
            (0..8).for_each(|_| base = double(&base));
            assert_eq!(curve.comb[256 * window + 255], base);
        }
        (0..STEPS).for_each(|_| end = double(&end));
        assert_eq!((&curve.comb_start, &curve.ladder_end), (&start, &end));
        let [two, three] = [2u8, 3].map(|k| curve.multiple(&k.into(), g).unwrap());
        assert_eq!((curve.double(g), curve.sum(g, &two)), (double(g), sum(g, &double(g))));
        assert_eq!((two, three.clone()), (double(g), sum(g, &double(g))));
        // Where a sum meets the same point or its negative.
        let point = |a: &Affine| super::super::points::Point::of(&curve.residues, a);
        let combine = |k: u8, l: BigUint| curve.combination(&[(k.into(), point(g)), (l, point(g))]);
        assert_eq!(combine(1, 2u8.into()).unwrap().affine(), three);
        assert_eq!(combine(1, 1u8.into()).unwrap().affine(), double(g));
        assert!(combine(5, &curve.order.value - 5u8).is_none());
    }
}

/// What is collected without the constraints is what the AIRs put on buses.
#[test]
fn lookups_are_those_of_the_airs() {
    use crate::collect::{Asked, collect};
    let tables = traces(&P256, &[signed(1), signed(2)]);
    let same = |name: &str, by: Asked, all: Asked| {
        assert!(by.bytes == all.bytes && by.range15 == all.range15 && by.others == all.others, "{name}");
    };
    let (ladder, comb) = (HEIGHTS.ladders()[0], HEIGHTS.combs()[0]);
    let ladder = LadderTable::new(&P256, ladder);
    same("ladder", ladder.asked(&tables[LADDER]), collect(&ladder, &tables[LADDER], &[]));
    let comb = CombTable::new(&P256, comb);
    same("comb", comb.asked(&tables[COMB]), collect(&comb, &tables[COMB], &[]));
    same("mulmod", mulmod::asked(&moduli(), &tables[5]), collect(&moduli(), &tables[5], &[]));
}

/// Every identity of ladder and comb, on every kind of row and next row, for both primes.
#[test]
fn identities_are_integers() {
    let flags = |f: [i64; 3]| f.map(Interval::int);
    let kinds = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [0, 0, 0]];
    for curve in [&*P256, &*SECP256K1] {
        let modulus = curve.field.limbs.map(Interval::int);
        for (kind, next) in kinds.iter().flat_map(|a| kinds.iter().map(move |b| (*a, *b))) {
            let mut row = LadderCols::fill(Interval::BYTE);
            row.bits = [Interval::BOOL; 2];
            let [step, next_step] = [kind, next].map(|k| Step::<Interval>::new(&row, flags(k)));
            for f in step.identities(&next_step) {
                f.assert_bounded("ladder", &modulus);
            }
            let row = CombCols::fill(Interval::BYTE);
            let [add, next_add] = [kind, next].map(|k| Addition::<Interval>::new(&row, flags(k)));
            for f in add.identities(&next_add, &curve.balanced(&curve.comb_start.y)) {
                f.assert_bounded("comb", &modulus);
            }
        }
    }
}

#[test]
fn operands_keep_their_bounds() {
    for curve in [&*P256, &*SECP256K1] {
        let row = VerifyCols::fill(Interval::BYTE);
        let all = products::<Interval, _>(curve, &row);
        assert_eq!(all.len(), PRODUCTS[0] + PRODUCTS[1]);
        for (k, [x, y, z]) in all.iter().enumerate() {
            let size = |n: &crate::bigint::Number<Interval>| n.0.iter().map(Interval::size).max().unwrap();
            assert!(size(x) * size(y) <= PRODUCT_BOUND, "product {k}: {} {}", size(x), size(y));
            assert!(size(z) <= LINEAR_BOUND, "product {k}");
        }
    }
}

#[test]
fn accepts_signatures_and_padding() {
    verdict(&P256, &traces(&P256, &[])).unwrap();
    let mut signatures = [signed(1), signed(2), signed(3)];
    signatures[1].uses = 2;
    signatures[2].s = &P256.order.value - &signatures[2].s;
    verdict(&P256, &traces(&P256, &signatures)).unwrap();
    let more: Vec<SignedDigest> = (0..4).map(signed).collect();
    assert_eq!(generate(&P256, &more, &HEIGHTS).unwrap_err(), Failed::TooMany { needed: 4, blocks: 3 });
}

#[test]
fn accepts_secp256k1() {
    verdict(&SECP256K1, &traces(&SECP256K1, &[])).unwrap();
}

#[test]
fn proves_a_signature_and_costs_what_the_docs_say() {
    let pk = setup(circuit(&P256, Profile::InsecureTest)).unwrap();
    assert_degrees(pk.vk().tables());
    println!("{}", report(pk.vk().tables()));
    let tables = pk.vk().tables();
    let width = |i: usize| tables[i].width + tables[i].aux_width;
    let cells = width(VERIFY) + LADDER_ROWS * width(LADDER) + COMB_ROWS * width(COMB) + 22 * width(5);
    println!("{cells} cells a signature");
    assert!(cells < 200_000);
    let traces = traces(&P256, &[signed(1)]);
    let bytes = prove(&pk, &traces, &publics()).unwrap().to_bytes().unwrap();
    verify(pk.vk(), &bytes, &publics()).unwrap();
}

/// Blocks in two tables of ladders and two of combs, numbered through.
#[test]
fn accepts_blocks_in_several_tables() {
    let heights = Heights { verify: 6, ladders: &[9, 8], combs: &[7, 6] };
    assert_eq!(heights.capacity(), 4);
    let parts = |parts: Vec<Part>| parts.iter().map(|p| (p.first, p.blocks)).collect::<Vec<_>>();
    assert_eq!(parts(heights.ladders()), [(0, 3), (3, 1)]);
    assert_eq!(parts(heights.combs()), [(0, 3), (3, 1)]);
    // No more blocks than rows of the equation.
    let few = Heights { ladders: &[13, 9], combs: &[11, 7], ..heights };
    assert_eq!(parts(few.ladders()), [(0, 62), (62, 2)]);

    let mut airs: Vec<TestAir> = vec![User(&P256).into(), VerifyTable::new(&P256, &heights).into()];
    airs.extend(heights.ladders().into_iter().map(|part| LadderTable::new(&P256, part).into()));
    airs.extend(heights.combs().into_iter().map(|part| CombTable::new(&P256, part).into()));
    let rest: [TestAir; 4] =
        [EntryTable::new(&P256).into(), moduli().into(), BytesTable.into(), Range15Table.into()];
    airs.extend(rest);
    let signatures: Vec<_> = (1..=4).map(signed).collect();
    let tables = assemble(&P256, &signatures, &heights).unwrap();
    let users: Vec<_> =
        signatures.iter().map(|s| UserCols { is_real: F::ONE, message: message(s) }).collect();
    let mut asked = tables.asked;
    let products = moduli();
    let product_trace =
        mulmod::trace(&products, &asked.messages(mulmod::MULMOD.name()), MULMOD_LOG_HEIGHT).unwrap();
    asked.merge(mulmod::asked(&products, &product_trace));
    let mut traces = vec![from_rows(&users, 6), tables.verify];
    traces.extend(tables.ladders.into_iter().chain(tables.combs));
    traces.extend([tables.entries, product_trace]);
    traces.extend([bytes::trace(&asked.bytes), bytes::trace(&asked.range15)]);
    let verdict = |traces: &[Trace]| check(&airs, traces, &vec![vec![]; airs.len()]);
    assert_eq!(verdict(&traces), Ok(()));
    // The fourth signature's ladder of a table that counts from one is that of another number.
    let first = Part { first: 0, ..heights.ladders()[1] };
    let jobs = assemble(&P256, &signatures[..1], &Heights { ladders: &[8], combs: &[6], verify: 6 }).unwrap();
    traces[3] = jobs.ladders[0].clone();
    assert!(verdict(&traces).is_err());
    airs[3] = LadderTable::new(&P256, first).into();
    assert!(check(&airs, &traces, &vec![vec![]; airs.len()]).is_err());
}
