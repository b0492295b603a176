//! How the leaf of a key is written: which of its felts form which number.

use tsz_ledger::Key;
use tsz_ledger::cells::MAX_MARGIN_TOKENS;
use tsz_ledger::key::{cell, kind};

/// A run of felts of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// A number in limbs of 24 bits.
    Number(usize),
    /// Limbs of a magnitude and a sign felt.
    Signed(usize),
    /// Limbs of millionths of a unit; whole units are written as such.
    Money(usize),
    /// The same with a sign felt.
    SignedMoney(usize),
    /// Limbs of 24 bits at full width: an address.
    Limbs(usize),
    /// Canonical felts.
    Felts(usize),
    /// A position: 2 limbs of size, sign, 3 limbs of the funding index, sign.
    Position,
}

use Field::{Felts, Limbs, Money, Number, Position, Signed, SignedMoney};

const DIGEST: &[Field] = &[Felts(8)];
/// Cells of the margin balances.
const MARGIN: core::ops::Range<u32> = cell::MBAL..cell::MBAL + MAX_MARGIN_TOKENS as u32;

/// The fields of the leaf at a published key. What is left of the leaf is zero. A cell without a layout is eight
/// canonical felts.
pub(crate) fn layout(key: Key) -> &'static [Field] {
    if is_system(key) { system(key.raw() as u32, (key.raw() >> 32) as u32 & 63) } else { user(key) }
}

fn is_system(key: Key) -> bool {
    key.hi() >> 24 & 1 == 1
}

fn user(key: Key) -> &'static [Field] {
    match key.lo() % cell::COUNT {
        cell::SUB => &[SignedMoney(4), Number(1)],
        cell::ACCT => &[Limbs(7), Number(1)],
        number if MARGIN.contains(&number) => &[Money(4)],
        number if number < MARGIN.start && number % 2 == 0 => DIGEST,
        number if number < MARGIN.start => &[Number(1), Number(1), Number(2)],
        number if (cell::BAL..cell::POS).contains(&number) => &[Money(4)],
        number if number >= cell::POS => &[Position],
        _ => DIGEST,
    }
}

fn system(index: u32, number: u32) -> &'static [Field] {
    let l1_in = Key::L1IN.raw() as u32;
    match number {
        kind::SYS if index == l1_in => &[Number(3)],
        kind::TOK => &[Number(1), Number(3)],
        kind::MKP => &[Number(2), Number(2), Number(2), Number(1)],
        kind::MKF => &[Signed(3), Number(2)],
        kind::MKS => &[Signed(2), Number(1)],
        kind::MKO => &[Number(3), Number(2)],
        _ => DIGEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn felts(field: &Field) -> usize {
        match field {
            Number(n) | Money(n) | Limbs(n) | Felts(n) => *n,
            Signed(n) | SignedMoney(n) => n + 1,
            Position => 7,
        }
    }

    #[test]
    fn no_layout_exceeds_a_leaf() {
        let users = (0..cell::COUNT).map(|lo| Key::new(lo.into()));
        let systems = (0..64).flat_map(|k| (0..8).map(move |i| Key::new(1 << 38 | k << 32 | i)));
        for key in users.chain(systems).flatten() {
            assert!(layout(key).iter().map(felts).sum::<usize>() <= 8, "{key:?}");
        }
    }

    #[test]
    fn cells_have_the_layout_of_their_kind() {
        assert_eq!(layout(Key::bal(7, 3, 127)), &[Money(4)]);
        assert_eq!(layout(Key::pos(7, 3, 255)), &[Position]);
        assert_eq!(layout(Key::key_a(7, 47)), DIGEST);
        assert_eq!(layout(Key::key_b(7, 47)), &[Number(1), Number(1), Number(2)]);
        assert_eq!(layout(Key::tok(9)), &[Number(1), Number(3)]);
        assert_eq!(layout(Key::L1IN), &[Number(3)]);
        assert_eq!(layout(Key::PARAMS), DIGEST);
    }
}
