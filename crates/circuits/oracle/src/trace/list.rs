//! Tables of the lists of the parameters.

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::Link;
use tsz_gadgets::perps::{self, Uses};
use tsz_hash::Block;
use tsz_trade::params::{List, Params, PerpMarket};
use tsz_types::MarketId;

use super::{Rows, finish};
use crate::record::RecordError;
use crate::tables::Rule;

/// The table of the markets.
pub(super) fn perps(params: &Params, uses: &[Uses], log_height: usize) -> Result<Trace, RecordError> {
    let entry = |((id, market), uses): ((u8, &PerpMarket), &Uses)| {
        MarketId::new(id).ok().map(|id| (market.blocks(id), *uses))
    };
    let list: Vec<_> = (0..=u8::MAX).zip(&params.perps).zip(uses).filter_map(entry).collect();
    let error = RecordError::TooMany { table: "perps", rows: 1 << log_height, got: list.len() };
    perps::trace(&list, 0, log_height).ok_or(error)
}

/// The table of rules and signers.
pub(super) fn rules(params: &Params, rows: &Rows, log_height: usize) -> Result<Trace, RecordError> {
    let blocks: Vec<[Block; 1]> = params.blocks(List::Oracle).into_iter().map(|block| [block]).collect();
    let height = 1 << log_height;
    if blocks.len() > height {
        return Err(RecordError::TooMany { table: "rules", rows: height, got: blocks.len() });
    }
    let row = |(number, link): (usize, Link<F>)| {
        let mut row = Rule { number: F::from_usize(number), link, ..Rule::default() };
        if let Some([block]) = blocks.get(number) {
            row.is_real = F::ONE;
            row.block = *block;
        }
        if let Some(place) = number.checked_sub(1) {
            row.uses = F::from_usize(rows.signer_uses.get(place).copied().unwrap_or(0));
        } else {
            row.is_rules = F::ONE;
            row.uses = F::from_usize(rows.rules_uses);
            row.max_deviation = U24::of(params.oracle.max_deviation.get().into());
        }
        row
    };
    let links = Link::chain(&List::Oracle.iv(), &blocks, height);
    let table: Vec<Rule<F>> = links.into_iter().enumerate().map(row).collect();
    finish("rules", &table, log_height)
}
