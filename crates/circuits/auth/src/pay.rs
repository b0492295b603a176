//! Transfers and withdrawals that an external key approves: the tables of the fund circuit, approved on bus `login`.

use tsz_air::{Air, BaseAir, F, InteractionBuilder, TableAir};
use tsz_fund::tables::{Transfer, Withdraw, transfer_constraints, withdraw_constraints};
use tsz_fund::{Leg, transfer_row, withdraw_row};
use tsz_gadgets::layout::{Columns, names};
use tsz_gadgets::signer::Approver;
use tsz_gadgets::table::SIGNED_PUBLICS;
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_stf::{AuthOp, Payee, Payment};

use crate::login::{AuthRecord, Kind, RecordError, wrong};

/// Accesses of a payment.
pub(crate) const ACCESSES: usize = 6;
/// Writes of a payment.
pub(crate) const WRITES: usize = 3;
/// Permutations of a withdrawal's record.
pub(crate) const RECORD: usize = 2;

/// AIR of [`Transfer`] for one kind of key. Public values: S (8), T (2).
#[derive(Clone, Copy, Debug)]
pub struct TransferByAir(pub Kind);

/// AIR of [`Withdraw`] for one kind of key. Public values: S (8), T (2).
#[derive(Clone, Copy, Debug)]
pub struct WithdrawByAir(pub Kind);

impl Kind {
    /// Codes of a transfer and of a withdrawal.
    const fn pay_codes(self) -> [u32; 2] {
        match self {
            Self::Passkey => [76, 77],
            Self::Wallet => [78, 79],
        }
    }

    const fn approver(self) -> Approver {
        Approver::Login { scheme: self.scheme().code() }
    }
}

macro_rules! pay_air {
    ($air:ident, $cols:ident, $name:literal, $constraints:ident, $code:literal) => {
        impl TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                names::<$cols<()>>()
            }
        }

        impl BaseAir<F> for $air {
            fn width(&self) -> usize {
                <$cols<()> as Columns<()>>::WIDTH
            }
            fn num_public_values(&self) -> usize {
                SIGNED_PUBLICS
            }
            fn main_next_row_columns(&self) -> Vec<usize> {
                Vec::new()
            }
        }

        impl<AB: InteractionBuilder<F = F>> Air<AB> for $air {
            fn eval(&self, builder: &mut AB) {
                $constraints(builder, self.0.pay_codes()[$code], self.0.approver());
            }
        }
    };
}

pay_air!(TransferByAir, Transfer, "transfer_by", transfer_constraints, 0);
pay_air!(WithdrawByAir, Withdraw, "withdraw_by", withdraw_constraints, 1);

/// The payment of an op, if it is one.
pub(crate) fn payment(op: &AuthOp) -> Option<&Payment> {
    match op {
        AuthOp::PayByPasskey(op) => Some(&op.payment),
        AuthOp::PayByWallet(op) => Some(&op.payment),
        // Of another family: its approval is refused.
        AuthOp::PayByOidc(op) => Some(&op.payment),
        _ => None,
    }
}

/// Rows of payments, with the messages that are approved, in the order of the records.
#[derive(Default)]
pub(crate) struct Rows {
    pub transfers: Vec<Transfer<F>>,
    pub withdrawals: Vec<Withdraw<F>>,
}

impl Rows {
    /// Adds the row of a payment; gives the message.
    pub fn push(
        &mut self,
        kind: Kind,
        context: &BatchContext,
        record: &AuthRecord,
        payment: &Payment,
    ) -> Result<Digest, RecordError> {
        let [transfer, withdrawal] = kind.pay_codes();
        let leg = |account: tsz_types::AccountId, sub: tsz_types::SubId, bucket: tsz_types::Bucket| Leg {
            account: account.get(),
            sub: sub.get().into(),
            collateral: bucket.is_collateral(),
        };
        let paid = |code| tsz_fund::Payment {
            context,
            index: record.index,
            accesses: &record.accesses,
            code,
            slot: payment.key_slot.get().into(),
            from: leg(payment.account, payment.sub, payment.bucket),
            token: payment.token.get().into(),
            units: payment.units.get(),
        };
        Ok(match payment.to {
            Payee::Bucket { account, sub, bucket } => {
                let row = transfer_row(&paid(transfer), &leg(account, sub, bucket))
                    .map_err(|_| wrong(record, ACCESSES))?;
                let digest = row.signer.digest;
                self.transfers.push(row);
                digest
            }
            Payee::Address(to) => {
                let row =
                    withdraw_row(&paid(withdrawal), &to.to_felts()).map_err(|_| wrong(record, ACCESSES))?;
                let digest = row.signer.digest;
                self.withdrawals.push(row);
                digest
            }
        })
    }
}
