//! What the judge table shows of the flags of a claim, whoever sends it.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing, Violation, air_enum, check};
use tsz_chips::range::{self, RangeTable};
use tsz_gadgets::row::Row;
use tsz_gadgets::table::{current, matrix};
use tsz_gadgets::{collect, columns, op_air};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_trade::Params;

use crate::tables::{Claim, JudgeAir, NO_MARKET, claim};
use crate::{Book, Heights};

columns! {
    /// Sends a claim of which nothing is known.
    pub struct Claimer {
        /// 1 = it does; boolean.
        is_real: felt,
        /// The claim.
        claim: (Claim),
    }
}

op_air! {
    /// AIR of [`Claimer`].
    ClaimerAir, Claimer, "claimer", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ClaimerAir {
    fn eval(&self, builder: &mut AB) {
        let c: Claimer<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, c.is_real.clone());
        claim(&mut row, &c.is_real, &c.claim);
    }
}

air_enum! {
    /// Tables of the test.
    pub enum TestAir {
        /// Claims.
        Claimer(ClaimerAir),
        /// Judgements.
        Judge(JudgeAir),
        /// 12-bit values.
        Range(RangeTable),
    }
}

const LOG: usize = 6;
/// Place of the judge table.
const JUDGE: usize = 6;

/// The table in which a claim of five millionths of collateral, without tokens and positions, is refused.
fn refused(change: impl Fn(&mut Claim<F>)) -> Option<String> {
    let mut claim = Claim {
        market: F::from_u32(NO_MARKET),
        collateral_before: [F::from_u32(5), F::ZERO, F::ZERO, F::ZERO],
        collateral_after: [F::from_u32(5), F::ZERO, F::ZERO, F::ZERO],
        is_strict: F::ONE,
        ..Claim::default()
    };
    change(&mut claim);
    let context = BatchContext { system: Digest::default(), batch: 1, time: 0, params: Digest::default() };
    let params = Params::default();
    let mut book = Book::new(&context, &params);
    book.judge(claim.clone(), &[]);
    let heights = Heights {
        markets: LOG,
        rules: LOG,
        collateral: LOG,
        prices: LOG,
        settles: LOG,
        positions: LOG,
        judges: LOG,
        ratios: LOG,
        worths: LOG,
        tokens: LOG,
    };
    let judges = book.traces(&heights).unwrap().swap_remove(JUDGE);
    let claimers = matrix(&[Claimer { is_real: F::ONE, claim }], LOG, &Claimer::default()).unwrap();
    let requests = collect(&JudgeAir, &judges, &[]);
    let airs: [TestAir; 3] = [ClaimerAir.into(), JudgeAir.into(), RangeTable.into()];
    let traces = [claimers, judges, range::trace(&requests.range)];
    match check(&airs, &traces, &[Vec::new(), Vec::new(), Vec::new()]) {
        Ok(()) => None,
        Err(Violation::Constraint { air, .. }) => Some(air),
        Err(other) => Some(format!("{other:?}")),
    }
}

#[test]
fn rejects_flags_of_a_claim_that_contradict_each_other() {
    assert_eq!(refused(|_| ()), None);
    assert_eq!(refused(|c| c.pays = F::ONE), None);
    assert_eq!(refused(|c| c.is_strict = F::ZERO), None);
    assert_eq!(refused(|c| c.is_forced = F::ONE), None);
    assert_eq!(refused(|c| c.grows = F::ONE), None);
    let judge = Some("judge".to_owned());
    let two = F::TWO;
    for flag in [
        (|c, x| c.grows = x) as fn(&mut Claim<F>, F),
        |c, x| c.is_strict = x,
        |c, x| c.pays = x,
        |c, x| c.is_forced = x,
        |c, x| c.has_market = x,
    ] {
        assert_eq!(refused(|c| flag(c, two)), judge);
    }
    // a payment of a claim that is not strict
    let pays = |c: &mut Claim<F>| (c.pays, c.is_strict) = (F::ONE, F::ZERO);
    assert_eq!(refused(pays), judge);
    // and of one with a market
    let pays = |c: &mut Claim<F>| (c.pays, c.has_market) = (F::ONE, F::ONE);
    assert_eq!(refused(pays), judge);
}
