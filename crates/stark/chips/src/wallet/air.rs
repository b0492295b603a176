//! Constraints.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, TableAir,
    WindowAccess, bus,
};
use tsz_auth::wallet::{PREFIX, WALLET_FELTS, approval_type};
use tsz_hash::Domain;
use tsz_ledger::Scheme;

use super::columns::WalletCols;
use super::{ADDRESS, KEY_BLOCKS};
use crate::bigint::LIMBS;
use crate::bigint::mulmod::check_bytes;
use crate::ecdsa::SECP256K1;
use crate::keccak::{self, BLOCK, HASH};

/// The AIR.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalletTable;

impl TableAir for WalletTable {
    fn name(&self) -> String {
        "wallet".into()
    }
    fn column_names(&self) -> Vec<String> {
        <WalletCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for WalletTable {
    fn width(&self) -> usize {
        WalletCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for WalletTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = WalletCols::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        builder.assert_zero((AB::Expr::ONE - row.is_real) * row.uses);
        let bytes: Vec<AB::Var> = row.message.into_iter().flatten().chain(row.top_rest).collect();
        check_bytes(builder, &bytes, row.is_real.into());
        let message = eval_message(builder, &row);
        eval_hashes(builder, &row);
        let signed = row.key_x.into_iter().chain(row.key_y).chain(row.digest);
        let once = Count::bounded(row.is_real.into(), 1);
        SECP256K1.buses.verified.lookup_key(builder, signed.map(Into::<AB::Expr>::into), once);
        let key_id = eval_key_id(builder, &row);
        let scheme = [AB::Expr::from_u32(Scheme::Secp256k1.code())];
        bus::login::provide(builder, scheme, key_id, message, row.uses);
    }
}

/// The felts of the message from their bytes; each below p.
fn eval_message<AB: AirBuilder<F = F>>(builder: &mut AB, row: &WalletCols<AB::Var>) -> [AB::Expr; 8] {
    core::array::from_fn(|k| {
        let [top, low @ ..] = row.message[k];
        let rest = row.top_rest[k];
        builder.assert_eq(top + rest, row.is_real * F::from_u32(120));
        // Where the top is less than 120 the inverse exists; else the low bytes are 0.
        let is_less = rest * row.top_inv[k];
        builder.assert_zero((AB::Expr::ONE - is_less.clone()) * rest);
        let sum: AB::Expr = low.iter().map(|b| (*b).into()).sum();
        builder.assert_zero((row.is_real.into() - is_less) * sum);
        low.into_iter().fold(top.into(), |acc, b| acc * AB::Expr::from_u32(256) + b)
    })
}

/// The halves of bytes in their order.
fn halves<E: PrimeCharacteristicRing>(bytes: impl IntoIterator<Item = E>) -> Vec<E> {
    let bytes: Vec<E> = bytes.into_iter().collect();
    let half = |h: &[E]| h.iter().rev().fold(E::ZERO, |acc, b| acc * E::from_u32(256) + b.clone());
    bytes.chunks(2).map(half).collect()
}

fn constants<E: PrimeCharacteristicRing>(bytes: &[u8]) -> Vec<E> {
    halves(bytes.iter().map(|b| E::from_u8(*b)))
}

/// The halves with the padding of Keccak-256.
fn padded<E: PrimeCharacteristicRing>(mut halves: Vec<E>) -> [E; BLOCK] {
    halves.push(E::ONE);
    halves.resize(BLOCK, E::ZERO);
    halves[BLOCK - 1] += E::from_u32(0x8000);
    core::array::from_fn(|k| halves[k].clone())
}

/// The hashes of key and struct and of what is signed.
fn eval_hashes<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &WalletCols<AB::Var>) {
    let flag: AB::Expr = row.is_real.into();
    let big_endian = |x: [AB::Var; LIMBS]| x.into_iter().rev().map(Into::<AB::Expr>::into);
    let felts = |x: [AB::Var; HASH]| x.map(Into::<AB::Expr>::into);

    let key = padded(halves(big_endian(row.key_x).chain(big_endian(row.key_y))));
    keccak::lookup(builder, row.ids[0].into(), key, felts(row.key_hash), flag.clone());

    let mut approval = constants(&approval_type());
    approval.extend(halves(row.message.into_iter().flatten().map(Into::into)));
    keccak::lookup(builder, row.ids[1].into(), padded(approval), felts(row.struct_hash), flag.clone());

    let mut signed = constants(&PREFIX);
    signed.extend(felts(row.separator).into_iter().chain(felts(row.struct_hash)));
    let digest = halves(big_endian(row.digest));
    let digest = core::array::from_fn(|k| AB::Expr::clone(&digest[k]));
    keccak::lookup(builder, row.ids[2].into(), padded(signed), digest, flag);
}

/// The blocks of the key id; returns the id.
fn eval_key_id<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &WalletCols<AB::Var>) -> [AB::Expr; 8] {
    let address = row.key_hash.into_iter().skip(HASH - ADDRESS);
    let mut felts: Vec<AB::Expr> = address.chain(row.separator).map(Into::into).collect();
    felts.resize(8 * KEY_BLOCKS, AB::Expr::ZERO);
    let mut capacity = Domain::Wallet.iv(WALLET_FELTS).map(AB::Expr::from);
    for k in 0..KEY_BLOCKS {
        let block: [AB::Expr; 8] = core::array::from_fn(|i| felts[8 * k + i].clone());
        let after = row.capacities[k].map(Into::into);
        bus::step(builder, block, capacity, after.clone(), row.is_real);
        capacity = after;
    }
    capacity
}
