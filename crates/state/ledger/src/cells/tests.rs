use super::*;
use proptest::prelude::*;
use tsz_types::{
    Balance, BatchNumber, Bucket, Collateral, EthAddress, FundingIndex, KillEpoch, L1Serial, Lots, Nonce,
    TimeMs, Units,
};

fn leaf(felts: [u32; 8]) -> Leaf {
    felts.map(F::from_u32)
}

/// The cell encodes to exactly these felts and back.
fn pin<C: Cell + PartialEq + core::fmt::Debug>(cell: C, felts: [u32; 8]) {
    assert_eq!(cell.to_leaf(), leaf(felts), "{}", C::NAME);
    assert_eq!(C::from_leaf(&leaf(felts)), Ok(cell));
}

/// Golden: the table of docs/src/state.md.
#[test]
fn layout_of_cells_is_pinned() {
    let wide = 1 | 2 << 24 | 3 << 48 | 4 << 72;
    let collateral = Collateral::new(-(wide as i128)).unwrap();
    pin(SubCell { collateral, pos_count: 5, mask: 0b1010 }, [1, 2, 3, 4, 1, 5 + 64 * 10, 0, 0]);
    let owner = EthAddress(core::array::from_fn(|k| k as u8));
    pin(AcctCell { owner: Some(owner) }, [0x111213, 0x0e0f10, 0x0b0c0d, 0x08090a, 0x050607, 0x020304, 1, 1]);
    let permissions = [Permission::Trade, Permission::Withdraw].into_iter().collect();
    let policy = KeyPolicy { scheme: Scheme::Oidc, permissions, expiry: TimeMs::new(7 | 8 << 24).unwrap() };
    pin(Some(policy), [3, 9, 7, 8, 0, 0, 0, 0]);
    pin(BalCell { balance: Balance::new(wide).unwrap() }, [1, 2, 3, 4, 0, 0, 0, 0]);
    let (nonce, kill_epoch) = (Nonce::new(1 | 2 << 24).unwrap(), KillEpoch::new(3 | 4 << 24).unwrap());
    pin(CtlCell { nonce, kill_epoch }, [1, 2, 3, 4, 0, 0, 0, 0]);
    let (batch, time) = (BatchNumber::new(1 | 2 << 24).unwrap(), TimeMs::new(3 | 4 << 24).unwrap());
    pin(HeadCell { batch, time, next_account: MAX_ACCOUNTS }, [1, 2, 3, 4, MAX_ACCOUNTS, 0, 0, 0]);
    pin(L1InCell { next: L1Serial::new(1 | 2 << 24 | 3 << 48).unwrap() }, [1, 2, 3, 0, 0, 0, 0, 0]);
    let minimum = Units::new(1 | 2 << 24 | 3 << 48).unwrap();
    pin(TokCell { listed: true, minimum }, [1, 1, 2, 3, 0, 0, 0, 0]);
}

#[test]
fn the_empty_leaf_is_absent_or_zero() {
    pin(SubCell::default(), [0; 8]);
    pin(AcctCell::default(), [0; 8]);
    pin(None::<KeyPolicy>, [0; 8]);
    pin(CtlCell { nonce: Nonce::MIN, kill_epoch: KillEpoch::MIN }, [0; 8]);
    pin(TokCell { listed: false, minimum: Units::MIN }, [0; 8]);
}

#[test]
fn rejects_second_representations_and_values_out_of_range() {
    assert!(SubCell::from_leaf(&leaf([0, 0, 0, 0, 1, 0, 0, 0])).is_err(), "negative zero");
    assert!(SubCell::from_leaf(&leaf([1, 0, 0, 0, 2, 0, 0, 0])).is_err(), "sign 2");
    assert!(SubCell::from_leaf(&leaf([0, 0, 0, 1 << 23, 0, 0, 0, 0])).is_err(), "96 bits");
    assert!(SubCell::from_leaf(&leaf([0, 0, 0, 0, 0, 33, 0, 0])).is_err(), "33 positions");
    assert!(
        SubCell::from_leaf(&leaf([0, 0, 0, 0, 0, 64 * 3 + 33, 0, 0])).is_err(),
        "33 positions and tokens"
    );
    assert!(SubCell::from_leaf(&leaf([0, 0, 0, 0, 0, 1 << 10, 0, 0])).is_err(), "a fifth margin token");
    assert!(BalCell::from_leaf(&leaf([1 << 24, 0, 0, 0, 0, 0, 0, 0])).is_err(), "25-bit limb");
    assert!(BalCell::from_leaf(&leaf([0, 0, 0, 0, 1, 0, 0, 0])).is_err(), "signed balance");
    assert!(AcctCell::from_leaf(&leaf([1, 0, 0, 0, 0, 0, 0, 0])).is_err(), "owner of no account");
    assert!(AcctCell::from_leaf(&leaf([0, 0, 0, 0, 0, 0, 1 << 16, 1])).is_err(), "161-bit address");
    assert!(AcctCell::from_leaf(&leaf([0, 0, 0, 0, 0, 0, 0, 2])).is_err(), "unknown flag");
    assert!(Option::<KeyPolicy>::from_leaf(&leaf([0, 1, 0, 0, 0, 0, 0, 0])).is_err(), "policy of no key");
    assert!(Option::<KeyPolicy>::from_leaf(&leaf([5, 1, 0, 0, 0, 0, 0, 0])).is_err(), "scheme 5");
    assert!(Option::<KeyPolicy>::from_leaf(&leaf([1, 64, 0, 0, 0, 0, 0, 0])).is_err(), "permission 64");
    assert!(CtlCell::from_leaf(&leaf([0, 256, 0, 0, 0, 0, 0, 0])).is_err(), "33-bit nonce");
    assert!(HeadCell::from_leaf(&leaf([0, 0, 0, 0, MAX_ACCOUNTS + 1, 0, 0, 0])).is_err());
    assert!(L1InCell::from_leaf(&leaf([0, 0, 1 << 16, 0, 0, 0, 0, 0])).is_err(), "65-bit serial");
    assert!(TokCell::from_leaf(&leaf([0, 0, 0, 1 << 12, 0, 0, 0, 0])).is_err(), "61-bit minimum");
}

#[test]
fn a_bucket_never_goes_below_zero_by_a_debit() {
    let cell = BucketCell::from_leaf(Bucket::Collateral, &leaf([1_000_000, 0, 0, 0, 0, 3, 0, 0])).unwrap();
    let one = Units::new(1).unwrap();
    let empty = cell.debit(one).unwrap();
    assert_eq!((empty.micros(), empty.holdings()), (0, 3));
    assert!(empty.debit(one).is_err());
    assert_eq!(empty.credit(one), Ok(cell));
    let negative =
        BucketCell::from_leaf(Bucket::Collateral, &leaf([1_500_000, 0, 0, 0, 1, 0, 0, 0])).unwrap();
    assert_eq!(negative.credit(one).unwrap().to_leaf(), leaf([500_000, 0, 0, 0, 1, 0, 0, 0]));
    let full = BucketCell::Balance(BalCell { balance: Balance::MAX });
    assert!(full.credit(one).is_err());
}

#[test]
fn trading_cells_are_pinned() {
    let f = FundingIndex::new(-(1 | 2 << 24 | 3 << 48)).unwrap();
    let pos = PosCell::new(-(5 | 6 << 24), f).unwrap();
    assert_eq!(pos.to_leaf(), leaf([5, 6, 1, 1, 2, 3, 1, 0]));
    assert_eq!(PosCell::new(0, f).unwrap().to_leaf(), leaf([0; 8]));
    assert!(PosCell::new(1 << 48, f).is_err());
    assert!(PosCell::from_leaf(&leaf([0, 0, 0, 1, 0, 0, 0, 0])).is_err());
    assert!(PosCell::from_leaf(&leaf([0, 0, 1, 0, 0, 0, 0, 0])).is_err());
    let tag = [7u32, 8, 9, 10].map(F::from_u32);
    let ord = OrdCell {
        next_nonce: Nonce::new(1 | 2 << 24).unwrap(),
        filled: Lots::new(3 | 4 << 24).unwrap(),
        tag,
    };
    assert_eq!(ord.to_leaf(), leaf([1, 2, 3, 4, 7, 8, 9, 10]));
    assert!(OrdCell::from_leaf(&leaf([1, 0, 0, 0, 7, 0, 0, 0])).is_err());
    let mkp = MkpCell { index: 1 | 2 << 24, mark: 3 | 4 << 24, price_ts: 5 | 6 << 24, settled: true };
    assert_eq!(mkp.to_leaf(), leaf([1, 2, 3, 4, 5, 6, 1, 0]));
    assert_eq!((mkp.mark_of(true), mkp.mark_of(false)), (mkp.index, mkp.mark));
    assert_eq!(MkpCell { settled: false, ..mkp }.mark_of(true), mkp.mark);
    assert!(MkpCell::from_leaf(&leaf([0, 0, 0, 0, 0, 0, 1, 0])).is_err(), "settled without prices");
    assert!(MkpCell::from_leaf(&leaf([1, 0, 0, 0, 5, 0, 0, 0])).is_err());
    let mkf = MkfCell { funding: f, hour: 4 | 5 << 24 };
    assert_eq!(mkf.to_leaf(), leaf([1, 2, 3, 1, 4, 5, 0, 0]));
    let mks = MksCell { sum: -(1 | 2 << 24), minute: 60 };
    assert_eq!(mks.to_leaf(), leaf([1, 2, 1, 60, 0, 0, 0, 0]));
    assert!(MksCell::from_leaf(&leaf([0, 0, 0, 61, 0, 0, 0, 0])).is_err());
    let mko = MkoCell { open_interest: 1 | 2 << 24 | 255 << 48, moves: 3 | 4 << 24 };
    assert_eq!(mko.to_leaf(), leaf([1, 2, 255, 3, 4, 0, 0, 0]));
    let mkr = MkrCell {
        moves: 1 | 2 << 24,
        price_ts: 3 | 4 << 24,
        remaining: 5 | 6 << 24 | 127 << 48,
        account: 7,
        sub: 31,
        rank: 1_008,
    };
    assert_eq!(mkr.to_leaf(), leaf([1, 2, 3, 4, 5, 6, 127 + 31 * 128 + 1_008 * 4_096, 7]));
    assert!(MkrCell::from_leaf(&leaf([0, 0, 0, 0, 0, 0, 1 << 22, 0])).is_err(), "rank 1024");
    assert!(MkoCell::from_leaf(&leaf([0, 0, 256, 0, 0, 0, 0, 0])).is_err());
    assert_eq!(MkrCell::from_leaf(&mkr.to_leaf()), Ok(mkr));
    for cell in [pos.to_leaf(), ord.to_leaf(), mkp.to_leaf(), mkf.to_leaf(), mks.to_leaf(), mko.to_leaf()] {
        let kinds = [
            PosCell::from_leaf(&cell).map(|c| c.to_leaf()),
            OrdCell::from_leaf(&cell).map(|c| c.to_leaf()),
            MkpCell::from_leaf(&cell).map(|c| c.to_leaf()),
            MkfCell::from_leaf(&cell).map(|c| c.to_leaf()),
            MksCell::from_leaf(&cell).map(|c| c.to_leaf()),
            MkoCell::from_leaf(&cell).map(|c| c.to_leaf()),
        ];
        assert!(kinds.iter().any(|k| k.is_ok()));
        assert!(kinds.into_iter().flatten().all(|k| k == cell));
    }
}

fn any_leaf() -> impl Strategy<Value = Leaf> {
    let felt = prop_oneof![4 => Just(0), 4 => 0u32..64, 2 => 0u32..1 << 24, 1 => 0u32..F::ORDER_U32];
    prop::array::uniform8(felt).prop_map(leaf)
}

fn unique<C: Cell>(leaf: &Leaf) -> Result<(), TestCaseError> {
    if let Ok(cell) = C::from_leaf(leaf) {
        prop_assert_eq!(&cell.to_leaf(), leaf, "{}", C::NAME);
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_accepted_leaf_is_the_leaf_of_its_cell(leaf in any_leaf()) {
        unique::<SubCell>(&leaf)?;
        unique::<AcctCell>(&leaf)?;
        unique::<Option<KeyPolicy>>(&leaf)?;
        unique::<BalCell>(&leaf)?;
        unique::<CtlCell>(&leaf)?;
        unique::<HeadCell>(&leaf)?;
        unique::<L1InCell>(&leaf)?;
        unique::<TokCell>(&leaf)?;
        unique::<PosCell>(&leaf)?;
        unique::<OrdCell>(&leaf)?;
        unique::<MkpCell>(&leaf)?;
        unique::<MkfCell>(&leaf)?;
        unique::<MksCell>(&leaf)?;
        unique::<MkoCell>(&leaf)?;
        unique::<MkrCell>(&leaf)?;
        for bucket in [Bucket::Balance, Bucket::Collateral] {
            if let Ok(cell) = BucketCell::from_leaf(bucket, &leaf) {
                prop_assert_eq!(cell.to_leaf(), leaf);
            }
        }
    }

    #[test]
    fn every_cell_round_trips(a in any::<[u64; 4]>(), address in any::<[u8; 20]>(), pos_count in 0..=32u8, mask in 0..16u8) {
        let u48 = |x: u64| x >> 16;
        let collateral = Collateral::new(((u128::from(a[0]) << 31) as i128) - (1 << 94)).unwrap();
        let sub = SubCell { collateral, pos_count, mask };
        prop_assert_eq!(SubCell::from_leaf(&sub.to_leaf()), Ok(sub));
        let acct = AcctCell { owner: Some(EthAddress(address)) };
        prop_assert_eq!(AcctCell::from_leaf(&acct.to_leaf()), Ok(acct));
        let scheme = Scheme::from_code(a[1] as u32 % 4 + 1).unwrap();
        let permissions = Permissions::from_bits(a[2] as u32 % 64).unwrap();
        let policy = Some(KeyPolicy { scheme, permissions, expiry: TimeMs::new(u48(a[3])).unwrap() });
        prop_assert_eq!(Option::<KeyPolicy>::from_leaf(&policy.to_leaf()), Ok(policy));
        let bal = BalCell { balance: Balance::new(u128::from(a[0]) << 32 | u128::from(a[1] >> 32)).unwrap() };
        prop_assert_eq!(BalCell::from_leaf(&bal.to_leaf()), Ok(bal));
        let nonce = Nonce::new(a[0] as u32).unwrap();
        let ctl = CtlCell { nonce, kill_epoch: KillEpoch::new(a[1] as u32).unwrap() };
        prop_assert_eq!(CtlCell::from_leaf(&ctl.to_leaf()), Ok(ctl));
        let (batch, time) = (BatchNumber::new(u48(a[0])).unwrap(), TimeMs::new(u48(a[1])).unwrap());
        let head = HeadCell { batch, time, next_account: a[2] as u32 % (MAX_ACCOUNTS + 1) };
        prop_assert_eq!(HeadCell::from_leaf(&head.to_leaf()), Ok(head));
        let l1in = L1InCell { next: L1Serial::new(a[2]).unwrap() };
        prop_assert_eq!(L1InCell::from_leaf(&l1in.to_leaf()), Ok(l1in));
        let tok = TokCell { listed: a[0] % 2 == 0, minimum: Units::new(a[3] >> 4).unwrap() };
        prop_assert_eq!(TokCell::from_leaf(&tok.to_leaf()), Ok(tok));
    }
}
