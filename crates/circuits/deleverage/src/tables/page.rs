//! AdlRank: one row a page.
//!
//! Proven: the page continues the ranking of the present moves and prices that MKR holds, or starts one with half of the
//! open interest to be listed; what it leaves is what the holders of the table `holder` make of that, one after the other.

use tsz_air::{Air, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{MKO_HI, Price, lookup_price};

use super::ranking::{Ranking, ranking_key};

/// `listing`: the fields of [`Turn`]. A page sends the first and receives the last; a holder receives one and sends the
/// next.
const LISTING: PermutationCheckBus<'static> = PermutationCheckBus::new("listing");
/// Place of the first holder.
const FIRST: u32 = 3;

columns! {
    /// A ranking between two holders of a page.
    pub struct Turn {
        /// Sequence number of the op; constant over the page.
        index: felt,
        /// The market as it is now; constant.
        price: (Price),
        /// The side that is listed (1 = short); constant.
        side: felt,
        /// Loss class; constant.
        class: felt,
        /// Place of the next holder's first access.
        at: felt,
        /// How far the ranking has come.
        ranking: (Ranking),
    }
}

columns! {
    /// One AdlRank.
    pub struct Page {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// What comes before the first holder; the price is bound by the bus `price`.
        first: (Turn),
        /// Place after the last holder; bound by `listing`.
        end: felt,
        /// The ranking after the page; bound by `listing`.
        after: (Ranking),
        /// 1 = the ranking starts anew; boolean.
        restart: felt,
        /// Open interest (24, 24, 8 bits); bound by the bus.
        interest: [3],
        /// Moves (24, 24 bits); bound by the bus.
        moves: [2],
        /// Lowest bit of the open interest, and the bits that its upper limbs give to the lower; boolean.
        odd: [3],
        /// The lower limbs of what remains; range12.
        low: (U24 * 2),
        /// MKR as it is found; bound by the bus.
        found: [8],
    }
}

op_air! {
    /// AIR of [`Page`]. No public values.
    PageAir, Page, "page", 0
}

fn fields<E: Clone>(turn: &Turn<E>) -> Vec<E>
where
    Turn<E>: Columns<E>,
{
    let mut out = Vec::new();
    turn.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// On real rows a turn comes in and another goes out.
pub fn turns<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    comes: &Turn<AB::Expr>,
    goes: &Turn<AB::Expr>,
) {
    let real = row.real.clone();
    LISTING.receive(row.builder(), fields(comes), Count::bounded(real.clone(), 1));
    LISTING.send(row.builder(), fields(goes), Count::bounded(real, 1));
}

impl<E: PrimeCharacteristicRing + Clone> Turn<E> {
    /// Another place and ranking of the same page.
    pub fn then(&self, at: E, ranking: Ranking<E>) -> Self {
        let (index, side, class) = (self.index.clone(), self.side.clone(), self.class.clone());
        Self { index, price: self.price.clone(), side, class, at, ranking }
    }
}

impl<E: PrimeCharacteristicRing + Clone> Page<E> {
    /// The ranking after the page, as a turn.
    pub fn last(&self) -> Turn<E> {
        self.first.then(self.end.clone(), self.after.clone())
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PageAir {
    fn eval(&self, builder: &mut AB) {
        let p: Page<AB::Expr> = current(builder);
        let (real, n) = (p.is_real.clone(), p.end.clone() + p.is_real.clone());
        let mut row =
            Row::sized(builder, real.clone(), p.first.index.clone(), n.clone(), n + p.is_real.clone());
        // the log is a tuple of less than 2^12 accesses
        row.range(p.end.clone() + AB::Expr::ONE);
        let price = &p.first.price;
        lookup_price(&mut row, &real, price);
        let status = price.status.clone();
        row.zero(real.clone() * (status.clone() - AB::Expr::ONE) * (status - AB::Expr::TWO));
        row.zero(price.is_settled.clone());
        row.boolean(&p.first.side);
        row.narrow(&p.first.class, 4);
        row.zero(p.first.at.clone() - real * c::<AB::Expr>(FIRST));
        starts(&mut row, &p);
        let last = p.last();
        turns(&mut row, &last, &p.first);
        accesses(&mut row, &p);
    }
}

/// The ranking before the page is that of MKR, or half of the open interest remains and nobody is listed.
fn starts<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Page<AB::Expr>) {
    let (ranking, restart) = (&p.first.ranking, p.restart.clone());
    row.boolean(&restart);
    row.zero(restart.clone() * (AB::Expr::ONE - row.real.clone()));
    for (low, limb) in p.low.iter().zip(&ranking.remaining) {
        row.u24(low);
        row.zero(low.value() - limb.clone());
    }
    row.narrow(&ranking.remaining[2], 7);
    row.narrow(&ranking.sub, 5);
    row.range(ranking.rank.clone());
    let goes_on = row.real.clone() - restart.clone();
    for (found, felt) in p.found.iter().zip(ranking.leaf(&p.moves, &p.first.price.ts)) {
        row.zero(goes_on.clone() * (found.clone() - felt));
    }
    for none in [&ranking.account, &ranking.sub, &ranking.rank] {
        row.zero(restart.clone() * none.clone());
    }
    // 2 remaining_k + odd_k = interest_k + 2^24 odd_(k+1)
    for bit in &p.odd {
        row.boolean(bit);
    }
    for k in 0..3 {
        let mut e = ranking.remaining[k].double() + p.odd[k].clone() - p.interest[k].clone();
        if let Some(bit) = p.odd.get(k + 1) {
            e -= bit.clone() * c::<AB::Expr>(1 << 24);
        }
        row.zero(restart.clone() * e);
    }
}

/// MKP, MKF, MKO; MKR as the last.
fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Page<AB::Expr>) {
    let (real, turn) = (row.real.clone(), &p.first);
    let ([mkp, mkf], [prices, funding]) = (turn.price.keys(), turn.price.leaves());
    let ([i0, i1, i2], [m0, m1]) = (p.interest.clone(), p.moves.clone());
    let mko = [c(MKO_HI), turn.price.market.clone()];
    let reads = [(mkp, prices), (mkf, funding), (mko, pad8(&[i0, i1, i2, m0, m1]))];
    for (k, (key, value)) in (0..).zip(reads) {
        row.key(k, false, key[0].clone(), key[1].clone());
        row.old(k, value);
    }
    let key = ranking_key(&turn.price.market, &turn.side, &turn.class);
    row.key_if(&real, p.end.clone(), true, key);
    row.value_if(&real, p.end.clone(), p.found.clone());
    row.value_if(&real, p.end.clone() + AB::Expr::ONE, p.after.leaf(&p.moves, &turn.price.ts));
}
