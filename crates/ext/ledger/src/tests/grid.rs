//! The grid program against a model that knows nothing of cells.

use super::world::*;
use crate::*;
use alloc::vec::Vec;
use proptest::prelude::*;
use tsz_ext_apps::grid::{Intent, Level, Pair, host, program, rule};
use tsz_ext_sdk::{Fault, spot};
use tsz_hash::Digest;
use tsz_ledger::{Access, Key};

pub const GRID: u32 = 77;
pub const PROGRAMS: &[(Digest, tsz_ext_sdk::Program)] = &[];

pub fn pair() -> Pair {
    Pair { base: BASE.into(), quote: QUOTE.into(), units: spot::Units { lot_base: 2, tick_quote: 1 } }
}

/// Three levels around a price of 10: two buyers below, one seller above.
pub fn levels() -> Vec<Level> {
    let level = |buy, sell, lots| Level { buy, sell, lots };
    [level(8, 9, 5), level(9, 10, 4), level(10, 11, 6)].to_vec()
}

pub fn intent(buys: bool, limit: u32, lots: u64) -> Intent {
    Intent { market: pair(), max_fee: 2_000, buys, limit, lots }
}

/// Account 2 has a grid, account 3 an intent.
pub struct Grid {
    pub world: World,
    pub terms: Vec<u32>,
    pub intent: Vec<u32>,
}

impl Grid {
    pub fn new(wanted: Intent) -> Self {
        let mut world = World::new();
        let terms = host::terms(&pair(), 500, 2, &levels());
        let intent = host::intent(&wanted);
        world.approve(2, id(GRID), terms_digest(&terms), &[limit(QUOTE, 200), limit(BASE, 200)]);
        world.approve(3, id(GRID), terms_digest(&intent), &[limit(QUOTE, 500), limit(BASE, 500)]);
        Self { world, terms, intent }
    }

    pub fn operation(&self, fees: [u32; 2], fills: &[host::Fill]) -> Extension {
        let storage = |n, index| Touch::write(key::storage(account(n), sub(0), slot(0), index));
        let mut cells: Vec<Touch> =
            [(2, QUOTE), (2, BASE), (3, QUOTE), (3, BASE)].map(|(n, t)| bal(n, t)).into();
        if fees != [0, 0] {
            cells.extend([QUOTE, BASE].map(|t| Touch::write(Key::bal(0, 0, t.into()))));
        }
        cells.extend(host::cells(fills).into_iter().map(|index| storage(2, index)));
        cells.push(storage(3, 0));
        operation(id(GRID), &[2, 3], &cells, &host::args(0, fees, fills, &self.terms, &self.intent))
    }

    pub fn fill(
        &mut self,
        fees: [u32; 2],
        fills: &[host::Fill],
    ) -> Result<(Extension, Vec<Access>), ExtReject> {
        let op = self.operation(fees, fills);
        let accesses = self.world.apply(ExtOp::Extension(op.clone()), &[(id(GRID), program)])?;
        Ok((op, accesses))
    }
}

fn broken(number: u32) -> ExtReject {
    ExtReject::Program(Fault::Rule(number))
}

#[test]
fn sells_above_and_buys_back_below() {
    let mut grid = Grid::new(intent(true, 11, 6));
    grid.fill([0, 0], &[(2, 4)]).unwrap();
    assert_eq!(grid.fill([0, 0], &[(2, 3)]).unwrap_err(), broken(rule::LOTS));
    grid.fill([0, 0], &[(2, 2)]).unwrap();
    // 6 lots of 2 base units at 11
    assert_eq!(grid.world.micros(2, QUOTE), 1_066_000_000);
    assert_eq!(grid.world.micros(2, BASE), 988_000_000);
    // now it is a buyer at 10, and the intent is used up
    assert_eq!(grid.fill([0, 0], &[(2, 1)]).unwrap_err(), broken(rule::WRONG_SIDE));
    let sell = host::intent(&intent(false, 10, 100));
    grid.world.approve(3, id(GRID), terms_digest(&sell), &[limit(BASE, 500)]);
    grid.intent = sell;
    grid.fill([0, 0], &[(1, 4)]).unwrap_err(); // 9 is below the limit
    grid.fill([0, 0], &[(2, 6)]).unwrap();
    assert_eq!(grid.world.micros(2, QUOTE), 1_006_000_000);
    assert_eq!(grid.world.micros(2, BASE), 1_000_000_000);
    assert_eq!(grid.world.limit_used(2, 1), 0);
}

#[test]
fn keeps_its_rules() {
    let mut grid = Grid::new(intent(true, 10, 6));
    assert_eq!(grid.fill([0, 0], &[(2, 1)]).unwrap_err(), broken(rule::PRICE));
    assert_eq!(grid.fill([0, 0], &[(0, 1)]).unwrap_err(), broken(rule::WRONG_SIDE));
    assert_eq!(grid.fill([0, 0], &[(3, 1)]).unwrap_err(), broken(rule::NO_LEVEL));
    let mut grid = Grid::new(intent(true, 20, 5));
    assert_eq!(grid.fill([0, 0], &[(2, 0)]).unwrap_err(), broken(rule::LOTS));
    assert_eq!(grid.fill([0, 0], &[(2, 7)]).unwrap_err(), broken(rule::LOTS));
    assert_eq!(grid.fill([0, 0], &[(2, 6)]).unwrap_err(), broken(rule::INTENT_FILLED));
    assert_eq!(grid.fill([501, 0], &[(2, 1)]).unwrap_err(), broken(rule::FEE));
    assert_eq!(grid.fill([0, 2_001], &[(2, 1)]).unwrap_err(), broken(rule::FEE));
    let refused = grid.fill([0, 0], &[]).unwrap_err();
    assert_eq!(refused, ExtReject::Program(Fault::Args));
}

#[test]
fn binds_the_terms() {
    let mut grid = Grid::new(intent(true, 11, 6));
    let honest = (grid.terms.clone(), grid.intent.clone());
    for word in 0..honest.0.len() {
        grid.terms[word] += 1;
        assert_eq!(grid.fill([0, 0], &[(2, 1)]).unwrap_err(), ExtReject::Program(Fault::Terms), "{word}");
        grid.terms = honest.0.clone();
    }
    for word in 0..honest.1.len() {
        grid.intent[word] += 1;
        assert_eq!(grid.fill([0, 0], &[(2, 1)]).unwrap_err(), ExtReject::Program(Fault::Terms), "{word}");
        grid.intent = honest.1.clone();
    }
    // a zero more at the end has another length
    grid.terms.push(0);
    assert!(grid.fill([0, 0], &[(2, 1)]).is_err());
}

#[test]
fn other_units_are_another_market() {
    let mut other = pair();
    other.units.lot_base = 3;
    let mut grid = Grid::new(Intent { market: other, ..intent(true, 11, 6) });
    assert_eq!(grid.fill([0, 0], &[(2, 1)]).unwrap_err(), broken(rule::OTHER_MARKET));
}

#[test]
fn a_new_approval_forgets_the_fills() {
    let mut grid = Grid::new(intent(true, 11, 6));
    grid.fill([0, 0], &[(2, 6)]).unwrap();
    let (terms, wanted) = (terms_digest(&grid.terms), terms_digest(&grid.intent));
    grid.world.approve(2, id(GRID), terms, &[limit(QUOTE, 200), limit(BASE, 200)]);
    grid.world.approve(3, id(GRID), wanted, &[limit(QUOTE, 500)]);
    grid.fill([0, 0], &[(2, 6)]).unwrap();
}

#[test]
fn stops_when_revoked() {
    let mut grid = Grid::new(intent(true, 11, 6));
    grid.fill([0, 0], &[(2, 1)]).unwrap();
    let revocation = grid.world.revocation(2);
    grid.world.apply(ExtOp::RevokeExtension(revocation), PROGRAMS).unwrap();
    assert!(matches!(grid.fill([0, 0], &[(2, 1)]), Err(ExtReject::NotApproved { .. })));
}

#[test]
fn sixty_four_levels_turn_over_in_one_operation() {
    let levels: Vec<_> = (0..64).map(|k| Level { buy: 100 - k, sell: 101 + k, lots: 1 }).collect();
    let wanted = intent(false, 1, 64);
    let mut grid = Grid::new(wanted);
    grid.terms = host::terms(&pair(), 500, 64, &levels);
    let fills: Vec<_> = (0..64).map(|level| (level, 1)).collect();
    grid.world.approve(2, id(GRID), terms_digest(&grid.terms), &[limit(QUOTE, 1_000), limit(BASE, 200)]);
    // 64 lots at prices from 37 to 100 are more than there is
    let refused = grid.fill([0, 0], &fills).unwrap_err();
    assert_eq!(refused, ExtReject::Program(Fault::Width));
    grid.fill([0, 0], &fills[54..]).unwrap();
    let paid: u128 = (37..47).sum();
    assert_eq!(grid.world.micros(2, QUOTE), (1_000 - paid) * 1_000_000);
    // one of them is a seller now, at its upper price
    assert_eq!(grid.fill([0, 0], &fills[54..55]).unwrap_err(), broken(rule::WRONG_SIDE));
    let mut words = host::terms(&pair(), 500, 64, &levels);
    words[7] += 1;
    words.extend([1, 2, 1, 0]);
    assert!(tsz_ext_apps::grid::Terms::parse(&words).is_err());
}

/// A grid stops nobody from leaving: money is in the owner's balance, and Withdraw asks no program.
#[test]
fn withdraws_while_it_runs() {
    use tsz_stf::{FundOp, Withdraw};
    use tsz_types::Bucket;
    let mut grid = Grid::new(intent(true, 11, 6));
    grid.fill([0, 0], &[(2, 2)]).unwrap();
    let world = &mut grid.world;
    let mut op = Withdraw {
        account: account(2),
        sub: sub(0),
        bucket: Bucket::Balance,
        token: token(BASE),
        units: units(990),
        to: tsz_types::EthAddress([7; 20]),
        nonce: tsz_types::Nonce::new(world.nonces[2]).unwrap(),
        key_slot: tsz_types::KeySlot::MIN,
        signature: world.keys[0].sign(&id(0)),
    };
    op.signature = world.sign(2, &op.message());
    let applied = tsz_stf::apply(&world.view, &world.batch, 1, &FundOp::Withdraw(op)).unwrap();
    world.view.commit(&applied.accesses);
    assert_eq!(world.micros(2, BASE), 6_000_000);
    world.nonces[2] += 1;
    // what is left still trades, and no more
    assert_eq!(grid.fill([0, 0], &[(2, 4)]).unwrap_err(), ExtReject::Program(Fault::Width));
    grid.fill([0, 0], &[(2, 3)]).unwrap();
}

/// Levels as a person would keep them: side, filled.
struct Model {
    levels: Vec<(Level, bool, u64)>,
    taken: u64,
    balances: [[i128; 2]; 3],
}

impl Model {
    /// Fills a level, in millionths; `None` if the rules forbid it.
    fn fill(&mut self, wanted: &Intent, fees: [u32; 2], (number, lots): host::Fill) -> Option<()> {
        let (level, sells, filled) = self.levels.get_mut(number as usize)?;
        let price = if *sells { level.sell } else { level.buy };
        let in_limit = if wanted.buys { price <= wanted.limit } else { price >= wanted.limit };
        if *sells != wanted.buys || !in_limit || lots == 0 || *filled + lots > level.lots {
            return None;
        }
        *filled += lots;
        if *filled == level.lots {
            (*sells, *filled) = (!*sells, 0);
        }
        self.taken += lots;
        let (base, quote) = (i128::from(lots) * 2, i128::from(lots) * i128::from(price));
        let (buyer, seller) = if wanted.buys { (1, 0) } else { (0, 1) };
        let fee = |side: usize| i128::from(fees[side]);
        self.balances[buyer][0] += base * (1_000_000 - fee(buyer));
        self.balances[buyer][1] -= quote * 1_000_000;
        self.balances[seller][0] -= base * 1_000_000;
        self.balances[seller][1] += quote * (1_000_000 - fee(seller));
        self.balances[2][0] += base * fee(buyer);
        self.balances[2][1] += quote * fee(seller);
        Some(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(
        buys in any::<bool>(),
        limit in 8u32..12,
        steps in prop::collection::vec((0u32..4, 0u64..7, 0u32..3, 0u32..3), 1..12),
    ) {
        let wanted = intent(buys, limit, 40);
        let mut grid = Grid::new(wanted);
        let start = (0..3).zip([2, 3, 0]).map(|(_, n)| [BASE, QUOTE].map(|t| grid.world.micros(n, t) as i128));
        let balances: Vec<_> = start.collect();
        let sides = levels().into_iter().zip([false, false, true]).map(|(l, s)| (l, s, 0)).collect();
        let mut model = Model { levels: sides, taken: 0, balances: [balances[0], balances[1], balances[2]] };
        for (number, lots, a, b) in steps {
            let fees = [a * 250, b * 1_000];
            let kept = (model.levels.clone(), model.taken, model.balances);
            let expected = model.fill(&wanted, fees, (number, lots)).filter(|()| model.taken <= wanted.lots);
            let got = grid.fill(fees, &[(number, lots)]);
            prop_assert_eq!(expected.is_some(), got.is_ok(), "{:?}", got);
            if expected.is_none() {
                (model.levels, model.taken, model.balances) = kept;
            }
            for (n, balances) in [2, 3, 0].into_iter().zip(model.balances) {
                prop_assert_eq!([BASE, QUOTE].map(|t| grid.world.micros(n, t) as i128), balances);
            }
        }
    }
}
