//! From applied ops to traces.

use std::collections::HashMap;

use num_bigint::BigUint;
use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Trace, from_rows};
use tsz_auth::LoginProvider;
use tsz_auth::es256::Es256Signature;
use tsz_auth::oidc::{Algorithm, ProviderKey};
use tsz_chips::bigint::mulmod::{self, MULMOD, TooManyProducts};
use tsz_chips::collect::{Asked, collect};
use tsz_chips::ecdsa::{self, Affine, P256, SignedDigest};
use tsz_chips::es256::{self, Es256Table, TooManyRows};
use tsz_chips::oidc::{
    self, DigestTable, EcProviderTable, ProviderTable, ScannerTable, SplitTable, TokenTable, TooLong,
    TooManyProviders, ValueTable,
};
use tsz_chips::rsa::{self, RsaTable, TooManySignatures};
use tsz_chips::sha256::{self, Sha256Table, TooManyBlocks};
use tsz_chips::{base64url, bytes, poseidon2, range, tuple};
use tsz_fund::tables::{Transfer, Withdraw};
use tsz_gadgets::table::matrix;
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim};

use crate::approval::{Approval, ApprovalAir};
use crate::class::{Class, OPS, Signatures, products};
use crate::login::{Login, LoginAir};
use crate::pay::{self, Paid, TransferByAir, WithdrawByAir};
use crate::provider::{SetProvider, SetProviderAir};
use crate::record::{self, Approved, KEY_CHANGE, OidcRecord, RecordError, Said, What};

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
    /// The table of signatures by key number is too small.
    #[error(transparent)]
    Rows(#[from] TooManyRows),
    /// Too many ES256 signatures, or one without a ladder.
    #[error(transparent)]
    Ecdsa(#[from] ecdsa::Failed),
    /// The table of products is too small.
    #[error(transparent)]
    Products(#[from] TooManyProducts),
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
    pub transfers: Vec<Transfer<F>>,
    pub withdrawals: Vec<Withdraw<F>>,
    pub approvals: Vec<Approval<F>>,
    pub governance: Vec<SetProvider<F>>,
    pub tokens: oidc::Rows,
    pub rsa: Vec<rsa::Signature>,
    pub es256: Vec<es256::Signature>,
    pub ecdsa: Vec<SignedDigest>,
    pub providers: Vec<LoginProvider>,
}

impl Rows {
    /// The rows of some ops in the circuit of an algorithm. That they follow the rules is not checked.
    ///
    /// # Errors
    /// [`WitnessError`] for a record that is not one of its op or of another circuit, and for tokens that are too long.
    pub fn new(
        algorithm: Algorithm,
        context: &BatchContext,
        records: &[OidcRecord],
    ) -> Result<Self, WitnessError> {
        let approved: Vec<_> = records.iter().filter_map(|r| Approved::of(&r.op)).collect();
        let mut rows = Self { tokens: oidc::rows(approved.iter().map(Approved::signed))?, ..Self::default() };
        let said = said(&rows.tokens);
        let mut at = 0;
        for record in records {
            let kind = RecordError::Kind { index: record.index, code: record.op.code() };
            if let Some(row) = record::set_provider(record) {
                if algorithm != Algorithm::Rs256 {
                    return Err(kind.into());
                }
                rows.governance.push(row?);
                continue;
            }
            let Some(approved) = Approved::of(&record.op).filter(|a| a.algorithm() == algorithm) else {
                return Err(kind.into());
            };
            let key = rows.key(approved.provider);
            let Some(said) = said.get(at) else { continue };
            let said = Said { key, values: said.values.clone(), ..*said };
            rows.sign(record.index, &approved, &said)?;
            let op = rows.op(context, record, &approved.what)?;
            rows.approvals.push(record::approval(context, record, &approved, &said, op));
            at += 1;
        }
        Ok(rows)
    }

    /// Adds the row of an op; gives its key id, the digest of its message and which access it leaves to the approval.
    fn op(
        &mut self,
        context: &BatchContext,
        record: &OidcRecord,
        what: &What<'_>,
    ) -> Result<(Digest, Digest, usize), RecordError> {
        let (signer, place) = match what {
            What::Key { account, slot, key_slot, policy } => {
                let row = record::login(context, record, (*account, *slot, *key_slot), (**policy).clone())?;
                let signer = row.signer.clone();
                self.logins.push(row);
                (signer, KEY_CHANGE)
            }
            What::Pay(payment) => match pay::row(context, record, payment)? {
                (Paid::Transfer(row), place) => {
                    let signer = row.signer.clone();
                    self.transfers.push(row);
                    (signer, place)
                }
                (Paid::Withdraw(row), place) => {
                    let signer = row.signer.clone();
                    self.withdrawals.push(row);
                    (signer, place)
                }
            },
        };
        Ok((signer.key_id, signer.digest, place))
    }

    /// Adds the signature of a token.
    fn sign(&mut self, index: u32, approved: &Approved<'_>, said: &Said) -> Result<(), RecordError> {
        let number = BigUint::from_bytes_be;
        let (key, digest, bytes) = (said.key, said.digest_bytes(), approved.signature());
        match &approved.provider.key {
            ProviderKey::Rs256(modulus) => {
                let modulus = number(&modulus.modulus);
                self.rsa.push(rsa::Signature { key, modulus, signature: number(&bytes), digest, uses: 1 });
            }
            ProviderKey::Es256(point) => {
                let Es256Signature { r, s } =
                    Es256Signature::from_jws(&bytes).ok_or(RecordError::Signature { index })?;
                self.es256.push(es256::Signature { key, point: *point, digest, uses: 1 });
                let key = Affine { x: number(&point.x), y: number(&point.y) };
                let (digest, r, s) = (number(&digest), number(&r), number(&s));
                self.ecdsa.push(SignedDigest { key, digest, r, s, uses: 1 });
            }
        }
        Ok(())
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
        let publics = publics(context);
        let mut asked = Asked::default();
        let ops = self.ops(class, &publics, &mut asked)?;
        let tokens = from_rows(&self.tokens.tokens, class.token);
        let values = from_rows(&self.tokens.values, class.value);
        let digests = from_rows(&self.tokens.digests, class.digest);
        let sha256 = sha256::trace(&Sha256Table::new(class.sha256), &self.tokens.compressions)?;
        asked.merge(collect(&TokenTable::new(class.token), &tokens, &[]));
        asked.merge(collect(&ValueTable, &values, &[]));
        asked.merge(collect(&DigestTable, &digests, &[]));
        let signatures = match class.signatures {
            Signatures::Rs256 { rsa } => self.rsa_traces(rsa, &mut asked)?,
            Signatures::Es256 { mulmod, .. } => self.es256_traces(class, mulmod, &mut asked)?,
        };
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut asked.shared)?;

        let mut traces = ops;
        traces.push(hashed.trace);
        traces.extend(poseidon2::traces(&asked.shared.p2, &[class.poseidon2])?);
        traces.push(range::trace(&asked.shared.range));
        traces.extend([tokens, SplitTable::trace(&asked), ScannerTable::trace(&asked), values, digests]);
        traces.extend([sha256, base64url::trace(&asked)]);
        traces.extend([bytes::trace(&asked.bytes), bytes::trace(&asked.range15)]);
        traces.extend(signatures);
        Ok((traces, hashed.ends.first().copied().unwrap_or(start)))
    }

    /// Key changes, transfers, withdrawals, approvals.
    fn ops(&self, class: &Class, publics: &[F], asked: &mut Asked) -> Result<Vec<Trace>, WitnessError> {
        let too_many = |table, got| RecordError::TooMany { table, rows: Class::rows(), got };
        let logins = matrix(&self.logins, OPS, &Login::default());
        let logins = logins.ok_or(too_many("oidc_login", self.logins.len()))?;
        let transfers = matrix(&self.transfers, OPS, &Transfer::default());
        let transfers = transfers.ok_or(too_many("transfer_by", self.transfers.len()))?;
        let withdrawals = matrix(&self.withdrawals, OPS, &Withdraw::default());
        let withdrawals = withdrawals.ok_or(too_many("withdraw_by", self.withdrawals.len()))?;
        let approvals = matrix(&self.approvals, OPS, &Approval::default());
        let approvals = approvals.ok_or(too_many("oidc_approval", self.approvals.len()))?;
        asked.merge(collect(&LoginAir, &logins, publics));
        asked.merge(collect(&TransferByAir, &transfers, publics));
        asked.merge(collect(&WithdrawByAir, &withdrawals, publics));
        asked.merge(collect(&ApprovalAir(class.algorithm()), &approvals, publics));
        Ok(vec![logins, transfers, withdrawals, approvals])
    }

    /// Cells of providers, keys of RS256, products.
    fn rsa_traces(&self, log_height: usize, asked: &mut Asked) -> Result<Vec<Trace>, WitnessError> {
        let (rows, got) = (Class::rows(), self.governance.len());
        let governance = matrix(&self.governance, OPS, &SetProvider::default());
        let governance = governance.ok_or(RecordError::TooMany { table: "set_provider", rows, got })?;
        asked.merge(collect(&SetProviderAir, &governance, &[]));
        let table = RsaTable::new(log_height);
        let products = rsa::trace(&table, &self.rsa)?;
        asked.merge(table.asked(&products));
        let providers = ProviderTable::trace(&self.providers, asked)?;
        asked.merge(collect(&ProviderTable, &providers, &[]));
        Ok(vec![governance, providers, products])
    }

    /// Keys of ES256, signatures.
    fn es256_traces(
        &self,
        class: &Class,
        mulmod: usize,
        asked: &mut Asked,
    ) -> Result<Vec<Trace>, WitnessError> {
        let signatures = es256::trace(&self.es256, OPS)?;
        asked.merge(collect(&Es256Table, &signatures, &[]));
        let providers = EcProviderTable::trace(&self.providers, asked)?;
        asked.merge(collect(&EcProviderTable, &providers, &[]));
        let mut traces = vec![providers, signatures];
        if let Some(heights) = class.ecdsa() {
            let signed = ecdsa::generate(&P256, &self.ecdsa, &heights)?;
            asked.merge(signed.asked);
            let table = products();
            let products = mulmod::trace(&table, &asked.messages(MULMOD.name()), mulmod)?;
            asked.merge(mulmod::asked(&table, &products));
            traces.push(signed.verify);
            traces.extend(signed.ladders.into_iter().chain(signed.combs));
            traces.extend([signed.entries, products]);
        }
        Ok(traces)
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
        Self::of_rows(class, context, records, start, &Rows::new(class.algorithm(), context, records)?)
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
            algorithm: class.family().algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end,
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }
}
