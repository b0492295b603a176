//! Transfer.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{HeadCell, Key, Permission};
use tsz_sig::Signature;
use tsz_types::{AccountId, Bucket, KeySlot, Nonce, SubId, TokenId, Units};

use crate::bucket::{Leg, positive};
use crate::hashes::{place, sub_bits};
use crate::signer::Signer;
use crate::{Env, Log, Receipt, Reject, Rule, SigVerifier, View, code};

/// Moves units between two buckets, of one account or of two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Payer and signer.
    pub account: AccountId,
    /// Sub-account of the payer; its nonce is used.
    pub sub: SubId,
    /// Bucket of the payer.
    pub bucket: Bucket,
    /// Receiver; must exist.
    pub to_account: AccountId,
    /// Sub-account of the receiver.
    pub to_sub: SubId,
    /// Bucket of the receiver.
    pub to_bucket: Bucket,
    /// Token; the quote token if either bucket is collateral.
    pub token: TokenId,
    /// Amount, at least 1.
    pub units: Units,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "crate::forms::signature")]
    pub signature: Signature,
}

impl Transfer {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        let [nonce_lo, nonce_hi] = self.nonce.to_felts();
        let mut a = ZERO;
        a[0] = F::from_u32(code::TRANSFER);
        a[1] = F::from_u32(self.account.get());
        a[2] = F::from_u32(sub_bits(self.sub, self.bucket));
        a[3] = F::from_u32(self.token.get().into());
        place(&mut a, 4, &self.units.to_felts());
        a[7] = nonce_hi;
        let mut b = ZERO;
        b[0] = F::from_u32(self.to_account.get());
        b[1] = F::from_u32(sub_bits(self.to_sub, self.to_bucket));
        b[7] = nonce_lo;
        [a, b]
    }

    /// The right that the key needs.
    pub fn permission(&self) -> Permission {
        if self.to_account == self.account { Permission::TransferInternal } else { Permission::TransferOut }
    }
}

impl Rule for Transfer {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let from = Leg { account: self.account, sub: self.sub, bucket: self.bucket, token: self.token };
        let to =
            Leg { account: self.to_account, sub: self.to_sub, bucket: self.to_bucket, token: self.token };
        let signer = Signer {
            account: self.account,
            sub: self.sub,
            key_slot: self.key_slot,
            permission: self.permission(),
            nonce: self.nonce,
            message: self.message(),
            signature: &self.signature,
        };
        run(log, (from, to), self.units, |log| signer.check(env, log))
    }
}

/// Moves `units` where `authorise` agrees. Accesses: HEAD read, those of `authorise`, both buckets write.
pub(super) fn run<V: View>(
    log: &mut Log<'_, V>,
    (from, to): (Leg, Leg),
    units: Units,
    authorise: impl FnOnce(&mut Log<'_, V>) -> Result<(), Reject>,
) -> Result<Receipt, Reject> {
    positive(units)?;
    if from.key()? == to.key()? {
        return Err(Reject::SameBucket);
    }
    let HeadCell { next_account, .. } = log.read_cell(Key::HEAD)?;
    if to.account.get() >= next_account {
        return Err(Reject::NoAccount { account: to.account, next_account });
    }
    authorise(log)?;
    from.debit(log, units)?;
    to.credit(log, units)?;
    Ok(Receipt::OK)
}
