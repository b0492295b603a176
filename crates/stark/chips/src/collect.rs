//! Collects what a table looks up by evaluating its AIR on its trace, so that no generator repeats it.

use std::collections::HashMap;

use rayon::prelude::*;
use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, Matrix, PrimeCharacteristicRing, PrimeField32,
    Requests, Trace, WindowAccess,
};

use crate::bytes::{BYTES_LOG_HEIGHT, RANGE15_LOG_HEIGHT};

/// Lookups, by bus.
#[derive(Clone, Debug)]
pub struct Asked {
    /// On `p2` and `range12`.
    pub shared: Requests,
    /// On `bytes`, by `a + 256 b`.
    pub bytes: Vec<u32>,
    /// On `range15`.
    pub range15: Vec<u32>,
    /// On all other lookup buses: how often each message, by bus.
    pub others: HashMap<String, HashMap<Vec<F>, u32>>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            shared: Requests::new(),
            bytes: vec![0; 1 << BYTES_LOG_HEIGHT],
            range15: vec![0; 1 << RANGE15_LOG_HEIGHT],
            others: HashMap::new(),
        }
    }
}

impl Asked {
    /// Lookups of a message on a bus.
    pub fn times(&self, bus: &str, message: &[F]) -> u32 {
        self.others.get(bus).and_then(|m| m.get(message)).copied().unwrap_or(0)
    }

    /// The messages looked up on a bus with their numbers, in an order that does not depend on the run.
    pub fn messages(&self, bus: &str) -> Vec<(Vec<F>, u32)> {
        let mut all: Vec<_> =
            self.others.get(bus).into_iter().flatten().map(|(m, n)| (m.clone(), *n)).collect();
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// Adds the lookups of another table.
    pub fn merge(&mut self, other: Self) {
        self.shared.merge(other.shared);
        self.bytes.iter_mut().zip(other.bytes).for_each(|(a, b)| *a += b);
        self.range15.iter_mut().zip(other.range15).for_each(|(a, b)| *a += b);
        for (bus, messages) in other.others {
            let mine = self.others.entry(bus).or_default();
            for (message, n) in messages {
                *mine.entry(message).or_default() += n;
            }
        }
    }

    fn add(&mut self, bus: &str, fields: &mut dyn Iterator<Item = F>) {
        let mut index = || fields.next().map_or(u32::MAX, |v| v.as_canonical_u32());
        // A value that no table has is not counted, and the bus does not balance.
        match bus {
            "range12" => self.shared.range(index()),
            "range15" => {
                self.range15.get_mut(index() as usize).into_iter().for_each(|n| *n += 1);
            }
            "bytes" => {
                let (a, b) = (index(), index());
                if a < 256 && b < 256 {
                    self.bytes[(a + 256 * b) as usize] += 1;
                }
            }
            "p2" => self.shared.p2(core::array::from_fn(|_| fields.next().unwrap_or_default())),
            _ => {
                let messages = match self.others.get_mut(bus) {
                    Some(messages) => messages,
                    None => self.others.entry(bus.to_owned()).or_default(),
                };
                *messages.entry(fields.collect()).or_default() += 1;
            }
        }
    }
}

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

/// Records the lookups of one row.
pub struct Collector<'a> {
    main: Window<'a>,
    preprocessed: Window<'a>,
    publics: &'a [F],
    asked: &'a mut Asked,
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
        self.publics
    }
}

impl InteractionBuilder for Collector<'_> {
    fn push_interaction<E: Into<F>>(
        &mut self,
        bus: &str,
        fields: impl IntoIterator<Item = E>,
        count: impl Into<Count<F>>,
    ) {
        if count.into().into_parts().0 == F::ONE {
            self.asked.add(bus, &mut fields.into_iter().map(Into::into));
        }
    }

    fn push_local_interaction(&mut self, tuples: impl IntoIterator<Item = (Vec<F>, Count<F>)>) {
        tuples.into_iter().for_each(drop);
    }
}

/// The lookups of all rows of a table.
pub fn collect<A: BaseAir<F> + Sync + for<'a> Air<Collector<'a>>>(
    air: &A,
    trace: &Trace,
    publics: &[F],
) -> Asked {
    collect_by(air, trace, publics, |builder| air.eval(builder))
}

/// The lookups of all rows of a table whose messages are evaluated by themselves, where its constraints are dear.
pub fn collect_by<A: BaseAir<F> + Sync>(
    air: &A,
    trace: &Trace,
    publics: &[F],
    eval: impl Fn(&mut Collector<'_>) + Sync,
) -> Asked {
    let height = trace.height();
    let preprocessed = air.preprocessed_trace();
    fn row(t: &Trace, r: usize) -> &[F] {
        let r = r % t.height();
        &t.values[r * t.width..(r + 1) * t.width]
    }
    let rows = |r: usize| {
        let fixed = preprocessed.as_ref().map_or([&[][..]; 2], |p| [row(p, r), row(p, r + 1)]);
        (Window([row(trace, r), row(trace, r + 1)]), Window(fixed))
    };
    (0..height)
        .into_par_iter()
        .with_min_len(256)
        .fold(Asked::default, |mut asked, r| {
            let (main, preprocessed) = rows(r);
            eval(&mut Collector { main, preprocessed, publics, asked: &mut asked });
            asked
        })
        .reduce(Asked::default, |mut a, b| {
            a.merge(b);
            a
        })
}
