//! Signatures that the runner makes.

use rayon::prelude::*;
use tsz_hash::Digest;
use tsz_sig::{Claim, LANES, Signature, verify_batch};
use tsz_stf::{SigVerifier, Verified};
use tsz_trade::{Op, TradeOp};

use super::{Options, Record};
use crate::ScenarioError;
use crate::keyring::Signer;

/// A signature that the runner will make: by whom, of what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want<'k> {
    pub signer: Signer<'k>,
    pub digest: Digest,
}

/// The signatures of an operation in order; `None` for those that the file gives.
pub(crate) type Wants<'k> = Vec<Option<Want<'k>>>;

/// An operation with everything but the runner's signatures.
#[derive(Clone, Debug)]
pub(crate) struct Ready<'k> {
    pub op: Op,
    pub wants: Wants<'k>,
}

impl<'k> Ready<'k> {
    /// An operation that nobody signs.
    pub fn unsigned(op: impl Into<TradeOp>) -> Self {
        Self { op: Op::Trade(op.into()), wants: Vec::new() }
    }

    /// An operation with its signatures.
    pub fn signed(op: impl Into<TradeOp>, wants: Wants<'k>) -> Self {
        Self { op: Op::Trade(op.into()), wants }
    }
}

/// Judge of operations before they are signed: the key that signs must be the one that is asked for. Signatures of
/// the file are verified.
pub(crate) struct Judge<'a, 'k>(pub &'a [Option<Want<'k>>]);

impl SigVerifier for Judge<'_, '_> {
    fn verify(&self, key_id: &Digest, message: &Digest, signature: &Signature) -> bool {
        let made = self.0.iter().flatten().any(|w| w.digest == *message && w.signer.key_id == *key_id);
        made || Verified.verify(key_id, message, signature)
    }
}

/// The places of the signatures of an operation, in the order of [`Wants`].
fn places(op: &mut Op) -> Vec<&mut Signature> {
    match op {
        Op::Fund(op) => op.signature_mut().into_iter().collect(),
        // Approved by an assertion, not by a native signature.
        Op::Auth(_) => Vec::new(),
        Op::Ext(op) => op.signature_mut().into_iter().collect(),
        Op::Trade(op) => match op {
            TradeOp::CancelOrder(op) => vec![&mut op.signature],
            TradeOp::CancelAll(op) => vec![&mut op.signature],
            TradeOp::MarginTransfer(op) => vec![&mut op.signature],
            TradeOp::SpotTrade(op) => vec![&mut op.taker.signature, &mut op.maker.signature],
            TradeOp::PerpTrade(op) => vec![&mut op.taker.signature, &mut op.maker.signature],
            TradeOp::ForcedClose(op) => op.fill.iter_mut().map(|fill| &mut fill.maker.signature).collect(),
            TradeOp::Liquidate(op) => vec![&mut op.maker.signature],
            TradeOp::OracleUpdate(op) => op.reports.iter_mut().map(|r| &mut r.signature).collect(),
            TradeOp::PremiumSample(op) => op.reports.iter_mut().map(|r| &mut r.signature).collect(),
            _ => Vec::new(),
        },
    }
}

/// Signs what the runner signs, on all cores. What was accepted asks for the keys that sign.
pub(crate) fn sign_all(
    records: &mut [Record],
    wants: &[Wants<'_>],
    path: &str,
    options: Options,
) -> Result<(), ScenarioError> {
    let sign = |(k, (record, wants)): (usize, (&mut Record, &Wants<'_>))| {
        let mut made = Vec::new();
        for (place, want) in places(&mut record.op).into_iter().zip(wants) {
            let Some(Want { signer, digest }) = want else { continue };
            let signature = signer.secret.sign(digest);
            made.push((k, Claim { key: signer.secret.public_key(), message: *digest, signature }));
            *place = signature;
        }
        made
    };
    let made = records.par_iter_mut().zip(wants).enumerate().flat_map_iter(sign);
    let (indices, claims): (Vec<usize>, Vec<Claim>) = made.collect::<Vec<_>>().into_iter().unzip();
    if !options.verify_own {
        return Ok(());
    }
    let valid: Vec<bool> = claims.par_chunks(8 * LANES).flat_map_iter(verify_batch).collect();
    match indices.into_iter().zip(valid).find(|(_, valid)| !valid) {
        Some((k, _)) => Err(ScenarioError::SelfCheck { path: format!("{path}, operation {k}") }),
        None => Ok(()),
    }
}
