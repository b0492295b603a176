//! Withdraw.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Key, Permission, TokCell};
use tsz_sig::Signature;
use tsz_types::{AccountId, Bucket, EthAddress, KeySlot, Nonce, SubId, TokenId, Units};

use super::pay_out;
use crate::bucket::{Leg, positive};
use crate::hashes::{place, sub_bits};
use crate::signer::Signer;
use crate::{Code, Env, Log, OutRecord, Receipt, Reject, Rule, SigVerifier, View, code};

/// Takes units out to L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// Payer and signer.
    pub account: AccountId,
    /// Sub-account of the payer; its nonce is used.
    pub sub: SubId,
    /// Bucket of the payer.
    pub bucket: Bucket,
    /// Token; must be listed.
    pub token: TokenId,
    /// Amount, at least 1 and at least the token's minimum.
    pub units: Units,
    /// L1 receiver.
    pub to: EthAddress,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "crate::forms::signature")]
    pub signature: Signature,
}

impl Withdraw {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        let [nonce_lo, nonce_hi] = self.nonce.to_felts();
        let mut a = ZERO;
        a[0] = F::from_u32(code::WITHDRAW);
        a[1] = F::from_u32(self.account.get());
        a[2] = F::from_u32(sub_bits(self.sub, self.bucket));
        a[3] = F::from_u32(self.token.get().into());
        place(&mut a, 4, &self.units.to_felts());
        a[7] = nonce_hi;
        let mut b = ZERO;
        place(&mut b, 0, &self.to.to_felts());
        b[7] = nonce_lo;
        [a, b]
    }

    /// The record that L1 pays.
    pub fn out_record(&self) -> OutRecord {
        OutRecord {
            op: code::WITHDRAW,
            account: self.account,
            sub: self.sub,
            bucket: self.bucket,
            token: self.token,
            units: self.units,
            to: self.to,
        }
    }
}

impl Rule for Withdraw {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let signer = Signer {
            account: self.account,
            sub: self.sub,
            key_slot: self.key_slot,
            permission: Permission::Withdraw,
            nonce: self.nonce,
            message: self.message(),
            signature: &self.signature,
        };
        run(log, &self.out_record(), |log| signer.check(env, log))
    }
}

/// Pays a record where `authorise` agrees. Accesses: those of `authorise`, TOK read, the bucket and OUT write.
pub(super) fn run<V: View>(
    log: &mut Log<'_, V>,
    record: &OutRecord,
    authorise: impl FnOnce(&mut Log<'_, V>) -> Result<(), Reject>,
) -> Result<Receipt, Reject> {
    let OutRecord { account, sub, bucket, token, units, .. } = *record;
    positive(units)?;
    let from = Leg { account, sub, bucket, token };
    from.key()?;
    authorise(log)?;
    check_token(token, units, log.read_cell(Key::tok(token.get().into()))?)?;
    from.debit(log, units)?;
    pay_out(log, Some(record));
    Ok(Receipt::out(Code::Ok, *record))
}

fn check_token(token: TokenId, units: Units, listing: TokCell) -> Result<(), Reject> {
    let TokCell { listed, minimum } = listing;
    if !listed {
        return Err(Reject::NotListed { token });
    }
    if units < minimum { Err(Reject::BelowMinimum { token, units, minimum }) } else { Ok(()) }
}
