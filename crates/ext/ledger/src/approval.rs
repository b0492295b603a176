//! ApproveExtension and RevokeExtension: a user lets a program act on a sub-account.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Cell, Key, Permission, Scheme};
use tsz_sig::Signature;
use tsz_stf::{Authority, Log, Reject, SigVerifier, View, chain};
use tsz_types::{AccountId, Balance, KeySlot, Nonce, SubId, TimeMs, Units};

use crate::cells::{ApprovalPolicy, ApprovalSlot, LimitCell, Limited, MAX_LIMITS, key};
use crate::op::code;
use crate::{ExtContext, ExtReject};

/// The most of a token that may be out at any time, or that legs may have lost and put at risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The token, or positions.
    #[serde(rename = "token")]
    pub of: Limited,
    /// Outflow less inflow, in units of the token; of positions in quote units.
    pub units: Units,
}

/// Lets a program act on a sub-account under signed terms, over what the slot held before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveExtension {
    /// Account and signer.
    pub account: AccountId,
    /// Sub-account; its nonce is used.
    pub sub: SubId,
    /// Slot of the approval.
    pub slot: ApprovalSlot,
    /// Algorithm id of the program, not zero.
    #[serde(with = "tsz_stf::forms::digest")]
    pub program: Digest,
    /// Digest of what the program is asked to do ([`crate::terms_digest`]).
    #[serde(with = "tsz_stf::forms::digest")]
    pub terms: Digest,
    /// The approval is good before this time.
    pub expiry: TimeMs,
    /// What may flow out, in strict order of tokens, positions last, at most 4.
    pub limits: Vec<Limit>,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

/// Empties an approval slot. The number of approvals that it had stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeExtension {
    /// Account and signer.
    pub account: AccountId,
    /// Sub-account; its nonce is used.
    pub sub: SubId,
    /// Slot of the approval.
    pub slot: ApprovalSlot,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

/// The block that both messages begin with.
fn head(code: u32, account: AccountId, sub: SubId, slot: ApprovalSlot, nonce: Nonce) -> Block {
    let [nonce_lo, nonce_hi] = nonce.to_felts();
    let place = u32::from(sub.get()) + 32 * u32::from(slot.get());
    let mut block = ZERO;
    block[..3].copy_from_slice(&[code, account.get(), place].map(F::from_u32));
    block[3] = nonce_lo;
    block[4] = nonce_hi;
    block
}

impl ApproveExtension {
    /// Blocks of the signed message: head with expiry, program, terms, tokens + 1 and limits of 3 felts.
    pub fn message(&self) -> [Block; 5] {
        let mut first = head(code::APPROVE_EXTENSION, self.account, self.sub, self.slot, self.nonce);
        first[5..7].copy_from_slice(&self.expiry.to_felts());
        let mut last = [F::ZERO; 16];
        for (k, limit) in self.limits.iter().take(MAX_LIMITS).enumerate() {
            last[k] = F::from_u32(u32::from(limit.of.number()) + 1);
            last[4 + 3 * k..7 + 3 * k].copy_from_slice(&limit.units.to_felts());
        }
        let half = |at: usize| core::array::from_fn(|k| last[at + k]);
        [first, self.program, self.terms, half(0), half(8)]
    }

    fn check(&self) -> Result<(), ExtReject> {
        if self.program == ZERO {
            return Err(ExtReject::NoProgram);
        }
        let ordered = self.limits.windows(2).all(|w| w[0].of < w[1].of);
        if ordered && self.limits.len() <= MAX_LIMITS { Ok(()) } else { Err(ExtReject::Limits) }
    }

    /// Accesses: KEYA read, KEYB read, CTL write; PROGRAM write, TERMS write, POLICY write, LIMIT write of all four.
    pub(crate) fn run<V: View, P, S: SigVerifier, M>(
        &self,
        ctx: &ExtContext<'_, P, S, M>,
        log: &mut Log<'_, V>,
    ) -> Result<(), ExtReject> {
        self.check()?;
        let signed = Signed { message: &self.message(), signature: &self.signature };
        signed.check(ctx, log, (self.account, self.sub), self.key_slot, self.nonce)?;
        let place = (self.account, self.sub, self.slot);
        let epoch = next_epoch(log, key::policy(place.0, place.1, place.2))?;
        let limit = |k: usize| self.limits.get(k).map(|l| l.of);
        let policy = ApprovalPolicy { expiry: self.expiry.get(), epoch, limits: core::array::from_fn(limit) };
        log.write(key::program(place.0, place.1, place.2), self.program);
        log.write(key::terms(place.0, place.1, place.2), self.terms);
        log.write_cell(key::policy(place.0, place.1, place.2), &policy);
        for index in 0..MAX_LIMITS {
            let limit = self.limits.get(index).map_or(Balance::MIN, |l| Balance::from(l.units));
            let cell = LimitCell { limit, used: Balance::MIN };
            log.write_cell(key::limit(place.0, place.1, place.2, index as u32), &cell); // below 4
        }
        Ok(())
    }
}

impl RevokeExtension {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        [head(code::REVOKE_EXTENSION, self.account, self.sub, self.slot, self.nonce), ZERO]
    }

    /// Accesses: KEYA read, KEYB read, CTL write; PROGRAM write, POLICY write.
    pub(crate) fn run<V: View, P, S: SigVerifier, M>(
        &self,
        ctx: &ExtContext<'_, P, S, M>,
        log: &mut Log<'_, V>,
    ) -> Result<(), ExtReject> {
        let signed = Signed { message: &self.message(), signature: &self.signature };
        signed.check(ctx, log, (self.account, self.sub), self.key_slot, self.nonce)?;
        let policy_key = key::policy(self.account, self.sub, self.slot);
        let epoch = policy(log, policy_key)?.epoch;
        log.write(key::program(self.account, self.sub, self.slot), ZERO);
        log.write_cell(policy_key, &ApprovalPolicy { epoch, ..ApprovalPolicy::default() });
        Ok(())
    }
}

fn policy<V: View>(log: &Log<'_, V>, key: Key) -> Result<ApprovalPolicy, ExtReject> {
    ApprovalPolicy::from_leaf(&log.peek(key)).map_err(|error| ExtReject::corrupt(key, error))
}

/// The number of the slot's next approval.
fn next_epoch<V: View>(log: &Log<'_, V>, key: Key) -> Result<u32, ExtReject> {
    let epoch = policy(log, key)?.epoch + 1; // 24 bits
    if epoch >> ApprovalPolicy::EPOCH_BITS == 0 { Ok(epoch) } else { Err(ExtReject::EpochExhausted) }
}

/// The signed part of an approval.
struct Signed<'a> {
    message: &'a [Block],
    signature: &'a Signature,
}

impl Signed<'_> {
    /// Checks key, policy, nonce and signature. Accesses: KEYA read, KEYB read, CTL write.
    fn check<V: View, P, S: SigVerifier, M>(
        &self,
        ctx: &ExtContext<'_, P, S, M>,
        log: &mut Log<'_, V>,
        (account, sub): (AccountId, SubId),
        key_slot: KeySlot,
        nonce: Nonce,
    ) -> Result<(), ExtReject> {
        // what the fee account holds is the operator's to take by its own operations, not a program's to pay with
        if account == AccountId::FEES {
            return Err(Reject::Reserved { account }.into());
        }
        let (permission, scheme) = (Permission::Extension, Scheme::Schnorr);
        let key_id =
            Authority { account, sub, key_slot, permission, nonce, scheme }.check(ctx.batch.time, log)?;
        let digest = chain(&ctx.batch.system, self.message);
        if ctx.verifier.verify(&key_id, &digest, self.signature) {
            Ok(())
        } else {
            Err(Reject::Signature.into())
        }
    }
}
