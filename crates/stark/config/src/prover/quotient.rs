//! The quotient of the constraints of one table by the vanishing polynomial of its domain.

use p3_air::RowWindow;
use p3_commit::{LagrangeSelectors, PeriodicLdeTable};
use p3_field::{Algebra, BasedVectorSpace, PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use p3_lookup::Lookup;
use p3_matrix::dense::RowMajorMatrix;
use p3_maybe_rayon::prelude::*;
use p3_util::reverse_slice_index_bits;

use super::folder::{Packed, QuotientFolder};
use super::messages::{Messages, PackedExt, Places};
use super::rows::{LANES, Points};
use crate::circuit::{CircuitAir, TableInfo};
use crate::config::{EXT_DEGREE, ExtField, F};

/// A table with everything that its constraints read.
pub(super) struct Quotient<'a, A> {
    pub(super) air: &'a A,
    pub(super) info: &'a TableInfo,
    pub(super) lookups: &'a [Lookup<F>],
    pub(super) publics: &'a [F],
    /// Two for each LogUp column.
    pub(super) challenges: &'a [ExtField],
    /// What the accumulator ends with.
    pub(super) terminal: Option<ExtField>,
    /// The challenge that folds constraints.
    pub(super) alpha: ExtField,
    pub(super) main: &'a RowMajorMatrix<F>,
    pub(super) messages: Option<&'a RowMajorMatrix<F>>,
    pub(super) preprocessed: Option<&'a RowMajorMatrix<F>>,
    pub(super) periodic: PeriodicLdeTable<F>,
    pub(super) selectors: LagrangeSelectors<Vec<F>>,
    pub(super) log_chunks: usize,
}

/// Powers of the folding challenge: coordinates of those of base field constraints, then those of LogUp columns.
struct Powers {
    base: [Vec<F>; EXT_DEGREE],
    ext: Vec<ExtField>,
}

/// What one thread reads a block into.
struct Block {
    values: Vec<Packed>,
    aux: Vec<PackedExt>,
    constraints: Vec<Packed>,
    aux_constraints: Vec<PackedExt>,
    fields: Vec<Packed>,
}

/// Columns whose next row is read.
struct Reads {
    main: Vec<usize>,
    preprocessed: Vec<usize>,
}

/// Blocks that a thread takes at least.
const MIN_BLOCKS: usize = 16;

/// The two rows of some columns.
fn window(rows: &[Packed]) -> RowWindow<'_, Packed> {
    let (own, next) = rows.split_at(rows.len() / 2);
    RowWindow::from_two_rows(own, next)
}

/// A column of extension field elements at some points.
fn ext(points: Points, matrix: &RowMajorMatrix<F>, places: &[usize; LANES], column: usize) -> PackedExt {
    let mut coordinates = [Packed::ZERO; EXT_DEGREE];
    points.read(matrix, places, EXT_DEGREE * column, 0..EXT_DEGREE, &mut coordinates);
    PackedExt::from_basis_coefficients_fn(|k| coordinates[k])
}

impl<A: CircuitAir> Quotient<'_, A> {
    fn points(&self) -> Points {
        let log = self.info.log_height + self.log_chunks;
        Points { log, step: 1 << self.log_chunks }
    }

    fn places(&self) -> Places {
        Places {
            main: self.info.width,
            preprocessed: self.info.preprocessed_width,
            periodic: self.periodic.width(),
        }
    }

    /// Constraint i of n has the power n - 1 - i: those of the AIR, then those of LogUp columns.
    fn powers(&self) -> Powers {
        let ext = if self.lookups.is_empty() { 0 } else { self.lookups.len() + 3 };
        let mut powers: Vec<ExtField> = self.alpha.powers().take(self.info.constraints).collect();
        powers.reverse();
        let own = powers.split_off(self.info.constraints - ext);
        let coordinate = |power: &ExtField, k: usize| -> F {
            let all: &[F] = power.as_basis_coefficients_slice();
            all[k]
        };
        Powers { base: core::array::from_fn(|k| powers.iter().map(|p| coordinate(p, k)).collect()), ext: own }
    }

    /// Values at all points of the quotient's domain, in its order.
    pub(super) fn values(&self) -> Vec<ExtField> {
        let messages = Messages::new(self.places(), self.publics, self.lookups, self.challenges);
        let powers = self.powers();
        let reads = Reads {
            main: self.air.main_next_row_columns(),
            preprocessed: self.air.preprocessed_next_row_columns(),
        };
        let new = || Block {
            values: messages.list(),
            aux: Vec::new(),
            constraints: Vec::with_capacity(powers.base[0].len()),
            aux_constraints: Vec::with_capacity(powers.ext.len()),
            fields: Vec::new(),
        };
        let mut values = ExtField::zero_vec(1 << self.points().log);
        values.par_chunks_exact_mut(LANES).enumerate().with_min_len(MIN_BLOCKS).for_each_init(
            new,
            |block, (at, out)| {
                let quotient = self.block(at, &messages, &powers, &reads, block);
                for (lane, value) in out.iter_mut().enumerate() {
                    *value = quotient.extract(lane);
                }
            },
        );
        reverse_slice_index_bits(&mut values);
        values
    }

    /// Reads what the constraints of a block take, in the order of [`Places`].
    fn load(
        &self,
        points: Points,
        [places, next]: [&[usize; LANES]; 2],
        reads: &Reads,
        values: &mut [Packed],
    ) {
        let own = self.places();
        points.read(self.main, places, 0, 0..own.main, values);
        points.read(self.main, next, 0, reads.main.iter().copied(), &mut values[own.main..]);
        if let Some(matrix) = self.preprocessed {
            points.read(matrix, places, 0, 0..own.preprocessed, &mut values[own.preprocessed(false)..]);
            let columns = reads.preprocessed.iter().copied();
            points.read(matrix, next, 0, columns, &mut values[own.preprocessed(true)..]);
        }
        for column in 0..own.periodic {
            values[own.periodic() + column] =
                Packed::from_fn(|lane| *self.periodic.get(places[lane], column));
        }
        let selectors = &self.selectors;
        let of = [&selectors.is_first_row, &selectors.is_last_row, &selectors.is_transition];
        for (k, selector) in of.into_iter().enumerate() {
            values[own.selectors() + k] = Packed::from_fn(|lane| selector[places[lane]]);
        }
    }

    /// Values at the points of one block.
    fn block(
        &self,
        at: usize,
        messages: &Messages,
        powers: &Powers,
        reads: &Reads,
        block: &mut Block,
    ) -> PackedExt {
        let points = self.points();
        let places = points.places(at);
        let next = points.next(&places);
        self.load(points, [&places, &next], reads, &mut block.values);
        let own = self.places();
        let (main, rest) = block.values.split_at(2 * own.main);
        let (preprocessed, rest) = rest.split_at(2 * own.preprocessed);
        let [first, last, transition] = [0, 1, 2].map(|k| rest[own.periodic + k]);
        block.constraints.clear();
        self.air.eval(&mut QuotientFolder {
            main: window(main),
            preprocessed: window(preprocessed),
            periodic: &rest[..own.periodic],
            publics: self.publics,
            is_first_row: first,
            is_last_row: last,
            is_transition: transition,
            constraints: &mut block.constraints,
        });
        debug_assert_eq!(block.constraints.len(), powers.base[0].len());
        let mut sum = PackedExt::from_basis_coefficients_fn(|k| {
            Packed::batched_linear_combination(&block.constraints, &powers.base[k])
        });
        if let Some((matrix, terminal)) = self.messages.zip(self.terminal) {
            block.aux.clear();
            block.aux.extend((0..self.lookups.len() + 1).map(|column| ext(points, matrix, &places, column)));
            block.aux_constraints.clear();
            messages.constraints(
                &mut block.values,
                &block.aux,
                ext(points, matrix, &next, 0),
                terminal.into(),
                &mut block.fields,
                &mut block.aux_constraints,
            );
            sum += PackedExt::batched_linear_combination(&block.aux_constraints, &powers.ext);
        }
        sum * Packed::from_fn(|lane| self.selectors.inv_vanishing[places[lane]])
    }
}
