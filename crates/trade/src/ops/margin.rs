//! MarginTransfer and MarginExit: between the balances of a sub-account and its margin.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{AcctCell, BalCell, CtlCell, Key, Permission, SubCell};
use tsz_sig::Signature;
use tsz_stf::ops::consume;
use tsz_stf::{Log, Reject, SigVerifier, View, message};
use tsz_types::{AccountId, Balance, EthAddress, KeySlot, L1Serial, Nonce, SubId, TokenId};

use crate::account::{Party, check_covered};
use crate::admit::{authorize, verify};
use crate::order::fill;
use crate::{Env, Rule, TradeCode, TradeReceipt, TradeReject, code};

/// Which way margin moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum Direction {
    /// From the balance to the margin.
    In = 0,
    /// From the margin to the balance.
    Out = 1,
}

/// Moves a token between BAL and the margin of the same sub-account: its collateral for the quote token, MBAL for a
/// collateral token. With open positions this is the only way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarginTransfer {
    /// Account and signer.
    pub account: AccountId,
    /// Sub-account; its nonce is used.
    pub sub: SubId,
    /// Which way.
    pub direction: Direction,
    /// The quote token or a collateral token.
    pub token: TokenId,
    /// Millionths of a unit, at least 1: exact, so that no dust keeps the mask set.
    pub amount: Balance,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

/// The owner demands on L1 that a margin token goes back to the balance, from where FullExit takes it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarginExit {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Whose margin.
    pub party: Party,
    /// The token.
    pub token: TokenId,
    /// Who asked.
    pub sender: EthAddress,
}

impl MarginTransfer {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        let place = u32::from(self.sub.get()) + 32 * self.direction as u32;
        let (mut a, mut b) = (ZERO, ZERO);
        let small = [code::MARGIN_TRANSFER, self.account.get(), place, self.token.get().into()];
        fill(&mut a, 0, &small.map(F::from_u32));
        fill(&mut a, 4, &self.amount.to_felts());
        fill(&mut b, 0, &self.nonce.to_felts());
        [a, b]
    }

    /// Checks key and signature and takes the nonce. Accesses: KEYA read, KEYB read, CTL write.
    fn sign<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<(), TradeReject> {
        let (account, slot) = (self.account, self.key_slot);
        let key_id = authorize(log, env.batch.time, account, slot, Permission::TransferInternal)?;
        let key = Key::ctl(account.get(), self.sub.get().into());
        let ctl: CtlCell = log.peek_cell(key)?;
        if self.nonce != ctl.nonce {
            return Err(Reject::Nonce { expected: ctl.nonce, got: self.nonce }.into());
        }
        let nonce = ctl.nonce.next().ok_or(Reject::NonceExhausted)?;
        log.write_cell(key, &CtlCell { nonce, ..ctl });
        verify(env, &key_id, &message(&env.batch.system, &self.message()), &self.signature)
    }
}

impl Rule for MarginTransfer {
    /// Accesses: KEYA read, KEYB read, CTL write; BAL write; MBAL write of a collateral token; SUB write; on the way
    /// out the table where something is at stake.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let (party, token) = (Party { account: self.account, sub: self.sub }, self.token);
        let (is_quote, is_out) = (token == TokenId::QUOTE, self.direction == Direction::Out);
        if self.amount == Balance::MIN {
            return Err(Reject::ZeroUnits.into());
        }
        // what insurance holds in the quote token covers debts and nothing else
        if is_quote && is_out && self.account == AccountId::INSURANCE {
            return Err(TradeReject::ReservedParty { account: self.account });
        }
        self.sign(env, log)?;
        let amount = self.amount.get() as i128; // u96
        let into = if is_out { -amount } else { amount };
        party.move_balance(log, token, -into)?;
        if is_quote {
            party.credit(log, into)?;
        } else {
            let (place, _) = env.ctx.params.collateral(token).ok_or(TradeReject::NotCollateral { token })?;
            party.move_margin(log, (place, token), into, 0)?;
        }
        if is_out {
            check_covered(log, &env.ctx, party, is_quote)?;
        }
        Ok(TradeReceipt::default())
    }
}

impl MarginExit {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        let (mut first, mut second) = (ZERO, ZERO);
        first[0] = F::from_u32(code::MARGIN_EXIT);
        fill(&mut first, 1, &self.serial.to_felts());
        let Party { account, sub } = self.party;
        let place = [account.get(), 64 * u32::from(self.token.get()) + 2 * u32::from(sub.get())];
        fill(&mut first, 4, &place.map(F::from_u32));
        fill(&mut second, 1, &self.sender.to_felts());
        [first, second]
    }
}

impl Rule for MarginExit {
    /// Accesses: L1IN write, L1CHAIN write, ACCT read; [owner and token are right:] SUB write; [nothing hangs on the
    /// token:] MBAL write, BAL write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        consume(log, self.serial, &self.record())?;
        let (party, token) = (self.party, self.token);
        let acct: AcctCell = log.read_cell(Key::acct(party.account.get()))?;
        if acct.owner != Some(self.sender) {
            return Ok(TradeReceipt::noop(TradeCode::NotOwner));
        }
        let Some((place, _)) = env.ctx.params.collateral(token) else {
            return Ok(TradeReceipt::noop(TradeCode::NotCollateral));
        };
        let cell: SubCell = log.peek_cell(party.sub_key())?;
        let reason = match () {
            () if cell.pos_count != 0 => TradeCode::OpenPositions,
            () if cell.collateral.is_negative() => TradeCode::Negative,
            () => TradeCode::Ok,
        };
        if reason != TradeCode::Ok {
            log.write_cell(party.sub_key(), &cell);
            return Ok(TradeReceipt::noop(reason));
        }
        log.write_cell(party.sub_key(), &cell.with(place, false));
        let BalCell { balance } = log.peek_cell(party.mbal_key(place))?;
        log.write_cell(party.mbal_key(place), &BalCell { balance: Balance::MIN });
        party.move_balance(log, token, balance.get() as i128)?; // u96
        Ok(TradeReceipt::default())
    }
}
