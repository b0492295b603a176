//! Wallets against the published example of EIP-712, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use tsz_auth::softwallet::SoftWallet;
use tsz_auth::wallet::{SigningDomain, Wallet, WalletApproval, WalletError, WalletKey, WalletSignature};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};

const DOMAIN: SigningDomain = SigningDomain { chain: 31337, contract: [7; 20] };

fn message() -> Digest {
    core::array::from_fn(|k| F::from_u32(0x7700_0000 + k as u32))
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// The example of EIP-712 (assets/eip-712/Example.js): the private key is keccak256("cow").
#[test]
fn the_example_of_the_standard_recovers_its_address() {
    let digest = bytes("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
    let r = bytes("4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d");
    let s = bytes("07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562");
    let point = k256_key("c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4");
    assert_eq!(hex::encode(point.address()), "cd2a3d9f938e13cd947ec05abc7fe734df8dd826");
    point.verify(&digest, &WalletSignature { r, s }).unwrap();
}

fn k256_key(secret: &str) -> WalletKey {
    let secret = k256::ecdsa::SigningKey::from_slice(&hex::decode(secret).unwrap()).unwrap();
    WalletKey::from(secret.verifying_key())
}

fn honest() -> (SoftWallet, Wallet, [u8; 65]) {
    let soft = SoftWallet::from_seed(b"native");
    let wallet = soft.wallet(DOMAIN);
    let signed = soft.sign(&DOMAIN, &message());
    (soft, wallet, signed)
}

#[test]
fn accepts_what_a_wallet_returns() {
    let (soft, wallet, signed) = honest();
    let approval = wallet.recover(&message(), &signed).unwrap();
    assert_eq!(approval, soft.approve(&DOMAIN, &message()));
    wallet.verify(&message(), &approval).unwrap();
}

#[test]
fn rejects_another_domain_chain_message_and_address() {
    let (_, wallet, signed) = honest();
    let approval = wallet.recover(&message(), &signed).unwrap();
    let domains = [SigningDomain { chain: 1, ..DOMAIN }, SigningDomain { contract: [8; 20], ..DOMAIN }];
    for domain in domains {
        let other = Wallet { domain, ..wallet };
        assert_ne!(other.key_id(), wallet.key_id());
        assert_eq!(other.verify(&message(), &approval), Err(WalletError::Mismatch));
        assert_eq!(other.recover(&message(), &signed), Err(WalletError::Address));
    }
    let mut another = message();
    another[7] += F::ONE;
    assert_eq!(wallet.verify(&another, &approval), Err(WalletError::Mismatch));
    let thief = SoftWallet::from_seed(b"thief").approve(&DOMAIN, &message());
    assert_eq!(wallet.verify(&message(), &thief), Err(WalletError::Address));
    let mixed = WalletApproval { signature: thief.signature, ..approval };
    assert_eq!(wallet.verify(&message(), &mixed), Err(WalletError::Mismatch));
}

#[test]
fn rejects_high_s_and_other_forms_of_v() {
    let (_, wallet, signed) = honest();
    for v in [0, 1, 26, 29, 30, 31, 37, 38, 255] {
        let mut other = signed;
        other[64] = v;
        assert_eq!(wallet.recover(&message(), &other), Err(WalletError::Parity(v)));
    }
    let mut flipped = signed;
    flipped[64] ^= 27 ^ 28;
    assert_eq!(wallet.recover(&message(), &flipped), Err(WalletError::Address));
    // n - s, with the other parity, is a signature of the same digest by the same key.
    let n: [u8; 32] = bytes("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let mut high = flipped;
    let mut borrow = 0i16;
    for k in (0..32).rev() {
        let d = i16::from(n[k]) - i16::from(high[32 + k]) - borrow;
        borrow = i16::from(d < 0);
        high[32 + k] = d.rem_euclid(256) as u8;
    }
    assert_eq!(wallet.recover(&message(), &high), Err(WalletError::HighS));
    for (at, value) in [(0, [0; 32]), (32, [0; 32]), (0, n), (32, n)] {
        let mut zero = signed;
        zero[at..at + 32].copy_from_slice(&value);
        assert_eq!(wallet.recover(&message(), &zero), Err(WalletError::Range));
    }
}

#[test]
fn forms_round_trip_and_refuse_others() {
    let (_, wallet, signed) = honest();
    let approval = wallet.recover(&message(), &signed).unwrap();
    let text = serde_json::to_string(&wallet).unwrap();
    assert_eq!(serde_json::from_str::<Wallet>(&text).unwrap(), wallet);
    assert!(serde_json::from_str::<Wallet>(&text.replacen("\"address\":\"", "\"address\":\"00", 1)).is_err());
    let text = serde_json::to_string(&approval).unwrap();
    assert_eq!(serde_json::from_str::<WalletApproval>(&text).unwrap(), approval);
    assert!(serde_json::from_str::<WalletApproval>(&text.replacen('}', ",\"v\":27}", 1)).is_err());
}
