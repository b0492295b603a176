//! Transfers and withdrawals that a token approves: the tables of the fund circuit, approved on bus `token`.

use tsz_air::{Air, BaseAir, F, InteractionBuilder, TableAir};
use tsz_fund::tables::{Transfer, Withdraw, transfer_constraints, withdraw_constraints};
use tsz_fund::{Leg, transfer_row, withdraw_row};
use tsz_gadgets::layout::{Columns, names};
use tsz_gadgets::signer::Approver;
use tsz_gadgets::table::SIGNED_PUBLICS;
use tsz_ledger::{Access, BatchContext, Scheme};
use tsz_stf::{Payee, Payment, auth_code};
use tsz_types::{AccountId, Bucket, SubId};

use crate::record::{OidcRecord, RecordError};

/// Accesses of a payment.
pub(crate) const ACCESSES: usize = 7;
/// Writes of a payment.
pub(crate) const WRITES: usize = 3;
/// Permutations of a withdrawal's record.
pub(crate) const RECORD: usize = 2;
/// Access of a transfer, and of a withdrawal, that reads the provider's cell: given by table `oidc_approval`.
pub(crate) const PROVIDERS: [usize; 2] = [4, 3];

/// AIR of [`Transfer`]. Public values: S (8), T (2).
#[derive(Clone, Copy, Debug)]
pub struct TransferByAir;

/// AIR of [`Withdraw`]. Public values: S (8), T (2).
#[derive(Clone, Copy, Debug)]
pub struct WithdrawByAir;

macro_rules! pay_air {
    ($air:ident, $cols:ident, $name:literal, $constraints:ident, $code:expr) => {
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
                $constraints(builder, $code, Approver::Token { scheme: Scheme::Oidc.code() });
            }
        }
    };
}

pay_air!(TransferByAir, Transfer, "transfer_by", transfer_constraints, auth_code::TRANSFER_BY_OIDC);
pay_air!(WithdrawByAir, Withdraw, "withdraw_by", withdraw_constraints, auth_code::WITHDRAW_BY_OIDC);

/// The row of a payment.
pub(crate) enum Paid {
    Transfer(Transfer<F>),
    Withdraw(Withdraw<F>),
}

/// The row of a payment, and which of its accesses the table leaves to that of approvals.
pub(crate) fn row(
    context: &BatchContext,
    record: &OidcRecord,
    payment: &Payment,
) -> Result<(Paid, usize), RecordError> {
    let wrong =
        || RecordError::Accesses { index: record.index, expected: ACCESSES, got: record.accesses.len() };
    let [transfer, withdrawal] = PROVIDERS;
    let place = if matches!(payment.to, Payee::Bucket { .. }) { transfer } else { withdrawal };
    if record.accesses.len() != ACCESSES {
        return Err(wrong());
    }
    let others = record.accesses.iter().enumerate().filter(|(k, _)| *k != place);
    let accesses: Vec<Access> = others.map(|(_, access)| *access).collect();
    let leg = |account: AccountId, sub: SubId, bucket: Bucket| Leg {
        account: account.get(),
        sub: sub.get().into(),
        collateral: bucket.is_collateral(),
    };
    let paid = |code| tsz_fund::Payment {
        context,
        index: record.index,
        accesses: &accesses,
        code,
        slot: payment.key_slot.get().into(),
        from: leg(payment.account, payment.sub, payment.bucket),
        token: payment.token.get().into(),
        units: payment.units.get(),
    };
    let row = match payment.to {
        Payee::Bucket { account, sub, bucket } => {
            let paid = paid(auth_code::TRANSFER_BY_OIDC);
            Paid::Transfer(transfer_row(&paid, &leg(account, sub, bucket)).map_err(|_| wrong())?)
        }
        Payee::Address(to) => {
            let paid = paid(auth_code::WITHDRAW_BY_OIDC);
            Paid::Withdraw(withdraw_row(&paid, &to.to_felts()).map_err(|_| wrong())?)
        }
    };
    Ok((row, place))
}
