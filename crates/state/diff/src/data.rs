//! The published part of a batch, and its bytes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};
use tsz_codec::{CodecError, Decode, Encode, Reader};
use tsz_hash::{Digest, ZERO};
use tsz_ledger::cells::MAX_ACCOUNTS;
use tsz_ledger::{Access, BatchContext, Cell, HeadCell, Key, Leaf, OutRecord, Realm};
use tsz_types::{AccountId, BatchNumber, Bucket, EthAddress, SubId, TimeMs, TokenId, Units};

use crate::error::{DataError, WriteError};
use crate::{value, varint};

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"TSZD";
/// Version of the format.
pub const VERSION: u8 = 1;

/// Least bytes of a leaf and of a withdrawal record: they bound what a count can make the decoder allocate.
const MIN_LEAF: usize = 2;
const MIN_RECORD: usize = 24;

/// State roots around a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Before it.
    pub old: Digest,
    /// After it.
    pub new: Digest,
    /// Of the private realm after it: the right child of `new`.
    pub private: Digest,
}

/// What is published of a batch; batch 0 is the genesis, the difference from the empty tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// System digest, number, time and parameter hash.
    pub context: BatchContext,
    /// State roots.
    pub roots: Roots,
    /// Accounts below this one exist after the batch.
    pub next_account: u32,
    /// Realm-0 leaves that differ, by increasing key, with their value after the batch. The batch head and the
    /// withdrawal chain follow from the rest and are left out.
    pub leaves: Vec<(Key, Leaf)>,
    /// Withdrawal records in the order in which the withdrawal chain absorbed them.
    pub withdrawals: Vec<OutRecord>,
}

/// SHA-256 of published bytes: the data hash that L1 compares (docs/src/data.md says why SHA-256).
pub fn data_hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Whether the leaf at a key follows from header and withdrawal records.
pub(crate) fn is_derived(key: Key) -> bool {
    key == Key::HEAD || key == Key::OUT
}

impl Data {
    /// The published part of an executed batch from its access logs in order.
    ///
    /// # Errors
    /// A [`WriteError`] for accesses and records that no batch with this context has.
    pub fn from_accesses<'a>(
        context: BatchContext,
        roots: Roots,
        accesses: impl IntoIterator<Item = &'a Access>,
        withdrawals: Vec<OutRecord>,
    ) -> Result<Self, WriteError> {
        let mut touched = BTreeMap::new();
        for access in accesses.into_iter().filter(|a| a.key.realm() == Realm::Published) {
            touched.entry(access.key).or_insert((access.old, access.old)).1 = access.new;
        }
        let (old, state) = touched.remove(&Key::OUT).unwrap_or((ZERO, ZERO));
        let computed = withdrawals.iter().fold(old, |out, record| record.chain(&out));
        if computed != state {
            return Err(WriteError::Withdrawals { computed, state });
        }
        let (_, head) = touched.remove(&Key::HEAD).unwrap_or((ZERO, ZERO));
        let changed = touched.into_iter().filter(|(_, (old, new))| old != new);
        let leaves = changed.map(|(key, (_, new))| (key, new)).collect();
        Self::new(context, roots, &head, leaves, withdrawals)
    }

    /// From the leaf of the batch head and the other leaves that differ.
    pub(crate) fn new(
        context: BatchContext,
        roots: Roots,
        head: &Leaf,
        leaves: Vec<(Key, Leaf)>,
        withdrawals: Vec<OutRecord>,
    ) -> Result<Self, WriteError> {
        let HeadCell { batch, time, next_account } = HeadCell::from_leaf(head)?;
        if (batch.get(), time.get()) != (context.batch, context.time) {
            return Err(WriteError::Context { batch: batch.get(), time: time.get() });
        }
        Ok(Self { context, roots, next_account, leaves, withdrawals })
    }

    /// The leaf of the batch head after the batch; `None` for numbers out of range.
    pub fn head(&self) -> Option<Leaf> {
        let batch = BatchNumber::new(self.context.batch).ok()?;
        let time = TimeMs::new(self.context.time).ok()?;
        let in_range = self.next_account <= MAX_ACCOUNTS;
        in_range.then(|| HeadCell { batch, time, next_account: self.next_account }.to_leaf())
    }

    /// The published bytes.
    ///
    /// # Errors
    /// A leaf that is no cell of its kind, or keys out of order.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let mut out = Vec::with_capacity(192 + 12 * self.leaves.len() + 32 * self.withdrawals.len());
        out.extend_from_slice(&MAGIC);
        out.push(VERSION);
        self.context.system.encode(&mut out);
        let Roots { old, new, private } = &self.roots;
        [&self.context.params, old, new, private].into_iter().for_each(|root| root.encode(&mut out));
        let numbers = [self.context.batch, self.context.time, self.next_account.into()];
        numbers.into_iter().for_each(|n| varint::write(&mut out, n.into()));
        self.write_leaves(&mut out)?;
        varint::write(&mut out, self.withdrawals.len() as u128);
        self.withdrawals.iter().try_for_each(|record| write_record(record, &mut out))?;
        Ok(out)
    }

    fn write_leaves(&self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        varint::write(out, self.leaves.len() as u128);
        let mut context = value::Context::new();
        let mut next = 0;
        for (key, leaf) in &self.leaves {
            let step = key.raw().checked_sub(next).ok_or(WriteError::Order(*key))?;
            if key.realm() != Realm::Published || is_derived(*key) {
                return Err(WriteError::Order(*key));
            }
            varint::write(out, step.into());
            value::write(&mut context, *key, leaf, out).ok_or(WriteError::Leaf { key: key.raw() })?;
            next = key.raw() + 1;
        }
        Ok(())
    }

    /// The difference that has these bytes.
    ///
    /// # Errors
    /// [`DataError`] for any bytes that [`Data::to_bytes`] does not give.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DataError> {
        let mut input = Reader::new(bytes);
        if input.array()? != MAGIC {
            return Err(DataError::Magic);
        }
        let [got] = input.array()?;
        if got != VERSION {
            return Err(DataError::Version { expected: VERSION, got });
        }
        let system = Digest::decode(&mut input)?;
        let mut digest = || Digest::decode(&mut input);
        let params = digest()?;
        let roots = Roots { old: digest()?, new: digest()?, private: digest()? };
        let batch = varint::read(&mut input, 48, "batch number")? as u64;
        let time = varint::read(&mut input, 48, "time")? as u64;
        let next_account = varint::read(&mut input, 25, "account number")? as u32;
        if next_account > MAX_ACCOUNTS {
            return Err(input.invalid("account number").into());
        }
        let leaves = read_leaves(&mut input)?;
        let count = count(&mut input, MIN_RECORD)?;
        let mut withdrawals = Vec::with_capacity(count);
        for _ in 0..count {
            withdrawals.push(read_record(&mut input)?);
        }
        input.finish()?;
        let context = BatchContext { system, batch, time, params };
        Ok(Self { context, roots, next_account, leaves, withdrawals })
    }
}

/// A number of items of at least `least` bytes each.
fn count(input: &mut Reader<'_>, least: usize) -> Result<usize, CodecError> {
    let got = varint::read(input, 40, "count")? as u64;
    let max = (input.left() / least) as u64;
    if got > max { Err(CodecError::Length { at: input.at(), got, max }) } else { Ok(got as usize) }
}

fn read_leaves(input: &mut Reader<'_>) -> Result<Vec<(Key, Leaf)>, DataError> {
    let count = count(input, MIN_LEAF)?;
    let mut leaves = Vec::with_capacity(count);
    let mut context = value::Context::new();
    let mut next = 0u64;
    for index in 0..count {
        let step = varint::read(input, 40, "step between keys")? as u64;
        let raw = next + step; // both below 2^41
        let published = Key::new(raw).filter(|key| key.realm() == Realm::Published);
        let key = published.ok_or(DataError::Key { index, key: raw })?;
        if is_derived(key) {
            return Err(DataError::Derived { index });
        }
        leaves.push((key, value::read(&mut context, key, input)?));
        next = raw + 1;
    }
    Ok(leaves)
}

fn write_record(record: &OutRecord, out: &mut Vec<u8>) -> Result<(), WriteError> {
    out.push(u8::try_from(record.op).map_err(|_| WriteError::Code(record.op))?);
    varint::write(out, record.account.get().into());
    varint::write(out, record.bucket_bits().into());
    varint::write(out, record.units.get().into());
    record.to.encode(out);
    Ok(())
}

fn read_record(input: &mut Reader<'_>) -> Result<OutRecord, CodecError> {
    let [op] = input.array()?;
    let account = varint::read(input, 24, "account number")? as i128;
    let bits = varint::read(input, 13, "bucket")? as i128;
    let units = varint::read(input, 60, "units")? as i128;
    let to = EthAddress::decode(input)?;
    let invalid = input.invalid("withdrawal record");
    Ok(OutRecord {
        op: op.into(),
        account: AccountId::try_from(account).map_err(|_| invalid)?,
        sub: SubId::try_from(bits >> 1 & 31).map_err(|_| invalid)?,
        bucket: if bits & 1 == 1 { Bucket::Collateral } else { Bucket::Balance },
        token: TokenId::try_from(bits >> 6).map_err(|_| invalid)?,
        units: Units::try_from(units).map_err(|_| invalid)?,
        to,
    })
}
