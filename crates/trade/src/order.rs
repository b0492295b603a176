//! Orders: what is signed, and what must hold of an order by itself.

use core::fmt;

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_sig::Signature;
use tsz_stf::chain;
use tsz_types::{
    AccountId, KeySlot, KillEpoch, Lots, MarketId, Nonce, Price, Rate, Slot, SpotMarketId, SubId, TimeMs,
};

use crate::TradeReject;

/// Code of a spot order in its message.
pub const SPOT_ORDER: u32 = 20;
/// Code of a perpetual order in its message.
pub const PERP_ORDER: u32 = 21;

/// Direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum Side {
    /// Pays quote for base.
    Buy = 0,
    /// Gives base for quote.
    Sell = 1,
}

/// Time in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum Tif {
    /// Until it expires.
    #[default]
    Gtt = 0,
    /// Taker only; what is left is cancelled.
    Ioc = 1,
    /// Taker only; all at once.
    Fok = 2,
    /// Maker only.
    PostOnly = 3,
}

/// What happens when a taker meets an order of its own sub-account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum SelfTrade {
    /// No fill.
    #[default]
    Reject = 0,
    /// Both orders shrink, nothing else moves.
    Decrement = 1,
}

/// Condition of an order's first fill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// None.
    #[default]
    None,
    /// The mark is at the price or above.
    Above(Price),
    /// The mark is at the price or below.
    Below(Price),
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "none"),
            Self::Above(price) => write!(f, "above {price}"),
            Self::Below(price) => write!(f, "below {price}"),
        }
    }
}

/// What spot and perpetual orders have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Account.
    pub account: AccountId,
    /// Sub-account.
    pub sub: SubId,
    /// Order slot.
    pub slot: Slot,
    /// Nonce in the slot, at most 2^32 - 2.
    pub nonce: Nonce,
    /// Direction.
    pub side: Side,
    /// Lots in all, at least 1.
    pub lots: Lots,
    /// Limit price.
    pub price: Price,
    /// Time in force.
    #[serde(default)]
    pub tif: Tif,
    /// Self-trade mode; the taker's counts.
    #[serde(default)]
    pub self_trade: SelfTrade,
    /// Largest fee as a taker, not negative.
    pub max_taker_fee: Rate,
    /// Largest fee as a maker; a negative one demands a rebate.
    pub max_maker_fee: Rate,
    /// Account that gets a share of the fee, in its sub-account 0.
    pub broker: AccountId,
    /// The broker's share, not negative.
    pub broker_rate: Rate,
    /// The order is good before this time.
    pub expiry: TimeMs,
    /// Kill epoch of the sub-account.
    pub kill_epoch: KillEpoch,
}

/// An order in a spot market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "flat::SpotOrder")]
pub struct SpotOrder {
    /// Market.
    pub market: SpotMarketId,
    /// The rest.
    #[serde(flatten)]
    pub terms: Terms,
}

/// An order in a perpetual market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "flat::PerpOrder")]
pub struct PerpOrder {
    /// Market.
    pub market: MarketId,
    /// Never grows or flips the position.
    pub reduce_only: bool,
    /// Condition of the first fill.
    pub trigger: Trigger,
    /// The rest.
    #[serde(flatten)]
    pub terms: Terms,
}

/// An order with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "O: Serialize", deserialize = "O: Deserialize<'de>"), deny_unknown_fields)]
pub struct Signed<O> {
    /// The order.
    pub order: O,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the order's digest.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
    /// The order's digest, if it was computed before.
    #[serde(skip)]
    pub prepared: Prepared<O>,
}

/// The digest of an order, kept from its intake: hashing costs more than all else of a trade without signatures.
/// It is used for exactly the order and the system it was computed for, so it cannot be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<O>(Option<(Digest, O, Digest)>);

impl<O> Default for Prepared<O> {
    fn default() -> Self {
        Self(None)
    }
}

/// What is remembered is no part of an order's value.
impl<O> PartialEq for Prepared<O> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<O> Eq for Prepared<O> {}

impl<O: Order + Copy + PartialEq> Signed<O> {
    /// What is signed, in the system with digest `system`.
    pub fn digest(&self, system: &Digest) -> Digest {
        match &self.prepared.0 {
            Some((s, order, digest)) if s == system && *order == self.order => *digest,
            _ => self.order.digest(system),
        }
    }

    /// Remembers the digest.
    pub fn prepare(&mut self, system: &Digest) {
        self.prepared = Prepared(Some((*system, self.order, self.digest(system))));
    }
}

/// An order of either family.
pub trait Order {
    /// What the families share.
    fn terms(&self) -> &Terms;

    /// Blocks of the signed message.
    fn message(&self) -> [Block; 3];

    /// What is signed, in the system with digest `system`.
    fn digest(&self, system: &Digest) -> Digest {
        chain(system, &self.message())
    }
}

impl Terms {
    /// What must hold of the order whatever the state is.
    pub(crate) fn check(&self) -> Result<(), TradeReject> {
        let Self { account, slot, .. } = *self;
        if self.nonce == Nonce::MAX {
            return Err(TradeReject::LastNonce { account, slot });
        }
        for (what, rate) in [("taker fee cap", self.max_taker_fee), ("broker rate", self.broker_rate)] {
            if rate.is_negative() {
                return Err(TradeReject::NegativeRate { account, slot, what, rate });
            }
        }
        Ok(())
    }

    /// Whether it buys.
    pub fn buys(&self) -> bool {
        self.side == Side::Buy
    }

    /// Whether the order may trade at `price`.
    pub fn accepts(&self, price: Price) -> bool {
        if self.buys() { price <= self.price } else { price >= self.price }
    }

    /// The message with `flags` and `trigger` of the family.
    fn blocks(&self, code: u32, market: u32, flags: u32, trigger: u32) -> [Block; 3] {
        let mut out = [ZERO; 3];
        let small =
            [code, self.account.get(), u32::from(self.sub.get()) + 32 * u32::from(self.slot.get()), market];
        fill(&mut out[0], 0, &small.map(F::from_u32));
        fill(&mut out[0], 4, &self.price.to_felts());
        fill(&mut out[0], 6, &self.lots.to_felts());
        fill(&mut out[1], 0, &self.nonce.to_felts());
        let flags = flags + self.side as u32 + 2 * self.tif as u32 + 16 * self.self_trade as u32;
        out[1][2] = F::from_u32(flags);
        fill(&mut out[1], 3, &self.expiry.to_felts());
        fill(&mut out[1], 5, &self.kill_epoch.to_felts());
        out[1][7] = self.max_taker_fee.to_felts()[0];
        fill(&mut out[2], 0, &self.max_maker_fee.to_felts());
        out[2][2] = F::from_u32(self.broker.get());
        out[2][3] = self.broker_rate.to_felts()[0];
        fill(&mut out[2], 4, &tsz_types::split_limbs::<2>(trigger.into()));
        out
    }
}

/// Copies felts into a block.
pub(crate) fn fill(block: &mut Block, at: usize, felts: &[F]) {
    for (to, from) in block[at..].iter_mut().zip(felts) {
        *to = *from;
    }
}

impl Order for SpotOrder {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn message(&self) -> [Block; 3] {
        self.terms.blocks(SPOT_ORDER, self.market.get().into(), 0, 0)
    }
}

impl Order for PerpOrder {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn message(&self) -> [Block; 3] {
        let (kind, price) = match self.trigger {
            Trigger::None => (0, 0),
            Trigger::Above(price) => (1, price.get()),
            Trigger::Below(price) => (2, price.get()),
        };
        let flags = 8 * u32::from(self.reduce_only) + 32 * kind;
        self.terms.blocks(PERP_ORDER, self.market.get().into(), flags, price)
    }
}

/// The forms that orders are read in: serde lets unknown fields of a flattened struct pass, and an order whose
/// `reduce_only` is misspelled is another order.
mod flat {
    use serde::Deserialize;
    use tsz_types::{
        AccountId, KillEpoch, Lots, MarketId, Nonce, Price, Rate, Slot, SpotMarketId, SubId, TimeMs,
    };

    use super::{SelfTrade, Side, Terms, Tif, Trigger};

    /// An order's own fields beside those of [`Terms`].
    macro_rules! flat {
        ($name:ident { $($(#[$attr:meta])? $field:ident: $ty:ty),* $(,)? }) => {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $($(#[$attr])? $field: $ty,)*
                account: AccountId,
                sub: SubId,
                slot: Slot,
                nonce: Nonce,
                side: Side,
                lots: Lots,
                price: Price,
                #[serde(default)]
                tif: Tif,
                #[serde(default)]
                self_trade: SelfTrade,
                max_taker_fee: Rate,
                max_maker_fee: Rate,
                broker: AccountId,
                broker_rate: Rate,
                expiry: TimeMs,
                kill_epoch: KillEpoch,
            }

            impl From<$name> for super::$name {
                fn from(flat: $name) -> Self {
                    Self {
                        $($field: flat.$field,)*
                        terms: Terms {
                            account: flat.account,
                            sub: flat.sub,
                            slot: flat.slot,
                            nonce: flat.nonce,
                            side: flat.side,
                            lots: flat.lots,
                            price: flat.price,
                            tif: flat.tif,
                            self_trade: flat.self_trade,
                            max_taker_fee: flat.max_taker_fee,
                            max_maker_fee: flat.max_maker_fee,
                            broker: flat.broker,
                            broker_rate: flat.broker_rate,
                            expiry: flat.expiry,
                            kill_epoch: flat.kill_epoch,
                        },
                    }
                }
            }
        };
    }

    flat!(SpotOrder { market: SpotMarketId });
    flat!(PerpOrder {
        market: MarketId,
        #[serde(default)]
        reduce_only: bool,
        #[serde(default)]
        trigger: Trigger,
    });
}
