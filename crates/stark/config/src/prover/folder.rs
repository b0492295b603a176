//! What an AIR sees of some rows at once, one in each lane.

use p3_air::{AirBuilder, RowWindow};
use p3_field::Field;
use p3_lookup::{Count, InteractionBuilder};

use crate::config::F;

/// Lanes of base field values.
pub(super) type Packed = <F as Field>::Packing;

/// Collects the constraints of as many rows as there are lanes. Messages are not looked at: the prover compiles them.
pub struct QuotientFolder<'a> {
    pub(super) main: RowWindow<'a, Packed>,
    pub(super) preprocessed: RowWindow<'a, Packed>,
    pub(super) periodic: &'a [Packed],
    pub(super) publics: &'a [F],
    pub(super) is_first_row: Packed,
    pub(super) is_last_row: Packed,
    pub(super) is_transition: Packed,
    pub(super) constraints: &'a mut Vec<Packed>,
}

impl<'a> AirBuilder for QuotientFolder<'a> {
    type F = F;
    type Expr = Packed;
    type Var = Packed;
    type PreprocessedWindow = RowWindow<'a, Packed>;
    type MainWindow = RowWindow<'a, Packed>;
    type PublicVar = F;
    type PeriodicVar = Packed;

    #[inline]
    fn main(&self) -> Self::MainWindow {
        self.main
    }
    #[inline]
    fn preprocessed(&self) -> &Self::PreprocessedWindow {
        &self.preprocessed
    }
    #[inline]
    fn is_first_row(&self) -> Packed {
        self.is_first_row
    }
    #[inline]
    fn is_last_row(&self) -> Packed {
        self.is_last_row
    }
    #[inline]
    fn is_transition(&self) -> Packed {
        self.is_transition
    }
    #[inline]
    fn assert_zero<I: Into<Packed>>(&mut self, x: I) {
        self.constraints.push(x.into());
    }
    #[inline]
    fn public_values(&self) -> &[F] {
        self.publics
    }
    #[inline]
    fn periodic_values(&self) -> &[Packed] {
        self.periodic
    }
}

impl InteractionBuilder for QuotientFolder<'_> {
    #[inline]
    fn push_interaction<E: Into<Packed>>(
        &mut self,
        _bus_name: &str,
        _fields: impl IntoIterator<Item = E>,
        _count: impl Into<Count<Packed>>,
    ) {
    }

    #[inline]
    fn push_local_interaction(&mut self, _tuples: impl IntoIterator<Item = (Vec<Packed>, Count<Packed>)>) {}

    #[inline]
    fn push_exclusive_interaction(
        &mut self,
        _bus_name: &str,
        _branches: impl IntoIterator<Item = (Packed, Count<Packed>, Vec<Packed>)>,
    ) {
    }
}
