//! The parameters of the batch: their public hash, opened into lists, and tables that hold a list.
//!
//! **Table `params`.** Proven: P = `hash(Parameters, [perps | spots | oracle | collateral])` (docs/src/trading.md, "Hash
//! of the parameters"), and an entry `(list, digest)` on the bus `params` is one of these four digests. One real row;
//! a real row that says anything else is a collision of the hash.
//!
//! **Tables of a list.** [`Row::list`] chains the rows of a table from the constant of the list to a digest that it
//! looks up on `params`: the absorbed blocks are those of the list in force. How many blocks a row absorbs, and where
//! the capacities between them are, is the table's affair.

use tsz_air::{
    Air, AirBuilder, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, RowMajorMatrix, Trace,
};
use tsz_hash::{Block, Digest, Domain, step};

use crate::layout::Columns;
use crate::row::{Row, c};
use crate::table::current;
use crate::{columns, op_air};

/// `params`: list, digest\[8\]. Provided by the table `params`: the list of the parameters in force has that digest.
const PARAMS: LookupBus<'static> = LookupBus::new("params");
/// Lists of the parameters.
pub const LISTS: usize = 4;
/// log2 of the rows of the table `params`.
pub const LOG_HEIGHT: usize = tsz_air::MIN_LOG_HEIGHT;

columns! {
    /// The opened hash.
    pub struct Params {
        /// 1 = the row holds the lists; boolean.
        is_real: felt,
        /// Tables that look up the list; free, 0 on padding: an entry is a true statement.
        uses: [LISTS],
        /// Digest of perps, spots, oracle, collateral; bound to P by `p2`.
        digests: (Felts8 * LISTS),
        /// Capacity after one, two, three digests; owned by `p2`.
        mids: (Felts8 * 3),
    }
}

columns! {
    /// Eight felts.
    pub struct Felts8 {
        /// The felts.
        felts: [8],
    }
}

op_air! {
    /// AIR of [`Params`]. Public values: P (8).
    ParamsAir, Params, "params", 8
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ParamsAir {
    fn eval(&self, builder: &mut AB) {
        let p: Params<AB::Expr> = current(builder);
        let hash: [AB::Expr; 8] = core::array::from_fn(|k| builder.public_values()[k].into());
        let mut row = Row::bare(builder, p.is_real.clone());
        let real = row.real.clone();
        let iv = Domain::Parameters.iv(8 * LISTS).map(AB::Expr::from);
        let [a, b, c] = p.mids.each_ref().map(|mid| &mid.felts);
        let capacities = [&iv, a, b, c, &hash];
        for (list, digest) in p.digests.iter().enumerate() {
            row.step(&real, digest.felts.clone(), capacities[list], capacities[list + 1]);
            row.zero(p.uses[list].clone() * (AB::Expr::ONE - real.clone()));
            PARAMS.table_entry(row.builder(), entry(list as u32, &digest.felts), p.uses[list].clone());
        }
    }
}

fn entry<E: PrimeCharacteristicRing + Clone>(list: u32, digest: &[E; 8]) -> Vec<E> {
    core::iter::once(c(list)).chain(digest.iter().cloned()).collect()
}

/// The trace of the table `params` for the digests of the lists, each looked up `uses` times.
pub fn trace(digests: &[Digest; LISTS], uses: [u32; LISTS]) -> Trace {
    let mut cap = Domain::Parameters.iv(8 * LISTS);
    let mids = core::array::from_fn(|k| {
        cap = step(&digests[k], &cap);
        Felts8 { felts: cap }
    });
    let row = Params {
        is_real: F::ONE,
        uses: uses.map(F::from_u32),
        digests: digests.map(|felts| Felts8 { felts }),
        mids,
    };
    let width = <Params<F> as Columns<F>>::WIDTH;
    let mut values = Vec::with_capacity(width << LOG_HEIGHT);
    row.write(&mut |x| values.push(*x));
    values.resize(width << LOG_HEIGHT, F::ZERO);
    RowMajorMatrix::new(values, width)
}

columns! {
    /// A row of a table that holds a list.
    pub struct Link {
        /// 1 = the digest is looked up after this row; boolean, 1 on the last row.
        is_end: felt,
        /// Capacity before the row; the first row's is the constant of the list, another's what is after the one before.
        before: [8],
        /// Capacity after the row; the table's to own on real rows, as before on padding.
        after: [8],
    }
}

impl Link<F> {
    /// The links of a table of `height` rows whose real rows absorb `blocks` each, starting from `iv`. Padding links
    /// are included; rows beyond the table are dropped.
    pub fn chain<const N: usize>(iv: &Digest, rows: &[[Block; N]], height: usize) -> Vec<Self> {
        let mut cap = *iv;
        (0..height)
            .map(|k| {
                let before = cap;
                for block in rows.get(k).map_or(&[][..], |row| &row[..]) {
                    cap = step(block, &cap);
                }
                Self { is_end: F::from_bool(k + 1 == height), before, after: cap }
            })
            .collect()
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// The rows of the table chain from `iv` to the digest of `list`. `next` is the link of the next row.
    ///
    /// On real rows the table itself shows that `after` is `before` with its blocks absorbed.
    pub fn list(&mut self, list: u32, iv: &Digest, link: &Link<AB::Expr>, next: &Link<AB::Expr>) {
        let padding = AB::Expr::ONE - self.real.clone();
        self.boolean(&link.is_end);
        let builder = self.builder();
        builder.when_last_row().assert_one(link.is_end.clone());
        for (k, start) in iv.iter().enumerate() {
            let (before, after) = (link.before[k].clone(), link.after[k].clone());
            builder.when_first_row().assert_eq(before.clone(), AB::Expr::from(*start));
            builder.when_transition().assert_eq(next.before[k].clone(), after.clone());
            builder.assert_zero(padding.clone() * (after - before));
        }
        let count = Count::bounded(link.is_end.clone(), 1);
        PARAMS.lookup_key(self.builder(), entry(list, &link.after), count);
    }
}
