//! Secrets by label.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use tsz_auth::authenticator::Authenticator;
use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::{Algorithm, Identity};
use tsz_auth::softwallet::SoftWallet;
use tsz_auth::wallet::SigningDomain;
use tsz_auth::{LoginProvider, Passkey, SocialLogin, Wallet};
use tsz_hash::Digest;
use tsz_ledger::Scheme;
use tsz_sig::SecretKey;
use tsz_stf::forms;

use crate::spec::{KeySource, PasskeySource, Population, SocialSource, SystemSpec};
use crate::{ScenarioError, fields};

/// A secret and the id of its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    pub secret: &'a SecretKey,
    pub key_id: Digest,
}

/// An identity at the local OpenID provider.
#[derive(Clone, Debug)]
pub struct Social {
    /// The key that its tokens are signed with.
    pub provider: LoginProvider,
    subject: String,
    salt: [u8; 32],
}

impl Social {
    fn new(source: &SocialSource) -> Self {
        let SocialSource { issuer, audience, kid, subject, salt, algorithm } = source.clone();
        let key = match algorithm.unwrap_or(Algorithm::Rs256) {
            Algorithm::Rs256 => RsaIssuer.key().into(),
            Algorithm::Es256 => Self::es256(&issuer, &kid).key().into(),
        };
        let provider = LoginProvider { issuer, audience, kid, key };
        // Three bytes of each felt: enough of a hash for a salt of development.
        let digest = tsz_hash::hash_bytes(salt.as_bytes());
        let bytes = |felt: &tsz_hash::F| tsz_hash::PrimeField32::as_canonical_u32(felt).to_le_bytes();
        let mut salt = [0; 32];
        salt.iter_mut().zip(digest.iter().flat_map(bytes)).for_each(|(s, b)| *s = b);
        Self { provider, subject, salt }
    }

    /// The provider that signs with ES256.
    fn es256(issuer: &str, kid: &str) -> Issuer {
        Issuer::from_seed(format!("{issuer} {kid}").as_bytes())
    }

    fn identity(&self) -> Identity<'_> {
        let LoginProvider { issuer, audience, .. } = &self.provider;
        Identity { issuer, audience, subject: &self.subject, salt: self.salt }
    }

    /// The id that a key slot holds.
    pub fn key_id(&self) -> Digest {
        self.identity().key_id()
    }

    /// A token that approves a message, issued at batch time `time` (ms).
    pub fn login(&self, message: &Digest, time: u64) -> SocialLogin {
        let (LoginProvider { issuer, kid, key, .. }, identity) = (&self.provider, self.identity());
        let token = match key.algorithm() {
            Algorithm::Rs256 => RsaIssuer.token(kid, &identity, message, time / 1000),
            Algorithm::Es256 => Self::es256(issuer, kid).token(kid, &identity, message, time / 1000),
        };
        SocialLogin { token, salt: self.salt }
    }
}

/// Secrets by label, and labels by key id.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    secrets: HashMap<String, (SecretKey, Digest)>,
    labels: HashMap<Digest, String>,
    passkeys: HashMap<String, (Authenticator, Passkey)>,
    wallets: HashMap<String, (SoftWallet, Wallet)>,
    socials: HashMap<String, Social>,
}

impl Keyring {
    /// The secrets that a scenario lists and those of its active population, whose accounts start at `first`. Wallets
    /// sign under the chain and contract of the system.
    pub(crate) fn new(
        sources: &BTreeMap<String, KeySource>,
        system: &SystemSpec,
        population: Option<(u32, &Population)>,
    ) -> Result<Self, ScenarioError> {
        let mut ring = Self::default();
        for (label, source) in sources {
            let path = || format!("keys.{label}");
            match source {
                KeySource::Passkey(source) => {
                    let made = source.make().map_err(|m| ScenarioError::field(path(), m))?;
                    ring.passkeys.insert(label.clone(), made);
                    continue;
                }
                KeySource::Wallet(source) => {
                    let soft = SoftWallet::from_seed(source.seed.as_bytes());
                    let domain = SigningDomain { chain: system.chain, contract: system.address.0 };
                    let wallet = soft.wallet(domain);
                    ring.wallets.insert(label.clone(), (soft, wallet));
                    continue;
                }
                KeySource::Social(source) => {
                    ring.socials.insert(label.clone(), Social::new(source));
                    continue;
                }
                KeySource::Seed(_) | KeySource::Secret(_) => {}
            }
            let secret = source.secret().map_err(|m| ScenarioError::field(path(), m))?;
            ring.insert(label.clone(), secret);
        }
        if let Some((first, population)) = population {
            let accounts: Vec<u32> = population.active_places().map(|k| first.saturating_add(k)).collect();
            let made: Vec<_> = accounts
                .into_par_iter()
                .map(|n| population.label(n))
                .map(|label| (SecretKey::from_seed(label.as_bytes()), label))
                .collect();
            made.into_iter().for_each(|(secret, label)| ring.insert(label, secret));
        }
        Ok(ring)
    }

    fn insert(&mut self, label: String, secret: SecretKey) {
        let id = secret.public_key().key_id();
        self.labels.insert(id, label.clone());
        self.secrets.insert(label, (secret, id));
    }

    fn entry(&self, label: &str) -> Result<&(SecretKey, Digest), String> {
        self.secrets
            .get(label)
            .ok_or_else(|| format!("no key labelled {label:?} in `keys` or in the population"))
    }

    /// The secret of a label.
    pub fn secret(&self, label: &str) -> Result<&SecretKey, String> {
        self.entry(label).map(|(secret, _)| secret)
    }

    /// The secret of a label, and the id of its key.
    pub(crate) fn signer(&self, label: &str) -> Result<Signer<'_>, String> {
        self.entry(label).map(|(secret, key_id)| Signer { secret, key_id: *key_id })
    }

    /// The secret whose key has this id.
    pub(crate) fn signer_of(&self, key_id: &Digest) -> Option<Signer<'_>> {
        self.signer(self.label_of(key_id)?).ok()
    }

    /// The label whose key has this id.
    pub fn label_of(&self, key_id: &Digest) -> Option<&str> {
        self.labels.get(key_id).map(String::as_str)
    }

    /// The authenticator of a label and its passkey.
    ///
    /// # Errors
    /// If no passkey has this label.
    pub fn passkey(&self, label: &str) -> Result<&(Authenticator, Passkey), String> {
        self.passkeys.get(label).ok_or_else(|| format!("no passkey labelled {label:?} in `keys`"))
    }

    /// The software wallet of a label.
    ///
    /// # Errors
    /// If no wallet has this label.
    pub fn wallet(&self, label: &str) -> Result<&(SoftWallet, Wallet), String> {
        self.wallets.get(label).ok_or_else(|| format!("no wallet labelled {label:?} in `keys`"))
    }

    /// The identity of a label.
    ///
    /// # Errors
    /// If no identity has this label.
    pub fn social(&self, label: &str) -> Result<&Social, String> {
        self.socials.get(label).ok_or_else(|| format!("no social login labelled {label:?} in `keys`"))
    }

    /// How a key signs: a passkey, a wallet or an identity of the file, or natively.
    pub fn scheme(&self, key_id: &Digest) -> Scheme {
        if self.passkeys.values().any(|(_, passkey)| passkey.key_id() == *key_id) {
            Scheme::P256
        } else if self.wallets.values().any(|(_, wallet)| wallet.key_id() == *key_id) {
            Scheme::Secp256k1
        } else if self.socials.values().any(|social| social.key_id() == *key_id) {
            Scheme::Oidc
        } else {
            Scheme::Schnorr
        }
    }

    /// Key id of a label, or of its hex form.
    pub fn key_id(&self, text: &str) -> Result<Digest, String> {
        match forms::parse_digest(text) {
            Some(id) => Ok(id),
            None => match (self.passkeys.get(text), self.wallets.get(text)) {
                (Some((_, passkey)), _) => Ok(passkey.key_id()),
                (_, Some((_, wallet))) => Ok(wallet.key_id()),
                _ => match self.socials.get(text) {
                    Some(social) => Ok(social.key_id()),
                    None => Ok(self.entry(text)?.1),
                },
            },
        }
    }
}

impl PasskeySource {
    /// The software authenticator and its passkey.
    fn make(&self) -> Result<(Authenticator, Passkey), String> {
        let authenticator = Authenticator::from_seed(self.seed.as_bytes());
        let passkey = authenticator.passkey(&self.rp_id, &self.origin, self.user_verification);
        Ok((authenticator, passkey.map_err(|e| e.to_string())?))
    }
}

impl KeySource {
    /// The secret.
    fn secret(&self) -> Result<SecretKey, String> {
        match self {
            Self::Passkey(_) => Err("a passkey has no native secret".to_owned()),
            Self::Wallet(_) => Err("a wallet has no native secret".to_owned()),
            Self::Social(_) => Err("a social login has no native secret".to_owned()),
            Self::Seed(text) => Ok(SecretKey::from_seed(text.as_bytes())),
            Self::Secret(text) => {
                let bytes = forms::from_hex(text).and_then(|b| b.try_into().ok());
                let bytes = bytes.ok_or("a secret is 56 lowercase hex digits")?;
                SecretKey::from_bytes(&bytes).map_err(|e| e.to_string())
            }
        }
    }

    /// Reads `{"seed": text}`, `{"secret": hex}`, `{"passkey": {..}}`, `{"wallet": {"seed": text}}` or
    /// `{"social": {..}}`.
    pub(crate) fn parse(node: fields::Node) -> Result<Self, ScenarioError> {
        let path = node.path.clone();
        node.get().map_err(|_| {
            ScenarioError::field(
                path,
                r#"expected {"seed": text}, {"secret": hex}, {"passkey": {"seed", "rp_id", "origin"}}, {"wallet": {"seed"}} or {"social": {"issuer", "audience", "kid", "subject", "salt"}}"#,
            )
        })
    }
}
