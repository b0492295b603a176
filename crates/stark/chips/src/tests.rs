//! A hash chain over the shared tables, from witness to proof, and the lies it must refuse.

use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, Requests, TableAir,
    Tamper, Trace, Violation, WindowAccess, air_enum, assert_degrees, bus, check, columns, from_rows, report,
};
use tsz_hash::{Digest, hi, permute};
use tsz_stark::security::security;
use tsz_stark::{Circuit, Profile, ProvingKey, VerifyError, prove, setup, verify};

use crate::poseidon2::{self, Poseidon2Table, TableFull};
use crate::range::{self, RangeTable};

columns! {
    /// One step of a sponge whose blocks are 12-bit values.
    struct ChainCols {
        /// Boolean: the row is real; real rows come first.
        is_real,
        /// The block, each felt below 2^12.
        block: [8],
        /// Capacity before.
        cap: [8],
        /// Capacity after.
        out: [8],
    }
}

#[derive(Clone)]
struct Chain;

impl TableAir for Chain {
    fn name(&self) -> String {
        "chain".into()
    }
    fn column_names(&self) -> Vec<String> {
        <ChainCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for Chain {
    fn width(&self) -> usize {
        ChainCols::<F>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        16
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Chain {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = ChainCols::from_row(main.current_slice());
        let next = ChainCols::from_row(main.next_slice());
        let public: [AB::PublicVar; 16] = core::array::from_fn(|k| builder.public_values()[k]);
        builder.assert_bool(row.is_real);
        builder.when_transition().assert_zero(next.is_real * (AB::Expr::ONE - row.is_real));
        for k in 0..8 {
            builder.when_first_row().assert_eq(row.cap[k], public[k]);
            builder.when_transition().when(next.is_real).assert_eq(next.cap[k], row.out[k]);
            // Padding keeps the last capacity, so that the last row has it whatever the number of blocks.
            builder
                .when_transition()
                .assert_zero((AB::Expr::ONE - next.is_real) * (next.out[k] - row.out[k]));
            builder.when_last_row().assert_eq(row.out[k], public[8 + k]);
            bus::range12::lookup(builder, [row.block[k]], row.is_real);
        }
        bus::step(builder, row.block, row.cap, row.out, row.is_real);
    }
}

air_enum! {
    /// Tables of the example.
    enum DemoAir { Chain(Chain), Poseidon2(Poseidon2Table), Range(RangeTable) }
}

struct Demo {
    pk: ProvingKey<DemoAir>,
    log_p2: Vec<usize>,
}

impl Demo {
    fn new(profile: Profile, log_chain: usize, log_p2: &[usize]) -> Self {
        let mut tables: Vec<(DemoAir, usize)> = vec![(Chain.into(), log_chain)];
        tables.extend(log_p2.iter().map(|h| (Poseidon2Table::new().into(), *h)));
        tables.push((RangeTable.into(), range::LOG_HEIGHT));
        Self { pk: setup(Circuit::new(profile, tables)).unwrap(), log_p2: log_p2.to_vec() }
    }

    fn witness(&self, steps: usize, seed: u64) -> (Vec<Trace>, Vec<Vec<F>>) {
        let mut rng = StdRng::seed_from_u64(seed);
        let start: Digest = core::array::from_fn(|_| F::from_u32(rng.random_range(0..1 << 30)));
        let mut requests = Requests::new();
        let mut cap = start;
        let mut rows = Vec::new();
        for _ in 0..steps {
            let block = core::array::from_fn(|_| {
                let v = rng.random_range(0..1 << 12);
                requests.range(v);
                F::from_u32(v)
            });
            let out = requests.step(&block, &cap);
            rows.push(ChainCols { is_real: F::ONE, block, cap, out });
            cap = out;
        }
        let log_chain = self.pk.vk().log_heights()[0];
        rows.resize(1 << log_chain, ChainCols { out: cap, ..ChainCols::fill(F::ZERO) });
        let mut traces = vec![from_rows(&rows, log_chain)];
        traces.extend(poseidon2::traces(&requests.p2, &self.log_p2).unwrap());
        traces.push(range::trace(&requests.range));
        let mut publics = vec![vec![]; traces.len()];
        publics[0] = [start, cap].concat();
        (traces, publics)
    }
}

const STEPS: usize = 100;
const WIDTH: usize = ChainCols::<F>::WIDTH;

fn small() -> (Demo, Vec<Trace>, Vec<Vec<F>>) {
    // Two Poseidon2 tables: the second gets the 36 requests that do not fit in the first.
    let demo = Demo::new(Profile::InsecureTest, 7, &[6, 7]);
    let (traces, publics) = demo.witness(STEPS, 1);
    (demo, traces, publics)
}

fn refused(demo: &Demo, traces: &[Trace], publics: &[Vec<F>]) -> Violation {
    let proof = prove(&demo.pk, traces, publics).unwrap().to_bytes().unwrap();
    assert!(matches!(verify(demo.pk.vk(), &proof, publics), Err(VerifyError::Invalid(_))));
    check(demo.pk.vk().airs(), traces, publics).unwrap_err()
}

#[test]
fn honest_chain_is_accepted_with_requests_split_over_two_tables() {
    let (demo, traces, publics) = small();
    check(demo.pk.vk().airs(), &traces, &publics).unwrap();
    let proof = prove(&demo.pk, &traces, &publics).unwrap().to_bytes().unwrap();
    verify(demo.pk.vk(), &proof, &publics).unwrap();
    assert_degrees(demo.pk.vk().tables());
    println!("{}", report(demo.pk.vk().tables()));
}

#[test]
fn table_computes_the_hash_of_the_system() {
    let mut rng = StdRng::seed_from_u64(3);
    let inputs: Vec<[F; 16]> =
        (0..10).map(|_| core::array::from_fn(|_| F::from_u32(rng.random_range(0..1 << 30)))).collect();
    let trace = &poseidon2::traces(&inputs, &[6]).unwrap()[0];
    for (i, input) in inputs.iter().enumerate() {
        let mut state = *input;
        permute(&mut state);
        let row = &trace.values[i * poseidon2::WIDTH..][..poseidon2::WIDTH];
        assert_eq!(row[..16], input[..]);
        assert_eq!(row[290..298], hi(&state));
        assert_eq!(row[poseidon2::MULT], F::ONE);
    }
}

#[test]
fn equal_requests_share_a_row() {
    let (a, b) = ([F::ONE; 16], [F::TWO; 16]);
    assert_eq!(poseidon2::dedupe(&[a, b, a, a]), vec![(a, 3), (b, 1)]);
    let many: Vec<[F; 16]> = (0..65).map(|i| [F::from_u32(i); 16]).collect();
    assert_eq!(poseidon2::traces(&many, &[6]).unwrap_err(), TableFull { needed: 65, rows: 64 });
}

#[test]
fn rejects_a_wrong_hash() {
    let (demo, mut traces, mut publics) = small();
    // The last step claims another output: every constraint of the chain holds.
    for row in STEPS - 1..1 << 7 {
        traces[0].values[row * WIDTH + 17] += F::ONE;
    }
    publics[0][8] += F::ONE;
    let violation = refused(&demo, &traces, &publics);
    assert!(matches!(&violation, Violation::Bus { bus, .. } if bus == "p2"), "{violation}");
}

#[test]
fn rejects_a_permutation_row_with_another_output() {
    let (demo, mut traces, mut publics) = small();
    for row in STEPS - 1..1 << 7 {
        traces[0].values[row * WIDTH + 17] += F::ONE;
    }
    publics[0][8] += F::ONE;
    // The Poseidon2 row is changed to match: the bus balances, the permutation does not hold.
    traces[2].values[(STEPS - 1 - 64) * poseidon2::WIDTH + 290] += F::ONE;
    let violation = refused(&demo, &traces, &publics);
    assert!(matches!(&violation, Violation::Constraint { air, .. } if air == "poseidon2"), "{violation}");
}

#[test]
fn rejects_a_block_felt_of_4096() {
    let (demo, mut traces, mut publics) = small();
    let row = STEPS - 1;
    traces[0].values[row * WIDTH + 1] = F::from_u32(1 << 12);
    let cols = ChainCols::from_row(&traces[0].values[row * WIDTH..]);
    let mut state = tsz_hash::join(&cols.block, &cols.cap);
    traces[2] = {
        // An honest permutation of the bad block, so that only the range bus objects.
        let mut inputs: Vec<[F; 16]> = (0..row - 64)
            .map(|i| core::array::from_fn(|k| traces[2].values[i * poseidon2::WIDTH + k]))
            .collect();
        inputs.push(state);
        poseidon2::traces(&inputs, &[7]).unwrap().remove(0)
    };
    permute(&mut state);
    for r in row..1 << 7 {
        traces[0].values[r * WIDTH + 17..r * WIDTH + 25].copy_from_slice(&hi(&state));
    }
    publics[0][8..].copy_from_slice(&hi(&state));
    let violation = refused(&demo, &traces, &publics);
    assert!(matches!(&violation, Violation::Bus { bus, .. } if bus == "range12"), "{violation}");
}

#[test]
fn rejects_a_multiplicity_off_by_one() {
    let (demo, mut traces, publics) = small();
    traces[1].values[5 * poseidon2::WIDTH + poseidon2::MULT] += F::ONE;
    let violation = refused(&demo, &traces, &publics);
    assert!(matches!(&violation, Violation::Bus { bus, excess: -1, .. } if bus == "p2"), "{violation}");
}

#[test]
fn a_padding_row_with_a_multiplicity_unbalances_the_bus() {
    let (demo, mut traces, publics) = small();
    let last = traces[2].values.len() - 1;
    traces[2].values[last] = F::ONE;
    assert!(matches!(refused(&demo, &traces, &publics), Violation::Bus { .. }));
}

#[test]
fn every_column_is_constrained() {
    let (demo, traces, publics) = small();
    let tamper = Tamper {
        airs: demo.pk.vk().airs(),
        traces: &traces,
        public_values: &publics,
        real_rows: &[STEPS, 64, 36, 1 << 12],
        trials: 4,
        seed: 2,
    };
    tamper.assert_constrained(&[]);
    assert!(tamper.columns().iter().all(|r| r.noticed == r.trials));
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / 100.0
}

/// Run with `cargo test -p tsz-chips -- --ignored --nocapture timing`.
#[test]
#[ignore = "measures"]
fn timing_of_32768_permutations() {
    let start = Instant::now();
    let demo = Demo::new(Profile::Base, 15, &[15]);
    println!("setup: {:.3} s wall", start.elapsed().as_secs_f64());
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let (traces, publics) = demo.witness(1 << 15, 1);
    println!("witness: {:.2} s wall, {:.2} s CPU", start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let proof = prove(&demo.pk, &traces, &publics).unwrap();
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!("prove: {wall:.2} s wall, {cpu:.2} s CPU, {:.0} permutations/CPU s", f64::from(1 << 15) / cpu);
    let bytes = proof.to_bytes().unwrap();
    let start = Instant::now();
    for _ in 0..5 {
        verify(demo.pk.vk(), &bytes, &publics).unwrap();
    }
    println!("verify: {:.1} ms, proof {} bytes", start.elapsed().as_secs_f64() * 200.0, bytes.len());
    let start = Instant::now();
    check(demo.pk.vk().airs(), &traces, &publics).unwrap();
    println!("check: {:.2} s wall", start.elapsed().as_secs_f64());
    println!("{}\n{:?}", report(demo.pk.vk().tables()), security(demo.pk.vk()));
}
