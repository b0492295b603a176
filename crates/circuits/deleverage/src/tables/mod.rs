//! The tables of the circuit: columns and constraints.

mod adl;
mod bearer;
mod force;
mod found;
mod holder;
mod interest;
mod kind;
mod length;
mod loss;
mod offer;
mod page;
mod payment;
mod ranking;
mod refusal;
mod verdict;
mod well;

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::row::{Row, c};

pub use adl::{Adl, AdlAir};
pub use bearer::{Bearer, BearerAir};
pub use force::{Force, ForceAir, Outcome};
pub use found::Found;
pub use holder::{Holder, HolderAir};
pub use interest::Interest;
pub use kind::{BEYOND, Kind};
pub use length::Length;
pub use loss::{Loss, LossAir};
pub use offer::Offer;
pub use page::{Page, PageAir, Turn};
pub use payment::Payment;
pub use ranking::Ranking;
pub use refusal::{Refusal, RefusalAir};
pub use verdict::{Growth, Verdict};
pub use well::{Well, WellAir};

/// Account of insurance.
pub(crate) const INSURANCE: u32 = 1;

/// What `constrain` asserts of real rows holds where the boolean `flag` (at most `real`) is 1; elsewhere its columns may
/// be those of padding.
fn section<'a, AB: InteractionBuilder<F = F>>(
    row: &mut Row<'a, AB>,
    flag: &AB::Expr,
    constrain: impl FnOnce(&mut Row<'a, AB>),
) {
    let real = core::mem::replace(&mut row.real, flag.clone());
    constrain(row);
    row.real = real;
}

/// Keys of SUB and POS.
fn cells<E: PrimeCharacteristicRing + Clone>(account: E, sub: E, market: E) -> [[E; 2]; 2] {
    let sub = sub * c::<E>(512);
    let pos = sub.clone() + c::<E>(256) + market;
    [[account.clone(), sub], [account, pos]]
}
