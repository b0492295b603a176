//! Constraints of the set table. Degree budget: 3.

use core::array::from_fn;

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, Trace,
    WindowAccess, bus, from_rows,
};
use tsz_hash::Domain;
use tsz_ledger::SET_SLOTS;

use super::LOG_HEIGHT;
use super::columns::{SetCols, SetFixed};

/// The set table's AIR.
#[derive(Clone, Copy, Debug)]
pub struct SetAir;

impl TableAir for SetAir {
    fn name(&self) -> String {
        "set".into()
    }
    fn column_names(&self) -> Vec<String> {
        <SetCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for SetAir {
    fn width(&self) -> usize {
        SetCols::<F>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        24
    }
    fn preprocessed_width(&self) -> usize {
        SetFixed::<F>::WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let row = |index: usize| SetFixed {
            index: F::from_usize(index),
            is_anchor: F::from_bool(index == 0),
            is_root: F::from_bool(index == 1),
            is_inner: F::from_bool((1..SET_SLOTS).contains(&index)),
            is_leaf: F::from_bool(index >= SET_SLOTS),
        };
        Some(from_rows(&(0..2 * SET_SLOTS).map(row).collect::<Vec<_>>(), LOG_HEIGHT))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SetAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = SetCols::<AB::Var>::from_row(main.current_slice());
        let fixed = SetFixed::<AB::Var>::from_row(builder.preprocessed().current_slice());
        let publics: [AB::Expr; 24] = from_fn(|k| builder.public_values()[k].into());
        builder.assert_bool(row.used);
        builder.when(row.used).assert_one(fixed.is_leaf);
        let unused = (AB::Expr::ONE - row.used) * fixed.is_leaf;
        builder.when(unused).assert_zeros(row.digest);
        let root: [AB::Expr; 8] = from_fn(|k| publics[16 + k].clone());
        builder.when(fixed.is_root).assert_eq_arrays(row.digest, root);
        hash_entry(builder, &row, &fixed);
        link(builder, &row, &fixed, &publics);
    }
}

/// Digests of used leaves (three sponge steps) and of inner nodes (one compression).
fn hash_entry<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    c: &SetCols<AB::Var>,
    fixed: &SetFixed<AB::Var>,
) {
    let iv = Domain::SetLeaf.iv(24).map(AB::Expr::from);
    let count: [AB::Expr; 8] = from_fn(|k| if k == 0 { c.count.into() } else { AB::Expr::ZERO });
    bus::step(builder, c.a, iv, c.cap1, c.used);
    bus::step(builder, c.b, c.cap1, c.cap2, c.used);
    bus::step(builder, count, c.cap2, c.digest, c.used);
    bus::compress(builder, c.a, c.b, c.digest, fixed.is_inner);
}

/// Heap edges, segments of the used slots, and the root of the state tree.
fn link<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    c: &SetCols<AB::Var>,
    fixed: &SetFixed<AB::Var>,
    publics: &[AB::Expr; 24],
) {
    let has_parent = fixed.is_inner + fixed.is_leaf - fixed.is_root;
    bus::setnode::send(builder, [fixed.index], c.digest, has_parent);
    let left = fixed.index + fixed.index;
    let right = left.clone() + AB::Expr::ONE;
    bus::setnode::receive(builder, [left], c.a, fixed.is_inner);
    bus::setnode::receive(builder, [right], c.b, fixed.is_inner);
    let slot = fixed.index - F::from_usize(SET_SLOTS);
    bus::seg::receive(builder, [slot, c.count.into()], c.b, c.used);
    let top: [AB::Expr; 4] = from_fn(|_| AB::Expr::ZERO);
    let old: [AB::Expr; 8] = from_fn(|k| publics[k].clone());
    let new: [AB::Expr; 8] = from_fn(|k| publics[8 + k].clone());
    bus::node::receive(builder, top, old, new, fixed.is_anchor);
}
