//! Grid trading: one approval sets up to 64 levels, each of which buys at one price and sells at a higher one.
//!
//! The owner of a grid approves this program for a sub-account, with [`Terms`] as signed terms and limits on what may
//! flow out of each token. A level holds quote (it is a buyer) or base (a seller); a fill of all its lots flips it.
//! Who trades with a grid approves the same program with an intent: a side, a limit price and a number of lots.
//! [`program`] fills levels against an intent. Money stays in the owners' balances: revoking the approval stops a
//! grid, and nothing has to be withdrawn from it.
//!
//! Parties: grid and taker. Cells, all written: BAL(base) and BAL(quote) of both parties, and of the fee account where
//! a fee is paid; of the grid's storage those that hold a filled level, three levels a cell; storage cell 0 of the
//! taker: lots filled.

#[cfg(not(target_os = "zkvm"))]
pub mod host;
mod terms;

pub use terms::{Intent, LEVEL_WORDS, Level, MAX_LEVELS, Pair, TERMS_HEAD, Terms};

use tsz_ext_sdk::{Fault, Op, Party, spot};

/// Words of an intent.
pub const INTENT_WORDS: usize = 11;
/// Words of arguments before the fills.
pub const ARGS_HEAD: usize = 4;
/// Words of a fill.
pub const FILL_WORDS: usize = 3;
/// Levels in one storage cell.
const LEVELS_A_CELL: u32 = 3;
/// Account that takes fees.
const FEES: u32 = 0;

/// Numbers of the rules, in [`Fault::Rule`].
#[expect(missing_docs, reason = "the messages of the program's documentation")]
pub mod rule {
    pub const PARTIES: u32 = 1;
    pub const OTHER_MARKET: u32 = 2;
    pub const FEE: u32 = 3;
    pub const NO_LEVEL: u32 = 4;
    pub const WRONG_SIDE: u32 = 5;
    pub const PRICE: u32 = 6;
    pub const LOTS: u32 = 7;
    pub const INTENT_FILLED: u32 = 8;
}

/// What an operation fills: arguments chosen by the operator.
struct Args<'a> {
    /// Which party is the grid.
    grid: usize,
    /// Fee rates (1e-6) of grid and taker.
    fees: [u32; 2],
    /// Level, lots (24, 24 bits) of each fill.
    fills: &'a [u32],
    terms: &'a [u32],
    intent: &'a [u32],
}

impl<'a> Args<'a> {
    /// `[grid, grid fee, taker fee, fills k] ‖ 3k words of fills ‖ terms ‖ intent`.
    fn parse(args: &'a [u32]) -> Result<Self, Fault> {
        let (head, rest) = args.split_first_chunk::<ARGS_HEAD>().ok_or(Fault::Args)?;
        let [grid, grid_fee, taker_fee, count] = *head;
        let count = usize::try_from(count).ok().filter(|c| *c <= MAX_LEVELS).ok_or(Fault::Args)?;
        let (fills, rest) = rest.split_at_checked(FILL_WORDS * count).ok_or(Fault::Args)?;
        let terms = rest.len().checked_sub(INTENT_WORDS).ok_or(Fault::Args)?;
        let (terms, intent) = rest.split_at(terms);
        if grid > 1 || count == 0 {
            return Err(Fault::Args);
        }
        Ok(Self { grid: grid as usize, fees: [grid_fee, taker_fee], fills, terms, intent })
    }
}

/// Sums over the fills of an operation, millionths of a unit.
#[derive(Default)]
struct Sums {
    lots: u64,
    base: u128,
    quote: u128,
    buyer_fee: u128,
    seller_fee: u128,
}

/// The program.
///
/// # Errors
/// A [`Fault`]; [`Fault::Rule`] with a number of [`rule`].
pub fn program(op: &mut Op<'_>) -> Result<(), Fault> {
    let args = Args::parse(op.args())?;
    if op.parties() != 2 {
        return Err(Fault::Rule(rule::PARTIES));
    }
    let (grid, taker) = (op.party(args.grid)?, op.party(1 - args.grid)?);
    op.check_terms(&grid, args.terms)?;
    op.check_terms(&taker, args.intent)?;
    let (terms, intent) = (Terms::parse(args.terms)?, Intent::parse(args.intent)?);
    if terms.market != intent.market {
        return Err(Fault::Rule(rule::OTHER_MARKET));
    }
    if args.fees[0] > terms.max_fee || args.fees[1] > intent.max_fee {
        return Err(Fault::Rule(rule::FEE));
    }
    let mut sums = Sums::default();
    for fill in args.fills.chunks_exact(FILL_WORDS) {
        fill_level(op, &grid, &terms, &intent, fill, args.fees, &mut sums)?;
    }
    fill_intent(op, &taker, &intent, sums.lots)?;
    settle(op, [&grid, &taker], &intent, &sums)
}

/// Fills one level against the intent.
fn fill_level(
    op: &mut Op<'_>,
    grid: &Party,
    terms: &Terms<'_>,
    intent: &Intent,
    fill: &[u32],
    fees: [u32; 2],
    sums: &mut Sums,
) -> Result<(), Fault> {
    let (number, lots) = (fill[0], terms::lots(fill[1], fill[2])?);
    let level = terms.level(number).ok_or(Fault::Rule(rule::NO_LEVEL))?;
    let (cell, at) = (number / LEVELS_A_CELL, 2 * (number % LEVELS_A_CELL) as usize);
    let mut stored = op.load(grid, cell)?;
    // filled lots and, in the lowest bit, whether the level has changed sides
    let state = u64::from(stored[at]) | u64::from(stored[at + 1]) << 24;
    let (filled, flipped) = (state >> 1, state & 1 == 1);
    let sells = terms.starts_as_seller(number) != flipped;
    if sells != intent.buys {
        return Err(Fault::Rule(rule::WRONG_SIDE));
    }
    let price = if sells { level.sell } else { level.buy };
    if !intent.accepts(price) {
        return Err(Fault::Rule(rule::PRICE));
    }
    let after = filled + lots; // 46 and 48 bits
    if lots == 0 || after > level.lots {
        return Err(Fault::Rule(rule::LOTS));
    }
    let state = if after == level.lots { u64::from(!flipped) } else { after << 1 | u64::from(flipped) };
    stored[at] = state as u32 & 0xff_ffff;
    stored[at + 1] = (state >> 24) as u32; // 47 bits in all
    op.store(grid, cell, &stored)?;
    let [grid_fee, taker_fee] = fees;
    let (buyer_rate, seller_rate) = if sells { (taker_fee, grid_fee) } else { (grid_fee, taker_fee) };
    let amounts = spot::fill(&terms.market.units, lots, price, buyer_rate, seller_rate)?;
    // at most 64 amounts of 80 bits
    sums.lots += lots;
    sums.base += amounts.base;
    sums.quote += amounts.quote;
    sums.buyer_fee += amounts.buyer_fee;
    sums.seller_fee += amounts.seller_fee;
    Ok(())
}

/// Counts the lots against the intent.
fn fill_intent(op: &mut Op<'_>, taker: &Party, intent: &Intent, lots: u64) -> Result<(), Fault> {
    let stored = op.load(taker, 0)?;
    let filled = terms::lots(stored[0], stored[1])? + lots; // 48 and 54 bits
    if filled > intent.lots {
        return Err(Fault::Rule(rule::INTENT_FILLED));
    }
    op.store(taker, 0, &[filled as u32 & 0xff_ffff, (filled >> 24) as u32, 0, 0, 0, 0, 0])
}

/// Moves the money: each side pays in one token and gets the other less its fee.
fn settle(op: &mut Op<'_>, [grid, taker]: [&Party; 2], intent: &Intent, sums: &Sums) -> Result<(), Fault> {
    let (buyer, seller) = if intent.buys { (taker, grid) } else { (grid, taker) };
    let (base, quote) = (intent.market.base, intent.market.quote);
    op.debit(buyer.account, buyer.sub, quote, sums.quote)?;
    op.credit(buyer.account, buyer.sub, base, sums.base - sums.buyer_fee)?; // a rate is below 1
    op.debit(seller.account, seller.sub, base, sums.base)?;
    op.credit(seller.account, seller.sub, quote, sums.quote - sums.seller_fee)?;
    for (token, fee) in [(base, sums.buyer_fee), (quote, sums.seller_fee)] {
        if fee != 0 {
            op.credit(FEES, 0, token, fee)?;
        }
    }
    Ok(())
}
