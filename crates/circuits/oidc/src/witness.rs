//! From applied ops to traces.

use std::collections::HashMap;

use num_bigint::BigUint;
use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Trace, from_rows};
use tsz_auth::LoginProvider;
use tsz_chips::collect::{Asked, collect};
use tsz_chips::oidc::{
    self, DigestTable, ProviderTable, ScannerTable, SplitTable, TokenTable, TooLong, TooManyProviders,
    ValueTable,
};
use tsz_chips::rsa::{self, RsaTable, TooManySignatures};
use tsz_chips::sha256::{self, Sha256Table, TooManyBlocks};
use tsz_chips::{base64url, bytes, poseidon2, range, tuple};
use tsz_gadgets::table::matrix;
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim, Family};

use crate::class::{Class, OPS};
use crate::login::{Login, LoginAir};
use crate::provider::{SetProvider, SetProviderAir};
use crate::record::{self, Approved, OidcRecord, RecordError, Said};

/// Why there is no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// A record that is not one of its op, or too many ops.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A token is too long.
    #[error(transparent)]
    Token(#[from] TooLong),
    /// The table of signatures is too small.
    #[error(transparent)]
    Signatures(#[from] TooManySignatures),
    /// The table of providers is too small.
    #[error(transparent)]
    Providers(#[from] TooManyProviders),
    /// The table of SHA-256 is too small.
    #[error(transparent)]
    Sha256(#[from] TooManyBlocks),
    /// The tuple table is too small.
    #[error(transparent)]
    Tuple(#[from] tuple::Overflow),
    /// The permutation table is too small.
    #[error(transparent)]
    Poseidon2(#[from] poseidon2::TableFull),
}

/// Everything that a proof is made from.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What is proven.
    pub claim: ExecClaim,
    /// Traces in the order of the circuit.
    pub(crate) traces: Vec<Trace>,
}

/// Public values of the op table: S, T.
pub(crate) fn publics(context: &BatchContext) -> Vec<F> {
    let time = [0, 24].map(|s| F::from_u32((context.time >> s) as u32 & 0xff_ffff));
    context.system.into_iter().chain(time).collect()
}

/// Rows of the family's own tables, before their traces.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    pub logins: Vec<Login<F>>,
    pub governance: Vec<SetProvider<F>>,
    pub tokens: oidc::Rows,
    pub signatures: Vec<rsa::Signature>,
    pub providers: Vec<LoginProvider>,
}

impl Rows {
    /// The rows of some ops. That they follow the rules is not checked.
    ///
    /// # Errors
    /// [`WitnessError`] for a record that is not one of its op and for tokens that are too long.
    pub fn new(context: &BatchContext, records: &[OidcRecord]) -> Result<Self, WitnessError> {
        let approved: Vec<_> = records.iter().filter_map(|r| Approved::of(&r.op)).collect();
        let mut rows =
            Self { tokens: oidc::rows(approved.iter().map(|(a, _)| a.signed()))?, ..Self::default() };
        let said = said(&rows.tokens);
        let mut at = 0;
        for record in records {
            if let Some(row) = record::set_provider(record) {
                rows.governance.push(row?);
                continue;
            }
            let Some((approved, policy)) = Approved::of(&record.op) else {
                return Err(RecordError::Kind { index: record.index, code: record.op.code() }.into());
            };
            let key = rows.key(approved.provider);
            let Some(said) = said.get(at) else { continue };
            let said = Said { key, values: said.values.clone(), ..*said };
            rows.signatures.push(signature(&approved, &said));
            rows.logins.push(record::login(context, record, (approved, policy), &said)?);
            at += 1;
        }
        Ok(rows)
    }

    /// The number of a provider's key.
    fn key(&mut self, provider: &LoginProvider) -> u32 {
        let known = self.providers.iter().position(|p| p == provider);
        let at = known.unwrap_or_else(|| {
            self.providers.push(provider.clone());
            self.providers.len() - 1
        });
        at as u32 + 1
    }

    /// The traces of the tables in the order of the circuit, and the end of the tuple sponge.
    fn traces(
        &self,
        class: &Class,
        context: &BatchContext,
        records: &[OidcRecord],
        start: Digest,
    ) -> Result<(Vec<Trace>, Digest), WitnessError> {
        self.check(class)?;
        let too_many = |table, got| RecordError::TooMany { table, rows: Class::rows(), got };
        let logins = matrix(&self.logins, OPS, &Login::default());
        let logins = logins.ok_or(too_many("oidc_login", self.logins.len()))?;
        let governance = matrix(&self.governance, OPS, &SetProvider::default());
        let governance = governance.ok_or(too_many("set_provider", self.governance.len()))?;
        let tokens = from_rows(&self.tokens.tokens, class.token);
        let values = from_rows(&self.tokens.values, class.value);
        let digests = from_rows(&self.tokens.digests, class.digest);
        let signatures = rsa::trace(&RsaTable::new(class.rsa), &self.signatures)?;
        let sha256 = sha256::trace(&Sha256Table::new(class.sha256), &self.tokens.compressions)?;

        let mut asked = collect(&LoginAir, &logins, &publics(context));
        asked.merge(collect(&SetProviderAir, &governance, &[]));
        asked.merge(collect(&TokenTable::new(class.token), &tokens, &[]));
        asked.merge(collect(&ValueTable, &values, &[]));
        asked.merge(collect(&DigestTable, &digests, &[]));
        asked.merge(collect(&RsaTable::new(class.rsa), &signatures, &[]));
        let providers = ProviderTable::trace(&self.providers, &asked)?;
        asked.merge(collect(&ProviderTable, &providers, &[]));
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut asked.shared)?;

        let mut traces = vec![logins, governance, hashed.trace];
        traces.extend(poseidon2::traces(&asked.shared.p2, &[class.poseidon2])?);
        traces.push(range::trace(&asked.shared.range));
        traces.extend([tokens, SplitTable::trace(&asked), ScannerTable::trace(&asked), values, digests]);
        traces.extend([providers, signatures, sha256]);
        traces.extend(shared(&asked));
        Ok((traces, hashed.ends.first().copied().unwrap_or(start)))
    }

    /// Whether the rows of tokens fit.
    fn check(&self, class: &Class) -> Result<(), RecordError> {
        let tables = [
            ("oidc_token", class.token, self.tokens.tokens.len()),
            ("oidc_value", class.value, self.tokens.values.len()),
            ("oidc_digest", class.digest, self.tokens.digests.len()),
        ];
        match tables.into_iter().find(|(_, log, got)| *got > 1 << log) {
            Some((table, log, got)) => Err(RecordError::TooMany { table, rows: 1 << log, got }),
            None => Ok(()),
        }
    }
}

fn shared(asked: &Asked) -> [Trace; 3] {
    [base64url::trace(asked), bytes::trace(&asked.bytes), bytes::trace(&asked.range15)]
}

/// What the rows say about each token; its key is still unknown.
fn said(rows: &oidc::Rows) -> Vec<Said> {
    let mut of: HashMap<F, usize> = HashMap::new();
    let mut said: Vec<Said> = Vec::with_capacity(rows.numbers.len());
    for number in &rows.numbers {
        of.insert(F::from_u32(*number), said.len());
        said.push(Said { number: *number, key: 0, digest: [F::ZERO; 16], values: Default::default() });
    }
    for row in rows.digests.iter().filter(|row| row.is_last != F::ZERO) {
        if let Some(said) = of.get(&row.token).and_then(|k| said.get_mut(*k)) {
            said.digest = row.after;
        }
    }
    for row in &rows.values {
        let field = row.field.as_canonical_u32() as usize;
        let values = of.get(&row.token).and_then(|k| said.get_mut(*k)).map(|said| &mut said.values);
        if let Some(value) = values.and_then(|values| values.get_mut(field.wrapping_sub(1))) {
            // The last one of a field that stands twice.
            if row.is_first != F::ZERO {
                value.clear();
            }
            let live = row.bytes.iter().zip(row.live).filter(|(_, live)| *live != F::ZERO);
            value.extend(live.map(|(byte, _)| byte.as_canonical_u32() as u8));
        }
    }
    said
}

fn signature(approved: &Approved<'_>, said: &Said) -> rsa::Signature {
    let number = |bytes: &[u8]| BigUint::from_bytes_be(bytes);
    let mut digest = [0; 32];
    for (pair, half) in digest.chunks_exact_mut(2).zip(said.digest) {
        pair.copy_from_slice(&(half.as_canonical_u32() as u16).to_be_bytes());
    }
    rsa::Signature {
        key: said.key,
        modulus: number(&approved.provider.key.modulus),
        signature: number(&approved.signature()),
        digest,
        uses: 1,
    }
}

impl Witness {
    /// Fills the tables for the ops of `records`, in their order; the tuple sponge starts from `start`.
    ///
    /// # Errors
    /// [`WitnessError`] if the ops do not fit the class or a record is not one of its op. That the ops follow
    /// the rules is not checked: a proof of others is refused by the verifier.
    pub fn new(
        class: &Class,
        context: &BatchContext,
        records: &[OidcRecord],
        start: Digest,
    ) -> Result<Self, WitnessError> {
        Self::of_rows(class, context, records, start, &Rows::new(context, records)?)
    }

    /// Fills the tables for given rows of the family.
    pub(crate) fn of_rows(
        class: &Class,
        context: &BatchContext,
        records: &[OidcRecord],
        start: Digest,
        rows: &Rows,
    ) -> Result<Self, WitnessError> {
        let (traces, end) = rows.traces(class, context, records, start)?;
        let claim = ExecClaim {
            algorithm: Family::Oidc.algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end,
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }
}
