//! Constraints.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, TableAir,
    WindowAccess, bus,
};
use tsz_auth::passkey::{CHARS_PER_FELT, CROSS_ORIGIN, KEY_FELTS, MIDDLE, MIN_TAIL, PREFIX, TAIL_AT};
use tsz_hash::Domain;
use tsz_ledger::Scheme;

use super::columns::PasskeyCols;
use super::{BLOCKS, DATA, KEY_BLOCKS, LEAST_BLOCKS, TAIL};
use crate::base64url;
use crate::bigint::mulmod::check_bytes;
use crate::ecdsa::P256;
use crate::sha256::{self, IV};

/// The AIR.
#[derive(Clone, Copy, Debug, Default)]
pub struct PasskeyTable;

impl TableAir for PasskeyTable {
    fn name(&self) -> String {
        "passkey".into()
    }
    fn column_names(&self) -> Vec<String> {
        <PasskeyCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for PasskeyTable {
    fn width(&self) -> usize {
        PasskeyCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PasskeyTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = PasskeyCols::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        builder.assert_zero((AB::Expr::ONE - row.is_real) * row.uses);
        let message = eval_challenge(builder, &row);
        eval_tail(builder, &row);
        eval_padding(builder, &row);
        eval_flags(builder, &row);
        eval_bytes(builder, &row);
        eval_client_hash(builder, &row);
        eval_signed(builder, &row);
        let key_id = eval_key_id(builder, &row);
        bus::login::provide(builder, [AB::Expr::from_u32(Scheme::P256.code())], key_id, message, row.uses);
    }
}

/// The felts of the message from the characters of the challenge; each below p.
fn eval_challenge<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    row: &PasskeyCols<AB::Var>,
) -> [AB::Expr; 8] {
    for (character, value) in row.characters.into_iter().zip(row.values) {
        base64url::lookup(builder, character, value, row.is_real.into());
    }
    let number =
        |v: &[AB::Var]| v.iter().fold(AB::Expr::ZERO, |acc, x| acc * AB::Expr::from_u32(64) + (*x).into());
    core::array::from_fn(|k| {
        let digits = &row.values[CHARS_PER_FELT * k..CHARS_PER_FELT * (k + 1)];
        let (top, rest) = (number(&digits[..2]), row.top_rest[k]);
        builder.assert_eq(top + rest, row.is_real * F::from_u32(120));
        // Where the top is less than 120 the inverse exists; else the low bits are 0.
        let is_less = rest * row.top_inv[k];
        builder.assert_zero((AB::Expr::ONE - is_less.clone()) * rest);
        let low: AB::Expr = digits[2..].iter().map(|x| (*x).into()).sum();
        builder.assert_zero((row.is_real.into() - is_less) * low);
        number(digits)
    })
}

/// The tail is a run of at least [`MIN_TAIL`] bytes from the first on that ends with [`CROSS_ORIGIN`]; a delimiter
/// follows.
fn eval_tail<AB: AirBuilder<F = F>>(builder: &mut AB, row: &PasskeyCols<AB::Var>) {
    builder.assert_bool(row.is_closed);
    builder.assert_eq(row.in_tail[MIN_TAIL - 1], row.is_real);
    builder.assert_zero(row.in_tail[TAIL - 1]);
    let (comma, brace) = (AB::Expr::from_u8(b','), AB::Expr::from_u8(b'}'));
    let delimiter = comma.clone() + row.is_closed * (brace - comma);
    for j in 1..TAIL {
        let (before, now) = (row.in_tail[j - 1], row.in_tail[j]);
        builder.assert_bool(now);
        // Falls only: with the last and the one of the shortest tail fixed, there is one end on real rows, none else.
        builder.assert_zero(now * (AB::Expr::ONE - before));
        let is_delimiter = before - now;
        builder.assert_zero(is_delimiter.clone() * (row.data[j].into() - delimiter.clone()));
        builder.assert_zero(is_delimiter.clone() * row.ended[j]);
        builder.assert_zero(is_delimiter * row.is_closed * (AB::Expr::ONE - row.ended[j + 1]));
    }
    // The sum has one term on real rows: the byte that stands k before the delimiter's place.
    for (k, expected) in CROSS_ORIGIN.iter().rev().enumerate() {
        let difference = |j: usize| row.data[j - 1 - k] - AB::Expr::from_u8(*expected);
        let ends = (MIN_TAIL..TAIL).map(|j| (row.in_tail[j - 1] - row.in_tail[j]) * difference(j));
        builder.assert_zero(ends.sum::<AB::Expr>());
    }
}

/// Whether the number of blocks is 3, 4, 5.
fn block_counts<AB: AirBuilder>(row: &PasskeyCols<AB::Var>) -> [AB::Expr; 3] {
    let [more, most] = row.more;
    [row.is_real - more, more - most, most.into()]
}

/// The padding of SHA-256 from the first byte where `ended` is 1.
fn eval_padding<AB: AirBuilder<F = F>>(builder: &mut AB, row: &PasskeyCols<AB::Var>) {
    let [more, most] = row.more;
    builder.assert_bool(more);
    builder.assert_bool(most);
    builder.assert_zero(most * (AB::Expr::ONE - more));
    let counts = block_counts::<AB>(row);
    let mut length = row.is_real * F::from_usize(TAIL_AT);
    builder.assert_zero(row.ended[0]);
    for j in 0..DATA {
        builder.assert_bool(row.ended[j]);
        length += row.is_real - row.ended[j].into() * row.is_real;
        if j == 0 {
            continue;
        }
        let (before, now) = (row.ended[j - 1], row.ended[j]);
        builder.assert_zero(before * (AB::Expr::ONE - now));
        builder.assert_zero((now - before) * (row.data[j] - AB::Expr::from_u8(0x80)));
        // After the mark: the length in the last two bytes of the last block, else 0.
        let at = TAIL_AT + j;
        let (block, place) = (at / 64, at % 64);
        let expected = match (block.checked_sub(LEAST_BLOCKS - 1), place) {
            (Some(k), 62 | 63) => counts[k].clone() * row.length[place - 62],
            _ => AB::Expr::ZERO,
        };
        builder.assert_zero(before * (row.data[j].into() - expected));
    }
    let bits = row.length[0] * F::from_u32(256) + row.length[1];
    builder.assert_eq(bits, length * F::from_u32(8));
    // The mark is before the last eight bytes of the last block, and would not be in a block less.
    for (k, count) in counts.into_iter().enumerate() {
        let last = 64 * (k + LEAST_BLOCKS) - 9 - TAIL_AT;
        builder.assert_zero(count * (AB::Expr::ONE - row.ended[last]));
        if let Some(more) = row.more.get(k) {
            builder.assert_zero(*more * row.ended[last]);
        }
    }
}

fn eval_flags<AB: AirBuilder<F = F>>(builder: &mut AB, row: &PasskeyCols<AB::Var>) {
    let [up, reserved_1, uv, be, bs, reserved_5, at, ed] = row.flags;
    for bit in row.flags {
        builder.assert_bool(bit);
    }
    builder.assert_bool(row.demands_uv);
    builder.assert_eq(up, row.is_real);
    builder.assert_zero(row.demands_uv * (AB::Expr::ONE - uv));
    builder.assert_zero(bs * (AB::Expr::ONE - be));
    for refused in [reserved_1, reserved_5, at, ed] {
        builder.assert_zero(refused);
    }
}

fn eval_bytes<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &PasskeyCols<AB::Var>) {
    let bytes = row.data.into_iter().chain(row.counter).chain(row.client_hash).chain(row.digest);
    let bytes: Vec<AB::Var> = bytes.chain(row.top_rest).chain(row.length).collect();
    check_bytes(builder, &bytes, row.is_real.into());
}

/// Bytes as halves, the first byte the upper.
fn halves<E: PrimeCharacteristicRing, const N: usize>(bytes: &[E]) -> [E; N] {
    core::array::from_fn(|k| bytes[2 * k].clone() * E::from_u32(256) + bytes[2 * k + 1].clone())
}

fn initial<E: PrimeCharacteristicRing>() -> [E; 16] {
    core::array::from_fn(|k| E::from_u32(if k % 2 == 0 { IV[k / 2] >> 16 } else { IV[k / 2] & 0xffff }))
}

fn eval_client_hash<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &PasskeyCols<AB::Var>) {
    let fixed = |text: &[u8]| -> Vec<AB::Expr> { text.iter().map(|b| AB::Expr::from_u8(*b)).collect() };
    let mut bytes = fixed(PREFIX);
    bytes.extend(row.characters.into_iter().map(Into::into));
    bytes.extend(fixed(MIDDLE));
    bytes.extend(row.data.into_iter().map(Into::into));
    let mut state: [AB::Expr; 16] = initial();
    for k in 0..BLOCKS {
        let after: [AB::Expr; 16] = row.states[k].map(Into::into);
        let flag: AB::Expr = match k.checked_sub(LEAST_BLOCKS) {
            None => row.is_real.into(),
            Some(k) => {
                let more: AB::Expr = row.more[k].into();
                for (before, after) in state.iter().zip(&after) {
                    builder
                        .assert_zero((row.is_real.into() - more.clone()) * (after.clone() - before.clone()));
                }
                more
            }
        };
        let block = halves(&bytes[64 * k..64 * (k + 1)]);
        sha256::lookup(builder, row.ids[k].into(), state, block, after.clone(), flag);
        state = after;
    }
    let hash: [AB::Expr; 16] = halves(&row.client_hash.map(Into::into));
    for (hash, state) in hash.into_iter().zip(state) {
        builder.assert_eq(hash, state);
    }
}

/// SHA-256(rpIdHash || flags || counter || client hash), signed by the key.
fn eval_signed<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &PasskeyCols<AB::Var>) {
    let flags = row.flags.iter().rev().fold(AB::Expr::ZERO, |acc, b| acc * AB::Expr::TWO + (*b).into());
    let mut bytes = vec![flags];
    bytes.extend(row.counter.into_iter().chain(row.client_hash).map(Into::into));
    // 69 bytes: the mark, zeros, 552 bits.
    bytes.push(AB::Expr::from_u8(0x80));
    bytes.resize(2 * 64 - 32 - 2, AB::Expr::ZERO);
    bytes.extend([2, 40].map(AB::Expr::from_u8));
    let rest: [AB::Expr; 48] = halves(&bytes);
    let rp = row.rp.map(Into::into);
    let block = |k: usize| {
        core::array::from_fn(|i| {
            let at = 32 * k + i;
            if at < 16 { AB::Expr::clone(&rp[at]) } else { rest[at - 16].clone() }
        })
    };
    let digest: [AB::Expr; 16] =
        halves(&core::array::from_fn::<AB::Expr, 32, _>(|k| row.digest[31 - k].into()));
    let middle = row.middle.map(Into::into);
    let flag: AB::Expr = row.is_real.into();
    let id = |k: usize| row.ids[BLOCKS + k].into();
    sha256::lookup(builder, id(0), initial(), block(0), middle.clone(), flag.clone());
    sha256::lookup(builder, id(1), middle, block(1), digest, flag.clone());
    let signed = row.key_x.into_iter().chain(row.key_y).chain(row.digest);
    P256.buses.verified.lookup_key(builder, signed.map(Into::<AB::Expr>::into), Count::bounded(flag, 1));
}

/// The nine blocks of the key id; returns the id.
fn eval_key_id<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &PasskeyCols<AB::Var>) -> [AB::Expr; 8] {
    let pack = |bytes: &[AB::Expr]| -> Vec<AB::Expr> {
        let felt = |b: &[AB::Expr]| {
            b.iter().rev().fold(AB::Expr::ZERO, |acc, x| acc * AB::Expr::from_u32(256) + x.clone())
        };
        bytes.chunks(3).map(felt).collect()
    };
    let key = |bytes: [AB::Var; 32]| pack(&bytes.map(Into::into));
    let mut felts = key(row.key_x);
    felts.extend(key(row.key_y));
    felts.push(row.demands_uv.into());
    felts.push(row.in_tail.iter().map(|m| (*m).into()).sum());
    felts.extend(row.rp.map(Into::into));
    let tail: Vec<AB::Expr> = (0..TAIL).map(|j| row.in_tail[j] * row.data[j]).collect();
    felts.extend(pack(&tail));
    let mut capacity = Domain::Passkey.iv(KEY_FELTS).map(AB::Expr::from);
    for k in 0..KEY_BLOCKS {
        let block: [AB::Expr; 8] = core::array::from_fn(|i| felts[8 * k + i].clone());
        let after = row.capacities[k].map(Into::into);
        bus::step(builder, block, capacity, after.clone(), row.is_real);
        capacity = after;
    }
    capacity
}
