//! One module for each operation: its fields, its message or record, its rule.

mod begin;
mod deposit;
mod full_exit;
mod keys;
mod l1keys;
mod oidc;
mod passkey;
mod pay;
mod transfer;
mod wallet;
mod withdraw;

use tsz_hash::{Block, Digest};
use tsz_ledger::{Cell, Key, L1InCell};
use tsz_types::L1Serial;

use crate::{Log, OutRecord, Reject, View, chain};

pub use begin::BeginBatch;
pub use deposit::Deposit;
pub use full_exit::FullExit;
pub use keys::{RegisterKey, RevokeKey};
pub use l1keys::{L1RegisterKey, L1RevokeKey};
pub use oidc::{RegisterKeyByOidc, RevokeKeyByOidc};
pub use passkey::{RegisterKeyByPasskey, RevokeKeyByPasskey};
pub use pay::{PayByOidc, PayByPasskey, PayByWallet, Payee, Payment};
pub use transfer::Transfer;
pub use wallet::{RegisterKeyByWallet, RevokeKeyByWallet};
pub use withdraw::Withdraw;

/// Takes the serial of an L1 operation and chains its record. Accesses: L1IN write, L1CHAIN write.
///
/// # Errors
/// [`Reject::Serial`] out of turn.
pub fn consume<V: View>(log: &mut Log<'_, V>, serial: L1Serial, record: &[Block]) -> Result<(), Reject> {
    let L1InCell { next: expected } = log.peek_cell(Key::L1IN)?;
    if serial != expected {
        return Err(Reject::Serial { expected, got: serial });
    }
    log.write(Key::L1IN, L1InCell { next: serial.next()? }.to_leaf());
    let old: Digest = log.peek(Key::L1CHAIN);
    log.write(Key::L1CHAIN, chain(&old, record));
    Ok(())
}

/// Chains a withdrawal record, or writes the old chain back. Access: OUT write.
fn pay_out<V: View>(log: &mut Log<'_, V>, record: Option<&OutRecord>) {
    let old = log.peek(Key::OUT);
    log.write(Key::OUT, record.map_or(old, |r| chain(&old, &r.blocks())));
}

/// Writes the present value back.
fn keep<V: View>(log: &mut Log<'_, V>, key: Key) {
    let old = log.peek(key);
    log.write(key, old);
}
