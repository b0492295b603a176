//! A login as a guest: the same functions that decide logins natively (`tsz-auth`: RustCrypto's curves and hashes,
//! num-bigint), compiled for the zkVM. It is measured against the circuits (docs/src/auth.md) and installed nowhere.
//!
//! Input: `[kind, message (8), seconds]`, then byte strings `[length, words..]`; `crates/base/auth/tests/guest.rs`
//! makes it. Output: `compress(message, key id)`, if the login approves the message.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

use tsz_auth::es256::Es256Signature;
use tsz_auth::oidc::{Identity, ProviderKey};
use tsz_auth::rs256::Rs256Key;
use tsz_auth::wallet::{SigningDomain, WalletKey, WalletSignature};
use tsz_auth::{Assertion, Es256Key, LoginProvider, Passkey, SocialLogin, Wallet, WalletApproval};
use tsz_guest::raw::{fail, halt, read};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32, compress};

/// Memory is given and never taken back: a run is one login.
struct Bump {
    used: Cell<usize>,
}

const HEAP: usize = 1 << 20;
static mut ROOM: [u64; HEAP / 8] = [0; HEAP / 8];

// SAFETY: the machine has one thread.
unsafe impl Sync for Bump {}

// SAFETY: pieces do not overlap and lie within the room, at their alignment.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.used.get().next_multiple_of(layout.align());
        let end = start + layout.size();
        if end > HEAP || layout.align() > 8 {
            return core::ptr::null_mut();
        }
        self.used.set(end);
        // SAFETY: `start` is within the room.
        unsafe { core::ptr::addr_of_mut!(ROOM).cast::<u8>().add(start) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump { used: Cell::new(0) };

fn words<const N: usize>() -> [u32; N] {
    let mut words = [0; N];
    if read(&mut words).is_err() {
        fail();
    }
    words
}

fn string() -> Vec<u8> {
    let [len] = words();
    let len = len as usize;
    if len > 4096 {
        fail();
    }
    let mut words = alloc::vec![0u32; len.div_ceil(4)];
    if read(&mut words).is_err() {
        fail();
    }
    words.iter().flat_map(|w| w.to_le_bytes()).take(len).collect()
}

fn bytes<const N: usize>() -> [u8; N] {
    string().try_into().unwrap_or_else(|_| fail())
}

fn text() -> String {
    String::from_utf8(string()).unwrap_or_else(|_| fail())
}

fn passkey(message: &Digest) -> Digest {
    let key = Es256Key { x: bytes(), y: bytes() };
    let (rp_id_hash, [verified]) = (bytes(), bytes());
    let Ok(passkey) = Passkey::from_parts(key, rp_id_hash, verified == 1, &string()) else { fail() };
    let (authenticator_data, client_data) = (bytes(), string());
    let signature = Es256Signature { r: bytes(), s: bytes() };
    let assertion = Assertion { authenticator_data, client_data, signature };
    if passkey.verify(message, &assertion).is_err() {
        fail();
    }
    passkey.key_id()
}

fn wallet(message: &Digest) -> Digest {
    let address = bytes();
    let domain = SigningDomain { chain: u64::from_le_bytes(bytes()), contract: bytes() };
    let wallet = Wallet { address, domain };
    let key = WalletKey { x: bytes(), y: bytes() };
    let signature = WalletSignature { r: bytes(), s: bytes() };
    if wallet.verify(message, &WalletApproval { key, signature }).is_err() {
        fail();
    }
    wallet.key_id()
}

/// The provider's key is a cell of the state: its digest is part of the statement.
fn social(message: &Digest, seconds: u32) -> Digest {
    let (issuer, audience, kid) = (text(), text(), text());
    let key = ProviderKey::Rs256(Rs256Key { modulus: bytes() });
    let provider = LoginProvider { issuer, audience, kid, key };
    let (subject, salt, token) = (text(), bytes(), string());
    let identity =
        Identity { issuer: &provider.issuer, audience: &provider.audience, subject: &subject, salt };
    let key_id = identity.key_id();
    let login = SocialLogin { token, salt };
    if login.verify(&provider, &key_id, message, 1_000 * u64::from(seconds)).is_err() {
        fail();
    }
    compress(&provider.digest(), &key_id)
}

#[unsafe(no_mangle)]
extern "C" fn __guest_main() -> ! {
    let [kind, message @ .., seconds] = words::<10>();
    let message = message.map(F::from_u32);
    let key_id = match kind {
        0 => passkey(&message),
        1 => wallet(&message),
        2 => social(&message, seconds),
        _ => fail(),
    };
    halt(&compress(&message, &key_id).map(|f| f.as_canonical_u32()))
}
