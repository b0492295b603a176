//! Claims and their encodings.

use std::collections::BTreeSet;

use tsz_codec::{Decode, Encode, decode_all};
use tsz_ledger::ExecClaim;
use tsz_stark::F;

use super::*;
use crate::{MapError, PublicMap, headers_digest};

#[test]
fn claims_read_back_and_have_digests_of_their_own() {
    let mut digests = BTreeSet::new();
    let mut count = 0;
    for claim in batch(7, 1_000, "a", "b").claims() {
        for claim in std::iter::once(claim).chain(variants(&claim)) {
            let bytes = Encode::to_bytes(&claim);
            assert!(bytes.len() >= Claim::MIN_LEN);
            assert_eq!(decode_all::<Claim>(&bytes).unwrap(), claim);
            for cut in [0, 1, bytes.len() - 1] {
                assert!(decode_all::<Claim>(&bytes[..cut]).is_err());
            }
            digests.insert(crate::rules::order(&claim.digest()));
            count += 1;
        }
    }
    // A few variants are equal to one another or to honest claims.
    assert!(digests.len() * 10 > count * 7, "{} of {count}", digests.len());
}

#[test]
fn the_claim_of_a_chain_has_the_digest_of_the_headers() {
    let batches = [batch(7, 1_000, "a", "b"), batch(8, 1_000, "b", "c"), batch(9, 2_000, "c", "d")];
    let whole = |b: &Batch| *b.claims().last().unwrap();
    let mut chain = whole(&batches[0]);
    for next in &batches[1..] {
        chain = merge(&chain, &whole(next), &next.advice()).unwrap().1;
    }
    let headers: Vec<BatchHeader> = batches.iter().map(|b| b.header).collect();
    let Claim::Batches(claim) = chain else { panic!("{chain:?}") };
    assert_eq!(claim.headers, headers_digest(&headers));
    assert_eq!((claim.count, claim.first, claim.last), (3, 7, 9));
    assert_eq!((claim.s0, claim.sn), (digest("a"), digest("d")));
}

#[test]
fn public_values_that_are_no_part_of_the_claim_are_refused() {
    let all = |c: &ExecClaim| -> Vec<F> { c.start.iter().chain(&c.end).copied().collect() };
    let with = |extra: fn(&ExecClaim) -> Vec<F>| move |c: &ExecClaim| vec![all(c), extra(c)];
    let count = |c: &ExecClaim| F::from_u32(c.count);
    let (fund, spot) = (Family::Fund.algorithm(), Family::Spot.algorithm());
    PublicMap::exec(fund, with(|c| vec![F::from_u32(c.count), one(), F::from_bool(c.has_begin)])).unwrap();
    assert_eq!(PublicMap::exec(spot, with(|_| vec![])), Err(MapError::Missing("how many ops the range has")));
    let unknown = PublicMap::exec(spot, with(|c| vec![F::from_u32(c.count), F::from_u32(c.count) + one()]));
    assert_eq!(unknown, Err(MapError::Unknown { table: 1, index: 1 }));
    let shape = PublicMap::exec(spot, |c| vec![vec![count(c); 1 + usize::from(c.has_begin)]]);
    assert_eq!(shape, Err(MapError::Shape));
    // Only fund ops begin batches: its proofs must say whether they do.
    PublicMap::exec(spot, with(|c| vec![F::from_u32(c.count)])).unwrap();
    let silent = PublicMap::exec(fund, with(|c| vec![F::from_u32(c.count)]));
    assert_eq!(silent, Err(MapError::Missing("whether the range begins the batch")));
}
