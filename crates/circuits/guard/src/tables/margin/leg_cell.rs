//! A declared cell of an operation that may move positions: what [`mod@crate::tables::cell`] says, and one kind of write
//! more.
//!
//! Proven on a real row that is a leg: the cell is LEG of the slot of a party's approval; its new value is sent to the
//! party's leg.

use tsz_air::{Air, F, InteractionBuilder};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c};

use crate::bus::{LEG, send};
use crate::runs::{run_air, window};
use crate::tables::cell::{Cell, cell};
use crate::tables::party::{APPROVAL, SLOT_CELLS};

/// The cell of a leg, within a slot.
pub(crate) const LEG_CELL: u32 = 7;

columns! {
    /// One declared cell.
    pub struct LegCell {
        /// The cell.
        cell: (Cell),
        /// 1 = the leg of a party; boolean, not with another kind of write.
        is_leg: felt,
    }
}

run_air! {
    /// AIR of [`LegCell`].
    LegCellAir, LegCell, "leg_cell", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LegCellAir {
    fn eval(&self, builder: &mut AB) {
        let (k, next): (LegCell<AB::Expr>, LegCell<AB::Expr>) = window(builder);
        let mut row = Row::bare(builder, k.cell.run.is_real.clone());
        row.boolean(&k.is_leg);
        cell(&mut row, &k.cell, &next.cell, Some(&k.is_leg));
        let slot = k.cell.party.slot.clone() * c::<AB::Expr>(SLOT_CELLS);
        row.zero(k.is_leg.clone() * (k.cell.number.clone() - c::<AB::Expr>(APPROVAL + LEG_CELL) - slot));
        let head = [k.cell.run.index.clone(), k.cell.party.place.clone()];
        send(row.builder(), &LEG, head.into_iter().chain(k.cell.new.clone()).collect(), &k.is_leg);
    }
}
