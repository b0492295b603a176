//! Public values.
//!
//! # What is proven
//! Row 0 holds the public values of the proof, and its slots are on the witness bus. The multiplicities of all
//! other rows are 0.
//!
//! One main column, two preprocessed and one message a public value, degree 3 (LogUp), no next row.

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use tsz_air::{Air, AirBuilder, BaseAir, InteractionBuilder, RowMajorMatrix, TableAir, Trace, WindowAccess};
use tsz_stark::F;

use super::{embed, preprocess, slot};
use crate::layout::Layout;

/// The AIR.
#[derive(Clone)]
pub struct PublicAir {
    count: usize,
    pub(super) program: Arc<Trace>,
}

impl PublicAir {
    pub(crate) fn new(layout: &Layout, log_height: usize) -> Self {
        let program = preprocess(layout, &layout.public, log_height, |_| []);
        Self { count: layout.public.width, program }
    }
}

impl TableAir for PublicAir {
    fn name(&self) -> String {
        "public".into()
    }
    fn column_names(&self) -> Vec<String> {
        (0..self.count).map(|k| format!("value[{k}]")).collect()
    }
}

impl BaseAir<F> for PublicAir {
    fn width(&self) -> usize {
        self.count
    }
    fn preprocessed_width(&self) -> usize {
        self.program.width
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        Some((*self.program).clone())
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn num_public_values(&self) -> usize {
        self.count
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PublicAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        for k in 0..self.count {
            let value = main.current_slice()[k];
            let public = builder.public_values()[k];
            builder.when_first_row().assert_eq(value, public);
            let program = builder.preprocessed().current_slice();
            let (address, multiplicity) = (program[k], program[self.count + k]);
            slot(builder, address, embed(value), multiplicity);
        }
    }
}

/// The trace: the public values in row 0.
pub(crate) fn trace(publics: &[F], log_height: usize) -> Trace {
    let mut cells = F::zero_vec(publics.len() << log_height);
    cells[..publics.len()].copy_from_slice(publics);
    RowMajorMatrix::new(cells, publics.len())
}
