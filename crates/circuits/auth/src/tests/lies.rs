//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_auth::authenticator::Authenticator;
use tsz_auth::passkey::{CHALLENGE, MIDDLE, PREFIX, challenge, flag};
use tsz_auth::{Assertion, base64url};
use tsz_ledger::{Permission, Permissions};
use tsz_stf::{AuthOp, RegisterKeyByPasskey};

use super::world::*;

/// The world after one registration whose assertion is `make` of the honest flags and client data; the ledger
/// refuses the op, and the place where the circuit does.
fn lie(make: impl FnOnce(&World, &tsz_hash::Digest) -> Assertion) -> String {
    let mut world = World::new();
    let mut op = AuthOp::from(world.register());
    *op.assertion_mut().unwrap() = make(&world, &world.digest(&op));
    assert!(world.verdict(&op).is_err(), "the ledger accepts it");
    world.apply(op);
    place(&world.witness())
}

/// The lie of other client data.
fn client(make: impl FnOnce(&World, &tsz_hash::Digest) -> Vec<u8>) -> String {
    lie(|w, m| {
        let data = Authenticator::data(&w.passkey, flag::UP | flag::UV, 7);
        w.authenticator.sign(data, make(w, m))
    })
}

/// The lie of other flags.
fn flags(flags: u8) -> String {
    lie(|w, m| {
        let data = Authenticator::data(&w.passkey, flags, 7);
        w.authenticator.sign(data, Authenticator::client_data(&w.passkey, m, "}"))
    })
}

fn with(w: &World, message: &tsz_hash::Digest, from: &str, to: &str) -> Vec<u8> {
    let data = String::from_utf8(Authenticator::client_data(&w.passkey, message, "}")).unwrap();
    assert!(data.contains(from));
    data.replacen(from, to, 1).into_bytes()
}

#[test]
fn accepts_every_form_that_the_ledger_accepts() {
    let more = [
        "}",
        ",\"topOrigin\":\"https://example.com\"}",
        ",\"other_keys_can_be_added_here\":\"do not compare clientDataJSON against a template. See https://goo.gl/yabPex\"}",
    ];
    let all =
        [flag::UP | flag::UV, flag::UP | flag::UV | flag::BE, flag::UP | flag::UV | flag::BE | flag::BS];
    for (more, flags) in more.into_iter().zip(all) {
        let mut world = World::new();
        let mut op = AuthOp::from(world.register());
        let data = Authenticator::data(&world.passkey, flags, u32::MAX);
        let client = Authenticator::client_data(&world.passkey, &world.digest(&op), more);
        *op.assertion_mut().unwrap() = world.authenticator.sign(data, client);
        world.verdict(&op).unwrap();
        world.apply(op);
        assert_eq!(place(&world.witness()), "nowhere", "{more}");
    }
}

#[test]
fn accepts_client_data_of_every_length() {
    // Lengths around the ends of blocks: 183 and 247 bytes fill three and four.
    let base = Authenticator::client_data(&World::new().passkey, &tsz_hash::ZERO, "}").len();
    for length in [base, 182, 183, 184, 246, 247, 248, 310, 311] {
        let mut world = World::new();
        let mut op = AuthOp::from(world.register());
        let more = match length - base {
            0 => "}".to_owned(),
            n => format!(",{}", "x".repeat(n)),
        };
        let data = Authenticator::data(&world.passkey, flag::UP | flag::UV, 0);
        let client = Authenticator::client_data(&world.passkey, &world.digest(&op), &more);
        assert_eq!(client.len(), length);
        *op.assertion_mut().unwrap() = world.authenticator.sign(data, client);
        world.verdict(&op).unwrap();
        world.apply(op);
        assert_eq!(place(&world.witness()), "nowhere", "{length}");
    }
}

#[test]
fn rejects_an_approval_of_another_message() {
    assert_eq!(lie(|w, _| w.authenticator.assert(&w.passkey, &tsz_hash::ZERO)), "bus:login");
}

#[test]
fn rejects_a_replayed_approval() {
    let mut world = one();
    let AuthOp::RegisterKeyByPasskey(first) = world.records[0].op.clone() else { unreachable!() };
    let second = AuthOp::from(RegisterKeyByPasskey { nonce: world.nonce(), ..first });
    assert!(world.verdict(&second).is_err());
    world.apply(second);
    assert_eq!(place(&world.witness()), "bus:login");
}

#[test]
fn rejects_another_type_and_another_order_of_members() {
    assert_eq!(client(|w, m| with(w, m, "webauthn.get", "webauthn.pay")), "bus:sha_words");
    assert_eq!(client(|w, m| with(w, m, "\"origin\"", "\"0rigin\"")), "bus:sha_words");
    let order = client(|w, m| {
        let text = String::from_utf8(challenge(m).to_vec()).unwrap();
        let tail = String::from_utf8(w.passkey.tail().to_vec()).unwrap();
        format!("{{\"challenge\":\"{text}\",\"origin\":\"{tail},\"type\":\"webauthn.get\"}}").into_bytes()
    });
    // Quotes and braces are no characters of a challenge, and the tail stands elsewhere, which is noticed first.
    assert_eq!(order, "passkey");
}

#[test]
fn rejects_another_origin_and_a_cross_origin_frame() {
    assert_eq!(client(|w, m| with(w, m, "login.", "l0gin.")), "bus:p2");
    assert_eq!(client(|w, m| with(w, m, "https:", "http0:")), "bus:p2");
    // Not the end of any tail.
    assert_eq!(client(|w, m| with(w, m, ":false", ":true,")), "passkey");
    // A longer origin that begins with the key's: no delimiter follows what would be the tail.
    assert_eq!(client(|w, m| with(w, m, ":8443", ":84430")), "passkey");
}

#[test]
fn rejects_another_relying_party() {
    let place = lie(|w, m| {
        let other = w.authenticator.passkey("evil.com", ORIGIN, true).unwrap();
        w.authenticator.assert(&other, m)
    });
    assert_eq!(place, "bus:p2");
}

#[test]
fn rejects_flags() {
    let good = flag::UP | flag::UV;
    for bad in [0, flag::UP, flag::UV, good | flag::AT, good | flag::ED, good | flag::BS, good | 2, good | 32]
    {
        assert_eq!(flags(bad), "passkey", "{bad:#b}");
    }
}

#[test]
fn rejects_text_after_the_brace_and_other_delimiters() {
    for more in ["} ", "}}", "},\"challenge\":\"x\"}", "]", " }", "x"] {
        let place = client(|w, m| Authenticator::client_data(&w.passkey, m, more));
        assert_eq!(place, "passkey", "{more}");
    }
    // No delimiter at all.
    assert_eq!(client(|w, m| Authenticator::client_data(&w.passkey, m, "")), "passkey");
}

#[test]
fn rejects_a_challenge_that_is_not_canonical() {
    // The first felt plus p has 36 bits too.
    let place = client(|w, m| {
        let mut data = Authenticator::client_data(&w.passkey, m, "}");
        let value = u64::from(m[0].as_canonical_u32()) + u64::from(F::ORDER_U32);
        for k in 0..6 {
            data[PREFIX.len() + k] = base64url::ALPHABET[(value >> (30 - 6 * k)) as usize & 63];
        }
        data
    });
    assert_eq!(place, "bus:bytes");
    // A character of another alphabet.
    let place = client(|w, m| {
        let mut data = Authenticator::client_data(&w.passkey, m, "}");
        data[PREFIX.len() + CHALLENGE - 1] = b'+';
        data
    });
    assert!(["bus:base64", "bus:login"].contains(&place.as_str()), "{place}");
    // Padding characters instead of the quote.
    let place = client(|w, m| {
        let mut data = Authenticator::client_data(&w.passkey, m, "}");
        data[PREFIX.len() + CHALLENGE..][..MIDDLE.len()].copy_from_slice(b"=\",\"origin\":");
        data
    });
    assert_eq!(place, "bus:sha_words");
}

#[test]
fn rejects_the_signature_of_another_key_and_a_damaged_one() {
    assert_eq!(lie(|w, m| Authenticator::from_seed(b"thief").assert(&w.passkey, m)), "mulmod");
    let damaged = lie(|w, m| {
        let mut assertion = w.authenticator.assert(&w.passkey, m);
        assertion.signature.s[31] ^= 1;
        assertion
    });
    assert_eq!(damaged, "mulmod");
}

/// Verdict after cells of the row of assertions were set.
fn edited(change: impl FnOnce(&mut tsz_chips::passkey::PasskeyCols<F>)) -> String {
    edited_in(&one(), change)
}

fn edited_in(world: &World, change: impl FnOnce(&mut tsz_chips::passkey::PasskeyCols<F>)) -> String {
    let crate::login::OpTables { traces, approvals } =
        crate::login::trace(SMALL.kind, &world.context, &world.records, SMALL.ops).unwrap();
    let crate::login::Approvals::Passkeys(approvals) = approvals else { unreachable!() };
    let signatures: Vec<_> = approvals.iter().map(tsz_chips::passkey::signature).collect();
    let mut rows = tsz_chips::passkey::rows(&approvals);
    change(&mut rows.rows[0]);
    let (start, rows) = (world.context.digest(), crate::witness::Rows::Passkeys(rows));
    let witness =
        crate::Witness::with_rows(&SMALL, &world.context, &world.records, start, traces, rows, &signatures);
    place(&witness.unwrap())
}

/// Verdict about a slot that holds the id of a tail which native code builds or does not.
fn with_tail(tail: &[u8]) -> String {
    let mut world = World::new();
    let mut op = AuthOp::from(world.register());
    let data = Authenticator::data(&world.passkey, flag::UP | flag::UV, 7);
    let client = [PREFIX, &challenge(&world.digest(&op))[..], MIDDLE, tail, b"}"].concat();
    *op.assertion_mut().unwrap() = world.authenticator.sign(data, client);
    world.apply(op);
    // Felts: x (11), y (11), verification, length, relying party (16), tail (32).
    let mut felts = world.passkey.key_felts().to_vec();
    felts[23] = F::from_usize(tail.len());
    for (k, felt) in felts[40..].iter_mut().enumerate() {
        let byte = |i: usize| F::from_u8(tail.get(3 * k + i).copied().unwrap_or(0));
        *felt = byte(0) + byte(1) * F::from_u32(1 << 8) + byte(2) * F::from_u32(1 << 16);
    }
    let mut capacity = tsz_hash::Domain::Passkey.iv(felts.len());
    let capacities: Vec<tsz_hash::Digest> = felts
        .chunks_exact(8)
        .map(|block| {
            capacity = tsz_hash::step(&core::array::from_fn(|i| block[i]), &capacity);
            capacity
        })
        .collect();
    world.records[0].accesses[0].old = capacity;
    edited_in(&world, |row| {
        row.in_tail = core::array::from_fn(|j| F::from_bool(j < tail.len()));
        row.is_closed = F::ONE;
        row.capacities = core::array::from_fn(|k| capacities[k]);
    })
}

#[test]
fn rejects_a_tail_that_is_too_short() {
    assert_eq!(with_tail(b"https://\",\"crossOrigin\":false"), "nowhere");
    assert_eq!(with_tail(b"https:/\",\"crossOrigin\":false"), "passkey");
}

#[test]
fn rejects_a_tail_with_another_ending() {
    let honest = World::new().passkey.tail().to_vec();
    assert_eq!(with_tail(&honest), "nowhere");
    let with = |from: &str, to: &str| {
        let text = String::from_utf8(honest.clone()).unwrap();
        assert!(text.contains(from));
        with_tail(text.replacen(from, to, 1).as_bytes())
    };
    assert_eq!(with("\":false", "\":true "), "passkey");
    assert_eq!(with("\",\"crossOrigin", "0,\"crossOrigin"), "passkey");
    assert_eq!(with("crossOrigin\":false", "crossOrigin\":fals"), "passkey");
    assert_eq!(with("\",\"crossOrigin\":false", "/a/path/and/no/ending"), "passkey");
}

#[test]
fn rejects_lengths_and_marks_one_off() {
    assert_eq!(edited(|_| {}), "nowhere");
    assert_eq!(edited(|r| r.length[1] += F::from_u32(8)), "passkey");
    let end = |r: &tsz_chips::passkey::PasskeyCols<F>| r.ended.iter().position(|e| *e == F::ONE).unwrap();
    assert_eq!(edited(|r| r.ended[end(r)] = F::ZERO), "passkey");
    assert_eq!(edited(|r| r.ended[end(r) - 1] = F::ONE), "passkey");
    // The tail one byte shorter or longer.
    let tail = |r: &tsz_chips::passkey::PasskeyCols<F>| r.in_tail.iter().position(|e| *e == F::ZERO).unwrap();
    assert_eq!(edited(|r| r.in_tail[tail(r)] = F::ONE), "passkey");
    assert_eq!(edited(|r| r.in_tail[tail(r) - 1] = F::ZERO), "passkey");
    // A comma claimed where a brace stands.
    assert_eq!(edited(|r| r.is_closed = F::ZERO), "passkey");
    // A block that is not there.
    assert_eq!(edited(|r| r.more[0] = F::ONE), "passkey");
}

#[test]
fn rejects_hashes_that_do_not_follow() {
    assert_eq!(edited(|r| r.client_hash[0] += F::ONE), "passkey");
    assert_eq!(edited(|r| r.states[4][0] += F::ONE), "passkey");
    assert_eq!(edited(|r| r.middle[3] += F::ONE), "bus:sha_state");
    let digest = edited(|r| r.digest[3] += F::ONE);
    assert!(["bus:sha_state", "bus:ecdsa_p256"].contains(&digest.as_str()), "{digest}");
    let id = edited(|r| r.ids[5] = r.ids[6]);
    assert!(["bus:sha_words", "bus:sha_state"].contains(&id.as_str()), "{id}");
    assert_eq!(edited(|r| r.counter[0] += F::ONE), "bus:sha_words");
}

#[test]
fn rejects_another_key_under_the_id() {
    assert_eq!(edited(|r| r.key_x[0] += F::ONE), "bus:ecdsa_p256");
    // User verification is not demanded, though the id says so.
    assert_eq!(edited(|r| r.demands_uv = F::ZERO), "bus:p2");
    let id = edited(|r| r.capacities[8][0] += F::ONE);
    assert!(["bus:p2", "bus:login"].contains(&id.as_str()), "{id}");
}

#[test]
fn rejects_a_padding_row_that_provides() {
    let world = one();
    let mut witness = world.witness();
    let width = tsz_chips::passkey::PasskeyCols::<F>::WIDTH;
    // Column 1 is `uses`.
    witness.traces[6].values[width + 1] = F::ONE;
    assert_eq!(place(&witness), "passkey");
}

#[test]
fn rejects_a_passkey_without_the_right_and_an_expired_one() {
    let mut world = one();
    let none: Permissions = [Permission::Withdraw].into_iter().collect();
    world.records[0].accesses[1].old[1] = F::from_u32(none.bits());
    assert_eq!(place(&world.witness()), "login");
    let mut world = one();
    // expiry = T.
    let time = world.context.time;
    world.records[0].accesses[1].old[2] = F::from_u32(time as u32 & 0xff_ffff);
    world.records[0].accesses[1].old[3] = F::from_u32((time >> 24) as u32);
    assert_eq!(place(&world.witness()), "login");
}

#[test]
fn rejects_a_key_of_another_scheme_or_slot() {
    let mut world = one();
    world.records[0].accesses[1].old[0] = F::ONE;
    assert_eq!(place(&world.witness()), "bus:val");
    let mut world = one();
    world.records[0].accesses[0].old[0] += F::ONE;
    assert_eq!(place(&world.witness()), "bus:login");
    let mut world = one();
    world.records[0].accesses[3].key = tsz_ledger::Key::key_a(3, 7);
    assert_eq!(place(&world.witness()), "bus:key");
}

#[test]
fn rejects_another_content_than_the_approved_one() {
    let mut world = one();
    world.records[0].accesses[4].new[1] = F::from_u32(63);
    assert_eq!(place(&world.witness()), "bus:val");
    let mut world = one();
    world.records[0].accesses[2].new = world.records[0].accesses[2].old;
    assert_eq!(place(&world.witness()), "bus:val");
}

#[test]
fn the_ledger_names_what_it_refuses() {
    use tsz_stf::Reject;
    let world = World::new();
    let op = world.approve(RegisterKeyByPasskey { key_slot: slot(4), ..world.register() });
    assert!(matches!(world.verdict(&op), Err(Reject::Permission { .. })));
    let op = world.approve(RegisterKeyByPasskey { key_slot: slot(9), ..world.register() });
    assert!(matches!(world.verdict(&op), Err(Reject::NoKey { .. })));
    let other = world.authenticator.passkey(RP_ID, ORIGIN, false).unwrap();
    let op = world.approve(RegisterKeyByPasskey { passkey: other, ..world.register() });
    assert!(matches!(world.verdict(&op), Err(Reject::OtherPasskey { .. })));
    let op = AuthOp::from(world.register());
    assert!(matches!(world.verdict(&op), Err(Reject::Passkey { .. })));
}
