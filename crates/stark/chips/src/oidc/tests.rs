//! Honest tokens, random damage against the native scanner, and the lies that must be refused.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, Tamper, Trace,
    Violation, WindowAccess, air_enum, assert_degrees, check, columns, from_rows,
};
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::json::Object;
use tsz_auth::rs256::MODULUS;
use tsz_auth::scan::{FIELDS, scan};
use tsz_auth::{LoginProvider, base64url};
use tsz_hash::hash_bytes;
use tsz_stark::{Circuit, Profile, setup};

use super::trace::rows;
use super::*;
use crate::bytes::{self, BYTES_LOG_HEIGHT, BytesTable};
use crate::collect::{Asked, collect};
use crate::poseidon2::{self, Poseidon2Table};
use crate::sha256::{self, Sha256Table};

columns! {
    /// A token that a circuit needs.
    struct UserCols {
        /// Boolean.
        is_real,
        /// Its number.
        token,
        /// Its digest.
        digest: [16],
        /// Digests of its fields.
        values: [8; 8],
        /// A key.
        key,
        /// Its cell.
        cell: [8],
        /// Its texts.
        texts: [8; 3],
    }
}

#[derive(Clone)]
struct User;

impl TableAir for User {
    fn name(&self) -> String {
        "user".into()
    }
}

impl BaseAir<F> for User {
    fn width(&self) -> usize {
        UserCols::<F>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for User {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = UserCols::<AB::Var>::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        let real = || -> AB::Expr { row.is_real.into() };
        receive_digest(builder, row.token.into(), row.digest.map(Into::into), real());
        for (field, value) in FIELDS.into_iter().zip(row.values) {
            let field = AB::Expr::from_u8(field.code());
            receive_value(builder, row.token.into(), field, value.map(Into::into), real());
        }
        let texts = row.texts.map(|t| t.map(Into::into));
        lookup_provider(builder, row.key.into(), row.cell.map(Into::into), texts, real());
    }
}

air_enum! {
    /// Tables of the tests.
    enum TestAir {
        User(User), Token(TokenTable), Split(SplitTable), Scanner(ScannerTable), Value(ValueTable),
        Digest(DigestTable), Provider(ProviderTable), Sha256(Sha256Table), Poseidon2(Poseidon2Table), Bytes(BytesTable),
    }
}

const TOKEN_LOG: usize = 11;
const SHA_LOG: usize = 9;
const VALUE_LOG: usize = 6;
const P2_LOG: usize = 6;

fn airs() -> Vec<(TestAir, usize)> {
    vec![
        (User.into(), 6),
        (TokenTable::new(TOKEN_LOG).into(), TOKEN_LOG),
        (SplitTable.into(), SPLIT_LOG_HEIGHT),
        (ScannerTable.into(), SCANNER_LOG_HEIGHT),
        (ValueTable.into(), VALUE_LOG),
        (DigestTable.into(), 6),
        (ProviderTable.into(), 6),
        (Sha256Table::new(SHA_LOG).into(), SHA_LOG),
        (Poseidon2Table::new().into(), P2_LOG),
        (BytesTable.into(), BYTES_LOG_HEIGHT),
    ]
}

fn provider() -> LoginProvider {
    let text = |s: &str| s.to_owned();
    let key = RsaIssuer.key().into();
    LoginProvider { issuer: text("https://accounts.example"), audience: text("app"), kid: text("k1"), key }
}

const HEADER: &str = r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#;
const PAYLOAD: &str = r#"{"iss":"https://accounts.example","azp":"app","aud":"app","sub":"108204","amr":["pwd",{"a":1}],"email_verified":true,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","name":"Jos\u00e9 \"x\"","iat":1700000000,"exp":1700000600}"#;

fn signed(header: &str, payload: &str) -> Vec<u8> {
    [base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes())].join(&b'.')
}

/// What a user takes of a token: the digests that its rows make, or those of `values`.
fn users(rows: &Rows) -> Vec<UserCols<F>> {
    let user = |number: &u32| {
        let token = F::from_u32(*number);
        let mut user = UserCols::fill(F::ZERO);
        (user.is_real, user.token, user.key) = (F::ONE, token, F::ONE);
        let of = |d: &&DigestCols<F>| d.token == token && d.is_last == F::ONE;
        user.digest = rows.digests.iter().find(of).map_or([F::ZERO; 16], |d| d.after);
        for (field, value) in FIELDS.into_iter().zip(&mut user.values) {
            let code = F::from_u8(field.code());
            let of = |v: &&ValueCols<F>| v.token == token && v.field == code && v.is_last == F::ONE;
            *value = rows.values.iter().find(of).map_or([F::ZERO; 8], |v| v.after);
        }
        let felts = provider().felts();
        user.texts = core::array::from_fn(|t| core::array::from_fn(|k| felts[8 * t + k]));
        user.cell = provider().digest();
        user
    };
    rows.numbers.iter().map(user).collect()
}

fn with(users: &[UserCols<F>], rows: &Rows) -> Vec<Trace> {
    with_keys(users, rows, &[provider()])
}

fn with_keys(users: &[UserCols<F>], rows: &Rows, keys: &[LoginProvider]) -> Vec<Trace> {
    let user = from_rows(users, 6);
    let tokens = from_rows(&rows.tokens, TOKEN_LOG);
    let values = from_rows(&rows.values, VALUE_LOG);
    let digests = from_rows(&rows.digests, 6);
    let mut asked = Asked::default();
    asked.merge(collect(&User, &user, &[]));
    asked.merge(collect(&TokenTable::new(TOKEN_LOG), &tokens, &[]));
    asked.merge(collect(&ValueTable, &values, &[]));
    asked.merge(collect(&DigestTable, &digests, &[]));
    let providers = ProviderTable::trace(keys, &asked).unwrap();
    asked.merge(collect(&ProviderTable, &providers, &[]));
    let sha256 = sha256::trace(&Sha256Table::new(SHA_LOG), &rows.compressions).unwrap();
    let p2 = poseidon2::traces(&asked.shared.p2, &[P2_LOG]).unwrap().remove(0);
    let (split, scanner) = (SplitTable::trace(&asked), ScannerTable::trace(&asked));
    vec![user, tokens, split, scanner, values, digests, providers, sha256, p2, bytes::trace(&asked.bytes)]
}

fn place(traces: &[Trace]) -> String {
    let airs: Vec<TestAir> = airs().into_iter().map(|(air, _)| air).collect();
    match check(&airs, traces, &vec![vec![]; airs.len()]) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

/// Where texts are refused, if a liar fills every table.
fn text(signed: &[u8]) -> String {
    let rows = rows([signed]).unwrap();
    place(&with(&users(&rows), &rows))
}

fn json(header: &str, payload: &str) -> String {
    text(&signed(header, payload))
}

/// Refused by the automaton: a refused text has no state, and so not the one that a part has to end in.
fn is_scanned(place: &str) -> bool {
    place == "oidc_token"
}

/// Where a text is refused whose trace has the states and values of another text of its length.
fn pretended(text: &[u8], like: &[u8]) -> String {
    assert_eq!(text.len(), like.len());
    let (mut rows, like) = (rows([text]).unwrap(), rows([like]).unwrap());
    for (row, like) in rows.tokens.iter_mut().zip(&like.tokens) {
        (row.state, row.next_state) = (like.state, like.next_state);
        (row.is_value, row.field, row.index) = (like.is_value, like.field, like.index);
    }
    rows.values = like.values;
    place(&with(&users(&rows), &rows))
}

/// The payload with one text in place of another.
fn replaced(from: &str, to: &str) -> String {
    assert!(PAYLOAD.contains(from));
    json(HEADER, &PAYLOAD.replacen(from, to, 1))
}

/// One lie in the rows of the honest token.
fn lie(change: impl FnOnce(&mut Rows)) -> String {
    let mut rows = rows([&signed(HEADER, PAYLOAD)[..]]).unwrap();
    let users = users(&rows);
    change(&mut rows);
    place(&with(&users, &rows))
}

#[test]
fn accepts_tokens_with_the_digests_of_their_values() {
    let texts = [signed(HEADER, PAYLOAD), signed(&format!(" {HEADER}\n"), &PAYLOAD.replace("\":", "\" : "))];
    let rows = rows(texts.iter().map(Vec::as_slice)).unwrap();
    let users = users(&rows);
    for (user, claims) in
        users.iter().zip([scan(HEADER.as_bytes(), PAYLOAD.as_bytes()).unwrap(); 1].iter().cycle())
    {
        let expected: Vec<_> = FIELDS.into_iter().map(|field| hash_bytes(claims.get(field))).collect();
        assert_eq!(user.values.to_vec(), expected);
    }
    assert_eq!(place(&with(&users, &rows)), "nowhere");
    assert_eq!(place(&with(&[], &Rows::default())), "nowhere");
}

#[test]
fn accepts_signing_inputs_of_every_length_modulo_a_block() {
    for more in 0..70 {
        let payload = PAYLOAD.replacen("\"azp\":\"app\"", &format!("\"azp\":\"{}\"", "x".repeat(more)), 1);
        assert_eq!(json(HEADER, &payload), "nowhere", "{more}");
    }
}

#[test]
fn rejects_duplicates_escapes_types_and_missing_fields() {
    // Each field twice, in its part: one value too many.
    for (field, value) in [("iss", "\"x\""), ("aud", "\"app\""), ("sub", "\"108204\""), ("exp", "1900000000")]
    {
        let twice = replaced("\"azp\"", &format!("\"{field}\":{value},\"azp\""));
        assert_eq!(twice, "bus:oidc_value", "{field}");
    }
    assert_eq!(json(&HEADER.replacen("\"typ\"", "\"alg\":\"none\",\"typ\"", 1), PAYLOAD), "bus:oidc_value");
    assert_eq!(replaced("\"sub\":\"108204\",", ""), "bus:oidc_value");
    // An escape in a value or key that is read, other types, an empty text, other numbers.
    for (from, to) in [
        ("\"108204\"", "\"10820\\u0034\""),
        ("\"sub\"", "\"s\\u0075b\""),
        ("\"aud\":\"app\"", "\"aud\":[\"app\"]"),
        ("\"108204\"", "108204"),
        ("\"108204\"", "\"\""),
        ("1700000600", "01700000600"),
        ("1700000600", "1.7e9"),
        ("1700000600", "\"1700000600\""),
        ("1700000600", "-1700000600"),
    ] {
        assert!(is_scanned(&replaced(from, to)), "{to}");
    }
    for refused in ["\"crit\":\"b64\",\"typ\"", "\"b64\":false,\"typ\"", "\"jwk\":{},\"typ\""] {
        assert!(is_scanned(&json(&HEADER.replacen("\"typ\"", refused, 1), PAYLOAD)), "{refused}");
    }
    // States that go on behind a refused name, as if it were one that is read over: that transition has no entry.
    for (refused, like) in [("crit", "crux"), ("b64", "b65")] {
        let header = |name: &str| HEADER.replacen("\"typ\"", &format!("\"{name}\":\"b64\",\"typ\""), 1);
        let (text, like) = (signed(&header(refused), PAYLOAD), signed(&header(like), PAYLOAD));
        assert_eq!(pretended(&like, &like), "nowhere");
        assert_eq!(pretended(&text, &like), "bus:oidc_scan", "{refused}");
    }
}

#[test]
fn rejects_texts_that_are_not_one_object() {
    for payload in [
        format!("{PAYLOAD}x"),
        format!("{PAYLOAD}{{}}"),
        format!("{PAYLOAD},\"sub\":\"x\"}}"),
        format!("x{PAYLOAD}"),
        PAYLOAD.replacen(",\"exp\"", ",,\"exp\"", 1),
        PAYLOAD.replacen("{\"a\":1}", "{\"a\":1]", 1),
    ] {
        assert!(is_scanned(&json(HEADER, &payload)), "{payload}");
    }
    // It does not end.
    assert_eq!(json(HEADER, &PAYLOAD[..PAYLOAD.len() - 1]), "oidc_token");
    assert_eq!(json(&HEADER[..HEADER.len() - 1], PAYLOAD), "oidc_token");
    // A field inside another value is none.
    assert_eq!(
        replaced("\"sub\":\"108204\",\"amr\":[\"pwd\"", "\"amr\":[\"sub\":\"108204\""),
        "bus:oidc_value"
    );
}

#[test]
fn rejects_other_encodings() {
    let honest = signed(HEADER, PAYLOAD);
    let dot = honest.iter().position(|b| *b == b'.').unwrap();
    let change = |at: usize, to: u8| {
        let mut text = honest.clone();
        text[at] = to;
        text
    };
    // Characters of other alphabets, padding, a second and no dot.
    for byte in *b"+/= \n" {
        assert_ne!(text(&change(dot + 9, byte)), "nowhere", "{byte}");
    }
    assert_ne!(text(&change(dot + 9, b'.')), "nowhere");
    assert_ne!(text(&change(dot, b'A')), "nowhere");
    // Unused bits: a header of 1 and of 2 bytes more than groups.
    for header in [" ", "  "] {
        let good = signed(&format!("{HEADER}{header}"), PAYLOAD);
        let dot = good.iter().position(|b| *b == b'.').unwrap();
        if dot % 4 == 0 {
            continue;
        }
        let mut loose = good.clone();
        let v = base64url::value(loose[dot - 1]).unwrap();
        loose[dot - 1] = base64url::ALPHABET[usize::from(v | 1)];
        assert_eq!(text(&loose), "oidc_token");
        // One character more than a group.
        let mut long = good;
        long.truncate(dot - dot % 4);
        long.push(b'A');
        long.extend(&honest[honest.iter().position(|b| *b == b'.').unwrap()..]);
        assert_eq!(text(&long), "oidc_token");
    }
}

/// Random damage: the tables accept a text exactly where the native scanner does, and then both read what the JSON
/// reader reads.
#[test]
fn agrees_with_the_native_scanner_on_damaged_tokens() {
    let mut rng = StdRng::seed_from_u64(7);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..60 {
        let mut payload = PAYLOAD.as_bytes().to_vec();
        for _ in 0..rng.random_range(1..3) {
            let at = rng.random_range(0..payload.len());
            let pool = b"\"\\{}[],:a0 \x01\xffe";
            match rng.random_range(0..3) {
                0 => payload[at] = pool[rng.random_range(0..pool.len())],
                1 => payload.insert(at, pool[rng.random_range(0..pool.len())]),
                _ => {
                    payload.remove(at);
                }
            }
        }
        let native = scan(HEADER.as_bytes(), &payload);
        let encoded = [base64url::encode(HEADER.as_bytes()), base64url::encode(&payload)].join(&b'.');
        let rows = rows([&encoded[..]]).unwrap();
        let users = users(&rows);
        let place = place(&with(&users, &rows));
        assert_eq!(
            native.is_ok(),
            place == "nowhere",
            "{native:?} {place} {}",
            String::from_utf8_lossy(&payload)
        );
        if let Ok(claims) = native {
            accepted += 1;
            for (field, value) in FIELDS.into_iter().zip(&users[0].values) {
                assert_eq!(hash_bytes(claims.get(field)), *value);
            }
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 3 && refused > 20, "{accepted} {refused}");
}

/// What the native scanner accepts, the JSON reader reads likewise.
#[test]
fn the_native_scanner_is_a_part_of_json() {
    let mut rng = StdRng::seed_from_u64(11);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut payload = PAYLOAD.as_bytes().to_vec();
        for _ in 0..rng.random_range(0..4) {
            let at = rng.random_range(0..payload.len());
            let byte: u8 =
                if rng.random_bool(0.5) { rng.random() } else { payload[rng.random_range(0..payload.len())] };
            match rng.random_range(0..3) {
                0 => payload[at] = byte,
                1 => payload.insert(at, byte),
                _ => {
                    payload.remove(at);
                }
            }
        }
        let Ok(claims) = scan(HEADER.as_bytes(), &payload) else { continue };
        accepted += 1;
        let object = match Object::parse(&payload) {
            Ok(object) => object,
            // Members that nobody reads may be repeated.
            Err(tsz_auth::json::JsonError::Duplicate { .. }) => continue,
            Err(error) => panic!("{error} {}", String::from_utf8_lossy(&payload)),
        };
        for (name, field) in [("iss", 2), ("aud", 3), ("sub", 4), ("nonce", 5)] {
            assert_eq!(object.string(name).unwrap().as_bytes(), claims.get(FIELDS[field]));
        }
        for (name, field) in [("iat", 6), ("exp", 7)] {
            let digits = claims.get(FIELDS[field]);
            if digits.len() < 15 {
                assert_eq!(object.number(name).unwrap().to_string().as_bytes(), digits);
            }
        }
    }
    assert!(accepted > 2_000, "{accepted}");
}

#[test]
fn rejects_rows_that_hide_add_or_move_bytes() {
    let value_row = |rows: &Rows, code: u8| {
        let is = |r: &TokenCols<F>| r.is_value == F::ONE && r.field == F::from_u8(code);
        rows.tokens.iter().position(is).unwrap()
    };
    // A byte of a value is not sent; sent as another field; with another index; another byte.
    assert_eq!(
        lie(|r| {
            let at = value_row(r, 5);
            r.tokens[at].is_value = F::ZERO;
        }),
        "oidc_token"
    );
    let other = lie(|r| {
        let at = value_row(r, 5);
        r.tokens[at].field = F::TWO;
    });
    assert!(["bus:oidc_scan", "bus:oidc_char"].contains(&other.as_str()), "{other}");
    assert_eq!(
        lie(|r| {
            let at = value_row(r, 5);
            r.tokens[at].index += F::ONE;
        }),
        "oidc_token"
    );
    assert_eq!(
        lie(|r| {
            let at = value_row(r, 5);
            r.tokens[at].byte += F::ONE;
        }),
        "oidc_token"
    );
    // A state that jumps; a byte that is skipped; a text that begins in the middle.
    assert_eq!(lie(|r| r.tokens[20].next_state += F::ONE), "oidc_token");
    assert_eq!(lie(|r| r.tokens[20].has_byte = F::ONE - r.tokens[20].has_byte), "oidc_token");
    assert_eq!(lie(|r| r.tokens[0].state = F::from_u8(end_state())), "oidc_token");
    // A token that ends early, begins late, or is padding.
    assert_eq!(lie(|r| r.tokens[63].is_last = F::ONE), "oidc_token");
    assert_eq!(lie(|r| r.tokens[64].is_first = F::ONE), "oidc_token");
    assert_eq!(
        lie(|r| {
            let n = r.tokens.len();
            r.tokens[n - 1].is_real = F::ZERO;
        }),
        "oidc_token"
    );
    // Another length, place of the mark or number.
    assert_eq!(lie(|r| r.tokens.iter_mut().for_each(|t| t.length += F::ONE)), "oidc_token");
    assert_eq!(lie(|r| r.tokens.iter_mut().for_each(|t| t.token += F::ONE)), "oidc_token");
    assert_eq!(lie(|r| r.tokens[70].block += F::ONE), "oidc_token");
    assert_eq!(lie(|r| r.tokens[40].window[3] += F::ONE), "oidc_token");
}

fn end_state() -> u8 {
    tsz_auth::scan::end_code(tsz_auth::scan::Part::Header)
}

#[test]
fn rejects_values_digests_and_keys_of_others() {
    // A value that leaves a byte out, takes the digest of another length, or goes on into another value.
    assert_eq!(lie(|r| r.values[0].live[4] = F::ZERO), "oidc_value");
    assert_eq!(lie(|r| r.values[0].length += F::ONE), "oidc_value");
    assert_eq!(lie(|r| r.values[0].before[3] += F::ONE), "oidc_value");
    assert_eq!(lie(|r| r.values[0].bytes[0] += F::ONE), "bus:oidc_char");
    assert_eq!(lie(|r| r.values[2].is_last = F::ONE - r.values[2].is_last), "oidc_value");
    assert_eq!(
        lie(|r| {
            r.values.pop();
        }),
        "bus:oidc_char"
    );
    // States of another text, a missing compression, a token that ends one block early.
    assert_eq!(lie(|r| r.digests[0].before[0] += F::ONE), "oidc_digest");
    assert_eq!(lie(|r| r.digests[1].after[5] += F::ONE), "oidc_digest");
    assert_eq!(
        lie(|r| {
            r.digests.pop();
        }),
        "oidc_digest"
    );
    let early = lie(|r| {
        r.digests.pop();
        r.digests.last_mut().unwrap().is_last = F::ONE;
    });
    assert_eq!(early, "bus:oidc_digest");
    // Another cell, issuer or key number.
    let key = |change: fn(&mut UserCols<F>)| {
        let rows = rows([&signed(HEADER, PAYLOAD)[..]]).unwrap();
        let mut users = users(&rows);
        change(&mut users[0]);
        place(&with(&users, &rows))
    };
    assert_eq!(key(|u| u.cell[0] += F::ONE), "bus:oidc_provider");
    assert_eq!(key(|u| u.texts[0][0] += F::ONE), "bus:oidc_provider");
    assert_eq!(key(|u| u.key += F::ONE), "bus:oidc_provider");
    assert_eq!(key(|u| u.values[0][0] += F::ONE), "bus:oidc_value");
    assert_eq!(key(|u| u.digest[15] += F::ONE), "bus:oidc_digest");
    assert_eq!(key(|u| u.is_real = F::ZERO), "bus:oidc_digest");
}

/// The cell commits to the modulus whatever it is: only its two outer bytes are wrong.
#[test]
fn rejects_moduli_that_are_even_or_short() {
    let of = |lowest: u8, highest: u8| {
        let mut key = RsaIssuer.key();
        (key.modulus[MODULUS - 1], key.modulus[0]) = (lowest, highest);
        let keys = [LoginProvider { key: key.into(), ..provider() }];
        (key.is_modulus(), place(&with_keys(&[], &Rows::default(), &keys)))
    };
    for (lowest, highest) in [(1, 128), (1, 255), (255, 128), (255, 255), (127, 200)] {
        assert_eq!(of(lowest, highest), (true, "nowhere".to_owned()), "{lowest} {highest}");
    }
    for (lowest, highest) in [(0, 128), (254, 255), (128, 128), (1, 127), (255, 0), (1, 1), (0, 0)] {
        assert_eq!(of(lowest, highest), (false, "bus:bytes".to_owned()), "{lowest} {highest}");
    }
}

/// Modulus, next-row columns and all others: no cell is free.
#[test]
fn every_column_is_constrained() {
    let rows = rows([&signed(HEADER, PAYLOAD)[..]]).unwrap();
    let traces = with(&users(&rows), &rows);
    let airs: Vec<TestAir> = airs().into_iter().map(|(air, _)| air).collect();
    let publics = vec![vec![]; airs.len()];
    let real_rows = [1, rows.tokens.len(), 64, 64, rows.values.len(), rows.digests.len(), 1, 1, 1, 1];
    let tamper = Tamper {
        airs: &airs,
        traces: &traces,
        public_values: &publics,
        real_rows: &real_rows,
        trials: 24,
        seed: 5,
    };
    let free: Vec<_> = tamper.columns().into_iter().filter(|c| c.trials > 0 && c.noticed == 0).collect();
    let ours = |c: &&tsz_air::ColumnResult| c.table.starts_with("oidc");
    assert!(!free.iter().any(|c| ours(&c)), "{free:#?}");
}

#[test]
fn has_degree_3_and_a_proof() {
    let pk = setup(Circuit::new(Profile::InsecureTest, airs())).unwrap();
    assert_degrees(pk.vk().tables());
    println!("{}", tsz_air::report(pk.vk().tables()));
    let rows = rows([&signed(HEADER, PAYLOAD)[..]]).unwrap();
    let publics = vec![vec![]; airs().len()];
    let proof = tsz_stark::prove(&pk, &with(&users(&rows), &rows), &publics).unwrap();
    tsz_stark::verify(pk.vk(), &proof.to_bytes().unwrap(), &publics).unwrap();
}
