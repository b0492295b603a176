//! What the runner fills in of operations of the extension layer: nonces, digests, cells, who signs.

use tsz_ext::{
    ApproveExtension, Approver, ExtOp, Extension, Installed, RevokeExtension, Touch, key, terms_digest,
};
use tsz_ext_apps::grid::{Terms, host};
use tsz_ledger::{CtlCell, Key};
use tsz_stf::chain;
use tsz_trade::{Op, Party};
use tsz_types::{AccountId, KeySlot, Nonce};

use super::sign::Ready;
use super::state::Moment;
use super::{Desk, programs};
use crate::op::{ApproveSpec, ExtSpec, ExtensionSpec, GridFillSpec, RevokeSpec, blank_signature};

impl<'k> Desk<'k> {
    /// The operation of an entry, without the runner's signature.
    pub(super) fn ext(&mut self, spec: &ExtSpec, at: &Moment<'_>) -> Result<Ready<'k>, String> {
        match spec {
            ExtSpec::ApproveExtension(spec) => self.approve(spec, at),
            ExtSpec::RevokeExtension(spec) => self.revoke(spec, at),
            ExtSpec::Extension(spec) => Ok(unsigned(extension(spec))),
            ExtSpec::GridFill(spec) => self.grid_fill(spec).map(unsigned),
            ExtSpec::OptionTrade(spec) => self.option_trade(spec, at).map(unsigned),
            ExtSpec::OptionSample { series } => programs::option_sample(series, at).map(unsigned),
            ExtSpec::OptionPayout { series, holders } => {
                programs::option_payout(series, holders, at).map(unsigned)
            }
            ExtSpec::BrokerMatch(spec) => self.broker_match(spec, at).map(unsigned),
            ExtSpec::BlockTrade { buyer, seller, lots } => {
                self.block_trade(*buyer, *seller, *lots, at).map(unsigned)
            }
            ExtSpec::VestingPay { payer, receiver } => self.vesting_pay(*payer, *receiver, at).map(unsigned),
        }
    }

    fn approve(&mut self, spec: &ApproveSpec, at: &Moment<'_>) -> Result<Ready<'k>, String> {
        let Approver { account, sub, slot } = spec.place;
        let terms = programs::words_of(&spec.terms, spec.place, at)?;
        let mut op = ApproveExtension {
            account,
            sub,
            slot,
            program: spec.program,
            terms: terms_digest(&terms),
            expiry: spec.expiry,
            limits: spec.limits.clone(),
            nonce: nonce(spec.place, spec.nonce, at)?,
            key_slot: KeySlot::MIN,
            signature: blank_signature(),
        };
        let digest = chain(&at.context.system, &op.message());
        let (key_slot, want) = self.signer(&spec.signer, Party { account, sub }, digest, at)?;
        op.key_slot = key_slot;
        op.signature = spec.signer.signature.unwrap_or(op.signature);
        self.terms.insert((account, sub, slot), terms);
        Ok(Ready { op: Op::Ext(ExtOp::ApproveExtension(op)), wants: vec![want] })
    }

    fn revoke(&mut self, spec: &RevokeSpec, at: &Moment<'_>) -> Result<Ready<'k>, String> {
        let Approver { account, sub, slot } = spec.place;
        let mut op = RevokeExtension {
            account,
            sub,
            slot,
            nonce: nonce(spec.place, spec.nonce, at)?,
            key_slot: KeySlot::MIN,
            signature: blank_signature(),
        };
        let digest = chain(&at.context.system, &op.message());
        let (key_slot, want) = self.signer(&spec.signer, Party { account, sub }, digest, at)?;
        op.key_slot = key_slot;
        op.signature = spec.signer.signature.unwrap_or(op.signature);
        Ok(Ready { op: Op::Ext(ExtOp::RevokeExtension(op)), wants: vec![want] })
    }

    /// The operation of the program `grid` under the terms that the file's last approvals of both slots have.
    fn grid_fill(&self, spec: &GridFillSpec) -> Result<Extension, String> {
        let (terms, intent) = (self.approved(&spec.grid)?, self.approved(&spec.intent)?);
        let market = Terms::parse(terms).map_err(|fault| fault.to_string())?.market;
        let mut cells = Vec::new();
        let mut owners = vec![(spec.grid.account, spec.grid.sub), (spec.intent.account, spec.intent.sub)];
        if spec.fees != [0, 0] {
            owners.push((AccountId::FEES, tsz_types::SubId::MIN));
        }
        for (account, sub) in owners {
            let bal = |token| Touch::write(Key::bal(account.get(), sub.get().into(), token));
            cells.extend([market.base, market.quote].map(bal));
        }
        let stored =
            |place: &Approver, index| Touch::write(key::storage(place.account, place.sub, place.slot, index));
        cells.extend(host::cells(&spec.fills).into_iter().map(|index| stored(&spec.grid, index)));
        cells.push(stored(&spec.intent, 0));
        cells.sort_by_key(|touch| touch.key);
        let grid_is_second = (spec.intent.account, spec.intent.sub) < (spec.grid.account, spec.grid.sub);
        let parties =
            if grid_is_second { vec![spec.intent, spec.grid] } else { vec![spec.grid, spec.intent] };
        let args = host::args(grid_is_second.into(), spec.fees, &spec.fills, terms, intent);
        let program = Installed::id("grid").ok_or("the program grid is not installed")?;
        Ok(Extension { program, parties, cells, args })
    }
}

fn extension(spec: &ExtensionSpec) -> Extension {
    let mut cells = spec.cells.clone();
    cells.sort_by_key(|touch| touch.key);
    Extension { program: spec.program, parties: spec.parties.clone(), cells, args: spec.args.clone() }
}

fn unsigned<'k>(op: Extension) -> Ready<'k> {
    Ready { op: Op::Ext(ExtOp::Extension(op)), wants: Vec::new() }
}

/// The nonce of the file, or the one that the state expects.
fn nonce(place: Approver, given: Option<Nonce>, at: &Moment<'_>) -> Result<Nonce, String> {
    let expected = || {
        let key = Key::ctl(place.account.get(), place.sub.get().into());
        at.view.cell(key).map(|ctl: CtlCell| ctl.nonce)
    };
    given.map_or_else(expected, Ok)
}
