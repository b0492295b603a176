//! Collects the lookups of a table by evaluating its AIR on its trace, so that no generator repeats them.

use rayon::prelude::*;
use tsz_air::{
    Air, AirBuilder, Count, F, InteractionBuilder, Matrix, PrimeCharacteristicRing, PrimeField32, Requests,
    Trace, WindowAccess,
};
use tsz_hash::WIDTH;

/// The current and the next row.
#[derive(Clone, Copy)]
pub struct Window<'a>([&'a [F]; 2]);

impl WindowAccess<F> for Window<'_> {
    fn current_slice(&self) -> &[F] {
        self.0[0]
    }
    fn next_slice(&self) -> &[F] {
        self.0[1]
    }
}

/// Records `p2` and `range12` lookups of one row.
pub struct Collector<'a> {
    main: Window<'a>,
    preprocessed: Window<'a>,
    public_values: &'a [F],
    requests: &'a mut Requests,
}

impl<'a> AirBuilder for Collector<'a> {
    type F = F;
    type Expr = F;
    type Var = F;
    type PreprocessedWindow = Window<'a>;
    type MainWindow = Window<'a>;
    type PublicVar = F;
    type PeriodicVar = F;

    fn main(&self) -> Self::MainWindow {
        self.main
    }
    fn preprocessed(&self) -> &Self::PreprocessedWindow {
        &self.preprocessed
    }
    fn is_first_row(&self) -> F {
        F::ZERO
    }
    fn is_last_row(&self) -> F {
        F::ZERO
    }
    fn is_transition(&self) -> F {
        F::ONE
    }
    fn assert_zero<I: Into<F>>(&mut self, _: I) {}
    fn public_values(&self) -> &[F] {
        self.public_values
    }
}

impl InteractionBuilder for Collector<'_> {
    fn push_interaction<E: Into<F>>(
        &mut self,
        bus: &str,
        fields: impl IntoIterator<Item = E>,
        count: impl Into<Count<F>>,
    ) {
        if count.into().into_parts().0 != F::ONE {
            return;
        }
        let mut fields = fields.into_iter().map(Into::into);
        match bus {
            "range12" => self.requests.range(fields.next().map_or(u32::MAX, |v| v.as_canonical_u32())),
            "p2" => {
                let input: [F; WIDTH] = core::array::from_fn(|_| fields.next().unwrap_or_default());
                self.requests.p2(input);
            }
            _ => {}
        }
    }

    fn push_local_interaction(&mut self, tuples: impl IntoIterator<Item = (Vec<F>, Count<F>)>) {
        tuples.into_iter().for_each(drop);
    }
}

/// The lookups of all rows of a table without preprocessed columns.
pub fn collect<A: for<'a> Air<Collector<'a>>>(air: &A, trace: &Trace, public_values: &[F]) -> Requests {
    let height = trace.height();
    let row = |r: usize| &trace.values[r % height * trace.width..(r % height + 1) * trace.width];
    let empty = Window([&[], &[]]);
    (0..height)
        .into_par_iter()
        .fold(Requests::new, |mut requests, r| {
            let main = Window([row(r), row(r + 1)]);
            let mut builder = Collector { main, preprocessed: empty, public_values, requests: &mut requests };
            air.eval(&mut builder);
            requests
        })
        .reduce(Requests::new, |mut a, b| {
            a.merge(b);
            a
        })
}
