#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

extern crate std;

use crate::pattern::{Change, Schedule, bounded, conserved, never_falls};
use crate::*;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// No hash: enough to run programs.
fn absorb(capacity: &mut Leaf, words: &[u32]) {
    for (k, word) in words.iter().enumerate() {
        let mixed = u64::from(capacity[k % 8]) * 3 + u64::from(*word);
        capacity[k % 8] = (mixed % u64::from(P)) as u32;
    }
}

/// Keys and old values of an operation with one party.
fn memory(cells: &[(Key, bool, Leaf)]) -> (Vec<u32>, Layout) {
    let writes = cells.iter().filter(|c| c.1).count();
    let layout = Layout::new(3 + cells.len() as u32, writes as u32, 1).unwrap();
    let mut words = vec![0xffff_ffff; layout.words()];
    let policy = Policy { expiry: 9, epoch: 4, tokens: [0; 4] };
    let approval = (0..3).zip([[1; 8], [2; 8], policy.to_leaf()]);
    let approval = approval.map(|(place, leaf)| (Key::approval(2, 1, 3, place), false, leaf));
    for (k, (key, write, leaf)) in approval.chain(cells.iter().copied()).enumerate() {
        layout.put_key(&mut words, k, key, write);
        words[layout.olds() + 8 * k..layout.olds() + 8 * k + 8].copy_from_slice(&leaf);
    }
    (words, layout)
}

fn with<T>(cells: &[(Key, bool, Leaf)], test: impl FnOnce(&mut Op<'_>) -> T) -> T {
    let (mut words, layout) = memory(cells);
    test(&mut Op::new(&mut words, layout, &[], absorb).unwrap())
}

const BALANCE: Leaf = [5, 1, 0, 0, 0, 0, 0, 0];

#[test]
fn keys_have_the_layout_of_the_state() {
    assert_eq!(Key::bal(5, 3, 7), Key { hi: 5, lo: 3 << 9 | 135 });
    assert_eq!(Key::HEAD, Key { hi: 1 << 24 | 1 << 18, lo: 0 });
    assert_eq!(Key::mkp(9), Key { hi: 1 << 24 | 3 << 18, lo: 9 });
    assert_eq!(Key::approval(5, 3, 6, 31), Key { hi: (1 << 25) + 5, lo: 3 << 9 | 255 });
    assert_eq!(Key::approval(5, 3, 6, 31).as_approval(), Some((5, 3, 6, 31)));
    assert_eq!(Key::private(5, 3, 31).as_approval(), None);
    assert_eq!(Key::private(5, 3, 256).as_approval(), None);
    assert_eq!(Key::published(5, 3, 40).as_approval(), None);
    assert_eq!(Key { hi: 3 << 24 | 5, lo: 40 }.as_approval(), None);
    assert_eq!(Key::bal(5, 3, 127).as_balance(), Some((5, 3, 127)));
    assert_eq!(Key::published(5, 3, 127).as_balance(), None);
    assert_eq!(Key::published(5, 3, 256).as_balance(), None);
    assert_eq!(Key { hi: 1 << 24, lo: 128 }.as_balance(), None);
}

#[test]
fn writes_keep_their_value_until_they_are_set() {
    let (read, write) = (Key::bal(2, 1, 0), Key::bal(2, 1, 1));
    with(&[(read, false, BALANCE), (write, true, BALANCE)], |op| {
        assert_eq!(op.balance(2, 1, 0), Ok(5 + (1 << 24)));
        op.credit(2, 1, 1, 2).unwrap();
        assert_eq!((op.balance(2, 1, 1), op.old(write)), (Ok(7 + (1 << 24)), Ok(BALANCE)));
        assert_eq!(op.debit(2, 1, 0, 1), Err(Fault::NotWritable { hi: read.hi, lo: read.lo }));
        assert_eq!(op.debit(2, 1, 1, 1 << 30), Err(Fault::Width));
        assert_eq!(op.set_balance(2, 1, 1, 1 << 96), Err(Fault::Width));
        assert_eq!(op.set(write, &[P; 8]), Err(Fault::Word));
        assert!(matches!(op.balance(2, 1, 2), Err(Fault::Undeclared { .. })));
        // approvals are seen through the party only
        assert!(matches!(op.get(Key::approval(2, 1, 3, 0)), Err(Fault::Undeclared { .. })));
        let party = op.party(0).unwrap();
        assert_eq!((party.account, party.sub, party.slot, party.epoch, party.terms), (2, 1, 3, 4, [2; 8]));
        assert_eq!(op.party(1), Err(Fault::NoParty));
        assert!(op.journal().iter().all(|w| *w < P));
    });
}

#[test]
fn storage_of_another_epoch_is_empty() {
    let key = |place| Key::approval(2, 1, 3, cell::STORAGE + place);
    with(&[(key(0), true, [9; 8]), (key(1), false, [4; 8])], |op| {
        let party = op.party(0).unwrap();
        assert_eq!(op.load(&party, 0), Ok([0; 7]));
        assert_eq!(op.load(&party, 1), Ok([4; 7]));
        op.store(&party, 0, &[6; 7]).unwrap();
        assert_eq!((op.load(&party, 0), op.get(key(0))), (Ok([6; 7]), Ok([6, 6, 6, 6, 6, 6, 6, 4])));
        assert_eq!(op.load(&party, cell::STORAGE_CELLS), Err(Fault::Shape));
    });
}

#[test]
fn refuses_operations_that_no_ledger_declares() {
    let cells = [(Key::bal(2, 1, 0), true, BALANCE), (Key::bal(2, 1, 1), false, BALANCE)];
    let damaged = |change: &dyn Fn(&mut Vec<u32>, &Layout)| {
        let (mut words, layout) = memory(&cells);
        change(&mut words, &layout);
        Op::new(&mut words, layout, &[], absorb).map(|_| ()).unwrap_err()
    };
    assert_eq!(damaged(&|w, l| w[l.olds() + 30] = P), Fault::Word);
    assert_eq!(damaged(&|w, l| w[l.keys()] += 1), Fault::Parties);
    assert_eq!(damaged(&|w, l| w[l.keys() + 1] += 1), Fault::Parties);
    assert_eq!(damaged(&|w, l| w[l.keys() + 2] += 1 << 26), Fault::Parties);
    assert_eq!(damaged(&|w, l| w.swap(l.keys() + 7, l.keys() + 9)), Fault::Order);
    // other representations of the same key
    assert_eq!(damaged(&|w, l| w[l.keys() + 6] += 1 << 27), Fault::Order);
    assert_eq!(damaged(&|w, l| w[l.keys() + 9] += 1 << 14), Fault::Order);
    assert_eq!(damaged(&|w, l| w[l.keys() + 6] -= 1 << 26), Fault::Shape);
    assert_eq!(damaged(&|w, l| w[l.keys() + 8] += 1 << 26), Fault::Shape);
    assert_eq!(damaged(&|w, _| w.truncate(20)), Fault::Shape);
    for counts in [(2, 0, 1), (3, 1, 1), (129, 0, 1), (60, 1, 17), (5, 1, 0)] {
        assert_eq!(Layout::new(counts.0, counts.1, counts.2), Err(Fault::Shape), "{counts:?}");
    }
}

#[test]
fn the_journal_fills_blocks_with_zeros() {
    let (mut words, layout) = memory(&[(Key::bal(2, 1, 0), true, BALANCE)]);
    let op = Op::new(&mut words, layout, &[], absorb).unwrap();
    let journal = op.journal();
    assert_eq!(journal.len() % RATE, 0);
    assert_eq!(&journal[..4], [4, 1, 1, 0]);
    assert_eq!(&journal[12..16], [0; 4]);
    assert_eq!(&journal[layout.news()..], [5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(Layout::new(MAX_ACCESSES as u32, MAX_ACCESSES as u32 - 3, 1).unwrap().words() <= WORDS);
}

#[test]
fn policies_are_canonical() {
    let policy = Policy { expiry: (1 << 48) - 1, epoch: (1 << 24) - 1, tokens: [0, 1, 128, 0] };
    assert_eq!(Policy::from_leaf(&policy.to_leaf()), Ok(policy));
    for (felt, value) in [(0, 1 << 24), (1, 1 << 24), (2, 1 << 24), (3, 129), (6, 129), (7, 1)] {
        let mut leaf = policy.to_leaf();
        leaf[felt] = value;
        assert_eq!(Policy::from_leaf(&leaf), Err(Fault::Cell), "{felt}");
    }
    // a limit of positions, which only programs that move them may find
    let moves = Policy { tokens: [1, cell::POSITIONS + 1, 0, 0], ..policy };
    assert_eq!(Policy::with_positions(&moves.to_leaf()), Ok(moves));
    assert_eq!(Policy::with_positions(&policy.to_leaf()), Ok(policy));
    assert_eq!(Policy::from_leaf(&moves.to_leaf()), Err(Fault::Cell));
    for (felt, value) in [(0, 1 << 24), (2, 1 << 24), (4, cell::POSITIONS + 2), (7, 1)] {
        let mut leaf = moves.to_leaf();
        leaf[felt] = value;
        assert_eq!(Policy::with_positions(&leaf), Err(Fault::Cell), "{felt}");
    }
}

#[test]
fn patterns() {
    let change = |old, new| Change { old, new };
    assert_eq!(conserved(&[change(5, 3), change(0, 2)]), Ok(true));
    assert_eq!(conserved(&[change(5, 3), change(0, 3)]), Ok(false));
    assert_eq!(conserved(&[change(0, 1 << 96)]), Err(Fault::Width));
    assert_eq!(bounded(&change(10, 7), -3, 0), Ok(true));
    assert_eq!(bounded(&change(10, 6), -3, 0), Ok(false));
    assert!(never_falls(&[change(1, 1), change(1, 2)]) && !never_falls(&[change(2, 1)]));
    let schedule = Schedule { start: 100, end: 200, total: 1_001 };
    let released: Vec<_> = [0, 100, 150, 199, 200, 900].map(|t| schedule.released(t).unwrap()).into();
    assert_eq!(released, [0, 0, 500, 990, 1_001, 1_001]);
    assert_eq!(schedule.allows(&change(499, 500), 150), Ok(true));
    assert_eq!(schedule.allows(&change(499, 501), 150), Ok(false));
    assert_eq!(schedule.allows(&change(499, 498), 150), Ok(false));
    assert_eq!(Schedule { end: 100, ..schedule }.released(100), Err(Fault::Width));
    let cells = [(Key::bal(2, 1, 0), true, BALANCE)];
    with(&cells, |op| {
        op.credit(2, 1, 0, 4).unwrap();
        assert_eq!(Change::of_balance(op, 2, 1, 0).unwrap().delta(), Ok(4));
    });
}

#[test]
fn fills_keep_their_widths() {
    let units = spot::Units { lot_base: 2, tick_quote: 3 };
    let fill = spot::fill(&units, 10, 7, 500, 1_000).unwrap();
    let expected =
        spot::Fill { base: 20 * MICROS, quote: 210 * MICROS, buyer_fee: 10_000, seller_fee: 210_000 };
    assert_eq!(fill, expected);
    assert_eq!(spot::fill(&units, 1 << 48, 1, 0, 0), Err(Fault::Width));
    assert_eq!(spot::fill(&units, (1 << 48) - 1, u32::MAX, 0, 0), Err(Fault::Width));
    assert_eq!(spot::fill(&units, 1, 1, 1 << 19, 0), Err(Fault::Width));
    assert_eq!(spot::fill(&units, 1, 1, 0, 1 << 19), Err(Fault::Width));
    assert_eq!(spot::fill(&spot::Units { lot_base: 1 << 40, ..units }, 1, 1, 0, 0), Err(Fault::Width));
    assert_eq!(spot::fill(&spot::Units { tick_quote: 1 << 20, ..units }, 1, 1, 0, 0), Err(Fault::Width));
}

proptest! {
    #[test]
    fn amounts_are_exact(lots in 0u64..1 << 48, price in 1u32.., tick in 1u32..1 << 20, lot in 1u64..1 << 40, rate in 0u32..1 << 19) {
        let lots = lots >> (lots % 48);
        let (base, quote) = (u128::from(lots) * u128::from(lot), u128::from(lots) * u128::from(price) * u128::from(tick));
        let expected = (base >> 60 == 0 && quote >> 60 == 0).then(|| spot::Fill {
            base: base * MICROS,
            quote: quote * MICROS,
            buyer_fee: base * u128::from(rate),
            seller_fee: quote * u128::from(rate),
        });
        prop_assert_eq!(spot::fill(&spot::Units { lot_base: lot, tick_quote: tick }, lots, price, rate, rate).ok(), expected);
    }

    #[test]
    fn balances_read_back(micros in any::<u128>(), shift in 32u32..128) {
        let micros = micros >> shift;
        with(&[(Key::bal(2, 1, 0), true, BALANCE)], |op| {
            op.set_balance(2, 1, 0, micros).unwrap();
            assert_eq!(op.balance(2, 1, 0), Ok(micros));
            let leaf = op.get(Key::bal(2, 1, 0)).unwrap();
            assert_eq!(crate::cells::join(&leaf[..4], 96), Ok(micros));
        });
    }

    #[test]
    fn a_run_never_panics(words in prop::collection::vec(prop_oneof![0u32..20, any::<u32>()], 0..80)) {
        let program: Program = |op| op.party(0).map(|_| ());
        let _ = run(program, &mut words.as_slice(), &mut Memory::new(), absorb);
    }
}
