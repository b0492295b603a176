//! Whether the sender of an L1 op owns the account.

use tsz_air::InteractionBuilder;
use tsz_air::PrimeCharacteristicRing;
use tsz_hash::{Digest, F};

use crate::columns;
use crate::inverse;
use crate::limb::Address;
use crate::row::{Row, c, pad8};

columns! {
    /// The account cell against the sender of an L1 op.
    pub struct Owner {
        /// Owner in the account cell; bound by the bus.
        owner: [7],
        /// Flags of the account cell: 1 = exists; boolean.
        exists: felt,
        /// Sender of the L1 op; range12.
        sender: (Address),
        /// Weights w with sum (owner_k - sender_k) w_k = 1 where the row claims another owner.
        weights: [7],
        /// The op is refused because the account does not exist; boolean.
        is_absent: felt,
        /// The op is refused because the owner is another; boolean.
        is_other: felt,
    }
}

impl Owner<F> {
    /// Columns of an account cell and a sender.
    pub fn of(acct: &Digest, sender: &[F; 7]) -> Self {
        let mut weights = [F::ZERO; 7];
        let differs = (0..7).find(|&k| acct[k] != sender[k]);
        let is_absent = acct[7] == F::ZERO;
        if let Some(k) = differs.filter(|_| !is_absent) {
            weights[k] = inverse(acct[k] - sender[k]);
        }
        Self {
            owner: core::array::from_fn(|k| acct[k]),
            exists: acct[7],
            sender: Address::of(sender),
            weights,
            is_absent: F::from_bool(is_absent),
            is_other: F::from_bool(!is_absent && differs.is_some()),
        }
    }

    /// Whether the sender owns the account.
    pub fn holds(&self) -> bool {
        self.is_absent == F::ZERO && self.is_other == F::ZERO
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// Access `j`: the account cell. If `ok`, it exists and the sender owns it; `is_absent` and `is_other` are
    /// true where they are 1. That one of all reasons or `ok` is 1 is for the caller to demand.
    pub fn owner(&mut self, j: u32, o: &Owner<AB::Expr>, ok: &AB::Expr, account: AB::Expr) {
        self.key(j, false, account, AB::Expr::ONE);
        let mut leaf = pad8(&o.owner);
        leaf[7] = o.exists.clone();
        self.old(j, leaf);
        self.boolean(&o.exists);
        self.address(&o.sender);
        self.boolean(&o.is_absent);
        self.boolean(&o.is_other);
        let sender = o.sender.values();
        let mut difference = AB::Expr::ZERO;
        for ((owner, sender), weight) in o.owner.iter().zip(sender).zip(&o.weights) {
            let d = owner.clone() - sender;
            self.zero(ok.clone() * d.clone());
            difference += d * weight.clone();
        }
        self.zero(ok.clone() * (c::<AB::Expr>(1) - o.exists.clone()));
        self.zero(o.is_absent.clone() * o.exists.clone());
        self.zero(o.is_other.clone() * (difference - AB::Expr::ONE));
    }
}
