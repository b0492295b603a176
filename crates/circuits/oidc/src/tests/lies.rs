//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use num_bigint::BigUint;
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::Identity;
use tsz_auth::rs256::{MODULUS, Rs256Key, encode};
use tsz_auth::{LoginProvider, SocialLogin, base64url};
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{Key, Permissions};
use tsz_stf::{AuthOp, RegisterKeyByOidc};

use super::world::*;

/// The world after one registration whose token is `make` of the message; the ledger refuses the op, and the place
/// where the circuit does.
fn lie(make: impl FnOnce(&Digest) -> Vec<u8>) -> String {
    let mut world = World::new();
    let op = world.with(world.register(), make);
    assert!(world.verdict(&op).is_err(), "the ledger accepts it");
    world.login(op);
    place(&world.witness())
}

/// The lie of another payload.
fn payload_lie(from: &str, to: &str) -> String {
    lie(|m| {
        let payload = payload(m);
        assert!(payload.contains(from), "{payload}");
        RsaIssuer.sign(&RsaIssuer::header("k1"), &payload.replacen(from, to, 1))
    })
}

/// The lie of another header.
fn header_lie(header: &str) -> String {
    lie(|m| RsaIssuer.sign(header, &payload(m)))
}

/// The lie of another operation than the one that is approved.
fn op_lie(change: impl FnOnce(&mut World, RegisterKeyByOidc) -> AuthOp) -> String {
    let mut world = World::new();
    let register = world.register();
    let op = change(&mut world, register);
    assert!(world.verdict(&op).is_err(), "the ledger accepts it");
    world.login(op);
    place(&world.witness())
}

#[test]
fn accepts_honest_ops_and_none() {
    assert_eq!(place(&honest().witness()), "nowhere");
    assert_eq!(place(&World::new().witness()), "nowhere");
}

#[test]
fn accepts_every_form_that_the_ledger_accepts() {
    let forms: [(&str, &str); 5] = [
        ("{", " { "),
        ("\"iss\"", "\"email\":\"a@b.c\",\"email_verified\":true,\"iss\""),
        ("\"sub\"", "\"amr\":[\"pwd\",\"otp\"],\"at_hash\":\"HK6E_P6Dh8Y93mRNtsDB1Q\",\"sub\""),
        ("\"sub\"", "\"address\":{\"locality\":\"K\\u00f6ln\",\"parts\":[1,2]},\"sub\""),
        ("\"exp\"", "\"name\":\"J\u{fc}rgen\",\"exp\""),
    ];
    for (from, to) in forms {
        let mut world = World::new();
        let op = world.with(world.register(), |m| {
            RsaIssuer.sign(&RsaIssuer::header("k1"), &payload(m).replacen(from, to, 1))
        });
        world.verdict(&op).unwrap();
        world.login(op);
        assert_eq!(place(&world.witness()), "nowhere", "{to}");
    }
}

#[test]
fn accepts_and_rejects_times_at_their_ends() {
    let at = |iat: u64| {
        let mut world = World::new();
        let op = world.with(world.register(), |m| RsaIssuer.token("k1", &identity(), m, iat));
        let verdict = world.verdict(&op).is_ok();
        world.login(op);
        (verdict, place(&world.witness()))
    };
    let now = TIME / 1000;
    for good in [now - 599, now, now + 60] {
        assert_eq!(at(good), (true, "nowhere".to_owned()), "{good}");
    }
    // Expired by a second, and from the future by one.
    assert_eq!(at(now - 600), (false, "oidc_approval".to_owned()));
    assert_eq!(at(now + 61), (false, "oidc_approval".to_owned()));
    assert_eq!(at(now + 1_000_000_000), (false, "oidc_approval".to_owned()));
    assert_eq!(at(1_000_000_000), (false, "oidc_approval".to_owned()));
    // Of another length: other digits than the token's.
    assert_eq!(payload_lie("\"exp\":1700000600", "\"exp\":17000006000"), "bus:oidc_value");
    assert_eq!(payload_lie("\"iat\":1700000000", "\"iat\":170000000"), "bus:oidc_value");
}

#[test]
fn rejects_the_nonce_of_another_message_and_a_replayed_token() {
    assert_eq!(lie(|_| RsaIssuer.token("k1", &identity(), &ZERO, TIME / 1000)), "oidc_approval");
    let mut world = one();
    let tsz_trade::Op::Auth(AuthOp::RegisterKeyByOidc(first)) = world.records[0].op.clone() else {
        unreachable!()
    };
    let second = AuthOp::from(RegisterKeyByOidc { nonce: world.nonce(), ..first });
    assert!(world.verdict(&second).is_err());
    world.login(second);
    assert_eq!(place(&world.witness()), "oidc_approval");
}

#[test]
fn rejects_another_content_than_the_approved_one() {
    let place = op_lie(|world, register| {
        let AuthOp::RegisterKeyByOidc(op) = world.approve(register) else { unreachable!() };
        RegisterKeyByOidc { permissions: Permissions::ALL, ..op }.into()
    });
    assert_eq!(place, "oidc_approval");
}

#[test]
fn rejects_a_nonce_that_is_not_canonical_or_of_another_length() {
    // The challenge of the zero digest, with p in place of the first felt: 0x78000001 is B4AAAB in six characters.
    let zero = String::from_utf8(tsz_auth::passkey::challenge(&ZERO).to_vec()).unwrap();
    let mut world = World::new();
    let op = world.with(world.register(), |_| {
        let payload = payload(&ZERO).replacen(&zero, &zero.replacen("AAAAAA", "B4AAAB", 1), 1);
        RsaIssuer.sign(&RsaIssuer::header("k1"), &payload)
    });
    world.login(op);
    assert_eq!(place(&world.witness()), "oidc_approval");
    assert_eq!(payload_lie("\"nonce\":\"", "\"nonce\":\"A"), "oidc_approval");
    // A character more at the end: the row's 48 characters are not all of the value.
    let longer = lie(|m| {
        let text = String::from_utf8(tsz_auth::passkey::challenge(m).to_vec()).unwrap();
        RsaIssuer.sign(&RsaIssuer::header("k1"), &payload(m).replacen(&text, &format!("{text}A"), 1))
    });
    assert_eq!(longer, "bus:oidc_value");
}

#[test]
fn rejects_algorithms_and_keys() {
    for alg in ["none", "HS256", "ES256", "RS512", "rs256", "RS2567"] {
        assert_eq!(header_lie(&format!(r#"{{"alg":"{alg}","kid":"k1"}}"#)), "bus:oidc_value", "{alg}");
    }
    // The kid of a rotated key: the cell holds another one.
    assert_eq!(header_lie(r#"{"alg":"RS256","kid":"k0"}"#), "bus:oidc_provider");
    // No kid at all: no value is sent, and the provider has no empty one.
    assert_eq!(header_lie(r#"{"alg":"RS256"}"#), "bus:oidc_provider");
    assert_eq!(header_lie(r#"{"alg":"none","kid":"k1","alg":"RS256"}"#), "bus:oidc_value");
    for header in
        [r#"{"alg":"RS256","kid":"k1","crit":["b64"]}"#, r#"{"alg":"RS256","kid":"k1","b64":false}"#]
    {
        // The scanner has no way past either name, so no value behind it is read: the approval's rules fail first. A trace
        // that goes on as if the name were another is a lie of the tables of tokens, on bus `oidc_scan`.
        assert_eq!(header_lie(header), "oidc_approval", "{header}");
    }
}

#[test]
fn rejects_a_cell_that_holds_another_key() {
    // The cell is empty, or holds a key that is rotated in; the liar names the old one.
    for leaf in [ZERO, provider("k2").digest()] {
        let mut world = World::new();
        let op = world.approve(world.register());
        assert!(world.verdict(&op).is_ok());
        world.login(op);
        world.records[0].accesses[3].old = leaf;
        world.records[0].accesses[3].new = leaf;
        assert_eq!(place(&world.witness()), "bus:oidc_provider");
    }
    // Another audience, issuer or modulus under the cell's digest.
    let other = |change: fn(&mut LoginProvider)| {
        let mut world = one();
        let mut provider = provider("k1");
        change(&mut provider);
        let tsz_trade::Op::Auth(AuthOp::RegisterKeyByOidc(op)) = &mut world.records[0].op else {
            unreachable!()
        };
        op.provider = provider;
        place(&world.witness())
    };
    assert_eq!(other(|p| p.audience.push('x')), "bus:oidc_provider");
    assert_eq!(other(|p| p.issuer.push('x')), "bus:oidc_provider");
    // The signature is of no such modulus.
    let modulus = |p: &mut LoginProvider| {
        let mut key = RsaIssuer.key();
        key.modulus[0] ^= 1;
        p.key = key.into();
    };
    assert_eq!(other(modulus), "rsa");
    // The op reads another cell than it says.
    let mut world = one();
    world.records[0].accesses[3].key = Key::provider(6);
    assert_eq!(place(&world.witness()), "bus:key");
}

#[test]
fn rejects_claims_of_others() {
    assert_eq!(payload_lie("accounts.example", "accounts.evil"), "bus:oidc_provider");
    assert_eq!(payload_lie("\"aud\":\"app\"", "\"aud\":\"ape\""), "bus:oidc_provider");
    // Subject and salt: another key id than the slot's.
    assert_eq!(payload_lie("108204", "108205"), "bus:p2");
    let salt = op_lie(|world, register| {
        let login = SocialLogin { token: Vec::new(), salt: [8; 32] };
        world.approve(RegisterKeyByOidc { login, ..register })
    });
    assert_eq!(salt, "bus:p2");
    let border = lie(|m| {
        let moved = Identity { audience: "app1", subject: "08204", ..identity() };
        RsaIssuer.sign(&RsaIssuer::header("k1"), &Issuer::payload(&moved, m, TIME / 1000))
    });
    assert_ne!(border, "nowhere");
}

#[test]
fn rejects_duplicates_trailing_text_and_other_encodings() {
    for field in ["\"sub\":\"108204\"", "\"aud\":\"app\"", "\"exp\":1900000000"] {
        let twice = lie(|m| {
            let payload = payload(m).replacen("{", &format!("{{{field},"), 1);
            RsaIssuer.sign(&RsaIssuer::header("k1"), &payload)
        });
        assert_eq!(twice, "bus:oidc_value", "{field}");
    }
    let text = lie(|m| RsaIssuer.sign(&RsaIssuer::header("k1"), &format!("{}x", payload(m))));
    assert_eq!(text, "oidc_token");
    // Loose unused bits, signed as they are.
    let loose = lie(|m| {
        let pad = |n: usize| format!("{}{}", payload(m), " ".repeat(n));
        let bytes = (0..3).map(pad).find(|p| p.len() % 3 == 1).unwrap();
        let mut signed = base64url::encode(RsaIssuer::header("k1").as_bytes());
        signed.push(b'.');
        signed.extend(base64url::encode(bytes.as_bytes()));
        let last = signed.last_mut().unwrap();
        *last = base64url::ALPHABET[usize::from(base64url::value(*last).unwrap() | 1)];
        let signature = RsaIssuer.sign_digest(&sha256(&signed));
        signed.push(b'.');
        signed.extend(base64url::encode(&signature));
        signed
    });
    assert_eq!(loose, "oidc_token");
}

fn sha256(text: &[u8]) -> [u8; 32] {
    let mut state = tsz_chips::sha256::IV;
    for block in tsz_chips::sha256::digest_blocks(text) {
        state = tsz_chips::sha256::compress(&state, &block);
    }
    let mut out = [0; 32];
    out.chunks_exact_mut(4).zip(state).for_each(|(o, w)| o.copy_from_slice(&w.to_be_bytes()));
    out
}

/// A token whose signature is of another encoded digest.
fn signed_as(change: impl FnOnce(&mut [u8; 256])) -> String {
    lie(|m| {
        let mut token = RsaIssuer.sign(&RsaIssuer::header("k1"), &payload(m));
        let dot = token.iter().rposition(|b| *b == b'.').unwrap();
        let mut encoded = encode(&sha256(&token[..dot]));
        change(&mut encoded);
        token.truncate(dot + 1);
        token.extend(base64url::encode(&RsaIssuer.sign_encoded(&encoded)));
        token
    })
}

#[test]
fn rejects_signatures_of_other_paddings_exponents_and_texts() {
    for at in [0usize, 1, 2, 150, 203, 204, 205, 223, 255] {
        assert_eq!(signed_as(|e| e[at] ^= 1), "rsa", "{at}");
    }
    // e = 1: the encoded digest itself.
    let plain = lie(|m| {
        let mut token = RsaIssuer.sign(&RsaIssuer::header("k1"), &payload(m));
        let dot = token.iter().rposition(|b| *b == b'.').unwrap();
        let encoded = encode(&sha256(&token[..dot]));
        token.truncate(dot + 1);
        token.extend(base64url::encode(&encoded));
        token
    });
    assert_eq!(plain, "rsa");
    // The signature of another token.
    let other = lie(|m| {
        let mut token = RsaIssuer.sign(&RsaIssuer::header("k1"), &payload(m));
        let donor = RsaIssuer.sign(&RsaIssuer::header("k1"), &payload(&ZERO));
        let dot = |t: &[u8]| t.iter().rposition(|b| *b == b'.').unwrap();
        token.truncate(dot(&token));
        token.extend(&donor[dot(&donor)..]);
        token
    });
    assert_eq!(other, "rsa");
}

/// The cell of a key whose modulus is `n`, and a signature under it by whoever knows that the order of the units of `n`
/// divides `order`: what the native check of the key and what the circuit say.
fn under_modulus(n: &BigUint, order: &BigUint, units: impl Fn(&BigUint) -> bool) -> (bool, String) {
    let padded = |x: &BigUint| {
        let bytes = x.to_bytes_be();
        [vec![0; MODULUS - bytes.len()], bytes].concat()
    };
    let key = Rs256Key { modulus: padded(n).try_into().unwrap() };
    let mut world = World::new();
    let provider = LoginProvider { key: key.into(), ..provider("k1") };
    world.view.set(Key::provider(5), provider.digest());
    let root = BigUint::from(65_537u32).modinv(order).unwrap();
    let register = RegisterKeyByOidc { provider, ..world.register() };
    let op = world.with(register, |m| {
        // Another time where the encoded digest has no root.
        (0..)
            .find_map(|k| {
                let payload = Issuer::payload(&identity(), m, TIME / 1000 - k);
                let mut token = RsaIssuer.sign(&RsaIssuer::header("k1"), &payload);
                let dot = token.iter().rposition(|b| *b == b'.')?;
                let encoded = BigUint::from_bytes_be(&encode(&sha256(&token[..dot])));
                token.truncate(dot + 1);
                token.extend(base64url::encode(&padded(&encoded.modpow(&root, n))));
                units(&encoded).then_some(token)
            })
            .unwrap()
    });
    let verdict = world.verdict(&op).is_ok();
    world.login(op);
    (verdict, place(&world.witness()))
}

/// Powers of small primes have roots for everyone. The signatures hold; the modulus is what is wrong.
#[test]
fn rejects_moduli_that_are_even_or_short() {
    let big = |base: u32, exponent: u32| BigUint::from(base).pow(exponent);
    let is_unit = |prime: u32| move |x: &BigUint| x % prime != BigUint::ZERO;
    // 5^882 is odd and has 2,048 bits: whoever orders that gets what he ordered.
    let five = under_modulus(&big(5, 882), &(big(5, 881) * 4u32), is_unit(5));
    assert_eq!(five, (true, "nowhere".to_owned()));
    // 3^1291 has 2,047 bits, twice that is even and has 2,048.
    let order = big(3, 1290) * 2u32;
    assert_eq!((big(3, 1291).bits(), (big(3, 1291) * 2u32).bits()), (2_047, 2_048));
    assert_eq!(under_modulus(&big(3, 1291), &order, is_unit(3)), (false, "bus:bytes".to_owned()));
    assert_eq!(under_modulus(&(big(3, 1291) * 2u32), &order, is_unit(3)), (false, "bus:bytes".to_owned()));
}

#[test]
fn rejects_a_key_without_the_right_an_expired_one_and_another_scheme() {
    let right = |slot_: u8| {
        let mut world = one();
        let tsz_trade::Op::Auth(AuthOp::RegisterKeyByOidc(op)) = &mut world.records[0].op else {
            unreachable!()
        };
        op.key_slot = slot(slot_);
        world.records[0].accesses[0].key = Key::key_a(2, slot_.into());
        world.records[0].accesses[1].key = Key::key_b(2, slot_.into());
        let leaf = tsz_stf::View::get(&world.view, Key::key_b(2, slot_.into()));
        world.records[0].accesses[1].old = leaf;
        world.records[0].accesses[1].new = leaf;
        place(&world.witness())
    };
    assert_eq!(right(3), "nowhere");
    assert_eq!(right(4), "oidc_login");
    let mut expired = one();
    expired.context.time = EXPIRY;
    assert_eq!(place(&expired.witness()), "oidc_login");
    let mut scheme = one();
    scheme.records[0].accesses[1].old[0] = F::TWO;
    scheme.records[0].accesses[1].new[0] = F::TWO;
    assert_eq!(place(&scheme.witness()), "bus:val");
}

#[test]
fn rejects_cells_of_providers_that_are_not_what_l1_ordered() {
    let honest = honest();
    assert_eq!(place(&honest.changed(|r| r.governance[0].provider[3] += F::ONE)), "bus:p2");
    // Another cell is neither the one of the log nor that of the record.
    let cell = place(&honest.changed(|r| r.governance[0].slot -= F::ONE));
    assert!(["bus:key", "bus:p2"].contains(&cell.as_str()), "{cell}");
    assert_eq!(place(&honest.changed(|r| r.governance[0].is_clear = F::ONE)), "set_provider");
    // ClearProvider that leaves something; SetProvider in its place.
    assert_eq!(place(&honest.changed(|r| r.governance[1].provider[0] = F::ONE)), "set_provider");
    assert_eq!(place(&honest.changed(|r| r.governance[1].is_clear = F::ZERO)), "bus:p2");
    assert_ne!(place(&honest.changed(|r| r.governance[0].slot = F::from_u32(4096))), "nowhere");
    // A padding row that acts.
    let row = honest.changed(|r| {
        let row = r.governance[0].clone();
        r.governance.push(row);
    });
    assert_ne!(place(&row), "nowhere");
    assert_ne!(
        place(&honest.changed(|r| {
            r.governance.pop();
        })),
        "nowhere"
    );
}

#[test]
fn rejects_rows_of_logins_that_mix_tokens_or_act_in_padding() {
    let honest = honest();
    // The values or the digest of another token; the key of another provider.
    assert_ne!(place(&honest.changed(|r| r.logins.swap(0, 1))), "shape");
    let swapped = honest.changed(|r| {
        let number = r.approvals[0].token.number;
        r.approvals[0].token.number = r.approvals[1].token.number;
        r.approvals[1].token.number = number;
    });
    assert!(place(&swapped).starts_with("bus:oidc"), "{}", place(&swapped));
    let key = honest.changed(|r| r.approvals[0].token.key = F::TWO);
    assert!(["bus:oidc_provider", "bus:rsa"].contains(&place(&key).as_str()));
    // A login that is left out; one that is proven twice.
    assert_ne!(
        place(&honest.changed(|r| {
            r.logins.pop();
        })),
        "nowhere"
    );
    let twice = honest.changed(|r| {
        let row = r.logins[0].clone();
        r.logins.push(row);
    });
    assert_ne!(place(&twice), "nowhere");
    // A row that is no op but receives a token; an approval of another op, at another place, of another provider cell.
    assert_ne!(place(&honest.changed(|r| r.logins[0].is_real = F::ZERO)), "nowhere");
    assert_eq!(place(&honest.changed(|r| r.approvals[0].index += F::ONE)), "bus:key");
    let swapped = honest.changed(|r| {
        let (first, second) = (r.approvals[0].index, r.approvals[1].index);
        (r.approvals[0].index, r.approvals[1].index) = (second, first);
    });
    assert_eq!(place(&swapped), "bus:key");
    assert_eq!(place(&honest.changed(|r| r.approvals[0].place += F::ONE)), "bus:key");
    assert_eq!(place(&honest.changed(|r| r.approvals[0].token.slot += F::ONE)), "bus:key");
    // An op without an approval, an approval without an op.
    let none = honest.changed(|r| {
        r.approvals.pop();
    });
    assert!(place(&none).starts_with("bus:"), "{}", place(&none));
    assert_eq!(place(&honest.changed(|r| r.approvals[0].message[0] += F::ONE)), "oidc_approval");
    assert_eq!(place(&honest.changed(|r| r.approvals[0].key_id[0] += F::ONE)), "bus:p2");
}
