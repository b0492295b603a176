//! BeginBatch.

use serde::{Deserialize, Serialize};
use tsz_ledger::{HeadCell, Key};
use tsz_types::{BatchNumber, TimeMs};

use crate::{Env, Log, Receipt, Reject, Rule, SigVerifier, View};

/// Opens the batch: writes its number and time, which are public, into the head, and reads the parameter hash, which
/// is public and in force for the whole batch.
///
/// Accesses: HEAD write, PARAMS read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginBatch {}

impl Rule for BeginBatch {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        if env.index != 0 {
            return Err(Reject::NotFirst { index: env.index });
        }
        let head: HeadCell = log.peek_cell(Key::HEAD)?;
        let batch = head.batch.checked_add(BatchNumber::new(1)?)?;
        if env.batch.batch != batch.get() {
            return Err(Reject::batch_number(batch, env.batch.batch));
        }
        let got = env.batch.time;
        let time = TimeMs::new(got).ok().filter(|t| *t >= head.time);
        let time = time.ok_or(Reject::Time { previous: head.time, got })?;
        log.write_cell(Key::HEAD, &HeadCell { batch, time, next_account: head.next_account });
        let params = log.read(Key::PARAMS);
        if params != env.batch.params {
            return Err(Reject::Params);
        }
        Ok(Receipt::OK)
    }
}
