//! A run of the grid guest in two segments of 2^15 and 2^14 cycles, proven by risc0 (`guests/fixtures/grid-*.seal`,
//! by the example `seal` of crates/ext/prover), and lies about it.

mod damage;
mod parts;
mod runs;

use p3_field::PrimeCharacteristicRing;

use crate::Words;
use crate::circuit::{Circuit, GLOBALS, MIX, Numbers};
use crate::field::{F, embed};
use crate::shape;

/// Root of the image of `guests/elf/grid.elf`.
const IMAGE: Words =
    [803556325, 288555686, 1917267785, 1799403658, 1085719712, 1945168027, 1161411908, 1750657765];
/// Output of the run on `guests/fixtures/grid.txt`.
const OUTPUT: Words =
    [958877793, 823774348, 1543053870, 1196860275, 833638888, 988790755, 1418806110, 1703364550];

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

fn seals() -> [Vec<u32>; 2] {
    [
        words(include_bytes!("../../../../../guests/fixtures/grid-0.seal")),
        words(include_bytes!("../../../../../guests/fixtures/grid-1.seal")),
    ]
}

/// `reference/tests/circuit.rs` has the same constant for risc0's `poly_ext`.
#[test]
fn constraints_have_the_known_value() {
    let circuit = Circuit::rv32im().unwrap();
    let felt = |k: usize| F::from_usize(k + 1).exp_u64(5);
    let ext = |k: usize| embed(core::array::from_fn(|j| felt(4 * k + j)));
    let taps: Vec<_> = (0..circuit.taps).map(ext).collect();
    let base = |from: usize, count: usize| (from..from + count).map(|k| felt(k).into()).collect::<Vec<_>>();
    let mut numbers = Numbers::new(circuit, ext(5000));
    let value = circuit.walk(&mut numbers, &taps, &base(0, GLOBALS), &base(1000, MIX));
    assert_eq!(value, embed(POLY_EXT.map(F::new)));
}

const POLY_EXT: [u32; 4] = [1729606305, 1672472010, 623262896, 320023251];

#[test]
fn damaged_data_are_refused() {
    let data = include_bytes!("../rv32im.bin");
    assert!(Circuit::decode(data).is_some());
    for cut in [0, 1, 100, data.len() / 2, data.len() - 1] {
        assert!(Circuit::decode(&data[..cut]).is_none());
    }
    let mut longer = data.to_vec();
    longer.push(0);
    assert!(Circuit::decode(&longer).is_none());
}
