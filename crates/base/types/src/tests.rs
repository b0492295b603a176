use crate::*;
use alloc::format;
use alloc::string::ToString;
use proptest::prelude::*;
use tsz_codec::{Encode, decode_all};
use tsz_hash::{F, PrimeCharacteristicRing};

/// Facts that hold for every type: edges are accepted, one past them is not, all forms round-trip.
macro_rules! regular {
    ($test:ident, $name:ident, $inner:ty) => {
        mod $test {
            use super::*;

            fn round_trips(x: $name) {
                assert_eq!($name::from_felts(&x.to_felts()), Ok(x));
                assert_eq!(x.to_string().parse(), Ok(x));
                assert_eq!(decode_all::<$name>(&x.to_bytes()), Ok(x));
                let json = serde_json::to_string(&x).unwrap();
                assert_eq!(serde_json::from_str::<$name>(&json).unwrap(), x);
                assert_eq!($name::try_from(x.get() as i128), Ok(x));
            }

            #[test]
            fn accepts_its_edges_and_refuses_one_past_them() {
                round_trips($name::MIN);
                round_trips($name::MAX);
                assert!($name::MAX.checked_add($name::try_from(1i128).unwrap()).is_err());
                assert!($name::try_from($name::MAX.get() as i128 + 1).is_err());
                assert!($name::try_from($name::MIN.get() as i128 - 1).is_err());
            }

            proptest! {
                #[test]
                fn all_forms_round_trip(raw in any::<$inner>()) {
                    let span = ($name::MAX.get() as i128 - $name::MIN.get() as i128) as u128 + 1;
                    let offset = (raw as u128 % span) as i128;
                    round_trips($name::try_from($name::MIN.get() as i128 + offset).unwrap());
                }

                #[test]
                fn accepted_limbs_are_the_limbs_of_their_value(
                    limbs in any::<[u32; 5]>(), masks in any::<[bool; 5]>(), wide in any::<bool>(),
                ) {
                    let bits = if wide { 25 } else { 24 };
                    let felts = core::array::from_fn(|k| {
                        F::from_u32(if masks[k] { limbs[k] % (1 << bits) } else { limbs[k] % 2 })
                    });
                    if let Ok(x) = $name::from_felts(&felts) {
                        prop_assert_eq!(x.to_felts(), felts);
                    }
                }
            }
        }
    };
}

regular!(price, Price, u32);
regular!(lots, Lots, u64);
regular!(quote_multiplier, QuoteMultiplier, u32);
regular!(notional, Notional, u128);
regular!(units, Units, u64);
regular!(balance, Balance, u128);
regular!(collateral, Collateral, i128);
regular!(funding_index, FundingIndex, i64);
regular!(rate, Rate, i32);
regular!(fraction, Fraction, u16);
regular!(account, AccountId, u32);
regular!(sub, SubId, u8);
regular!(token, TokenId, u8);
regular!(market, MarketId, u8);
regular!(spot_market, SpotMarketId, u16);
regular!(slot, Slot, u8);
regular!(key_slot, KeySlot, u8);
regular!(nonce, Nonce, u32);
regular!(kill_epoch, KillEpoch, u32);
regular!(serial, L1Serial, u64);
regular!(time, TimeMs, u64);
regular!(batch, BatchNumber, u64);

#[test]
fn limits_are_those_of_the_specification() {
    assert_eq!(Price::MIN.get(), 1);
    assert_eq!(Units::MAX.get(), (1 << 60) - 1);
    assert_eq!(Balance::MAX.get(), (1 << 96) - 1);
    assert_eq!(Collateral::MAX.get(), (1 << 95) - 1);
    assert_eq!(FundingIndex::MIN.get(), -i64::MAX);
    assert_eq!(Rate::MAX.get(), (1 << 19) - 1);
    assert_eq!(Notional::MAX_FILL.get(), (1 << 56) - 1);
}

#[test]
fn rejects_negative_zero() {
    let mut felts = Collateral::ZERO.to_felts();
    felts[4] = F::ONE;
    assert!(matches!(Collateral::from_felts(&felts), Err(NumberError::Sign { magnitude: 0, .. })));
    felts[0] = F::ONE;
    assert_eq!(Collateral::from_felts(&felts), Collateral::new(-1));
    felts[4] = F::TWO;
    assert!(Collateral::from_felts(&felts).is_err());
}

#[test]
fn amounts_are_strings_and_ids_are_numbers_in_json() {
    assert_eq!(serde_json::to_string(&Units::new(7).unwrap()).unwrap(), "\"7\"");
    assert_eq!(serde_json::to_string(&Collateral::new(-7).unwrap()).unwrap(), "\"-7\"");
    assert_eq!(serde_json::to_string(&AccountId::FIRST_USER).unwrap(), "2");
    for bad in ["7", "\"07\"", "\"+7\"", "\"-7\"", "\"\"", "\"7.0\"", "\" 7\"", "\"1152921504606846976\""] {
        assert!(serde_json::from_str::<Units>(bad).is_err(), "{bad}");
    }
    let error = serde_json::from_str::<Units>("\"1152921504606846976\"").unwrap_err().to_string();
    assert!(error.contains("Units must be in 0..=1152921504606846975, got 1152921504606846976"), "{error}");
    assert!(serde_json::from_str::<Collateral>("\"-0\"").is_err());
    assert!(serde_json::from_str::<SubId>("32").is_err());
}

#[test]
fn subtraction_below_the_type_is_refused() {
    let one = Units::new(1).unwrap();
    assert_eq!(
        Units::MIN.checked_sub(one),
        Err(NumberError::Overflow { name: "Units", op: '-', left: 0, right: 1 })
    );
    assert!(Collateral::MIN.checked_sub(Collateral::new(1).unwrap()).is_err());
    assert_eq!(Collateral::ZERO.checked_sub(Collateral::new(1).unwrap()), Collateral::new(-1));
}

#[test]
fn a_balance_splits_into_units_and_dust() {
    let balance = Balance::new(5_000_007).unwrap();
    let (units, dust) = balance.whole_units().unwrap();
    assert_eq!((units.get(), dust.get()), (5, 7));
    assert!(Balance::MAX.whole_units().is_err());
    assert_eq!(Balance::from(Units::MAX).whole_units(), Ok((Units::MAX, Balance::MIN)));
}

#[test]
fn notional_is_exact_and_bounded() {
    let n = Notional::of(Lots::new(3).unwrap(), Price::new(5).unwrap(), QuoteMultiplier::new(7).unwrap());
    assert_eq!(n.unwrap().get(), 105);
    assert!(Notional::of(Lots::MAX, Price::MAX, QuoteMultiplier::MIN).is_err());
    assert!(!Notional::new(1 << 56).unwrap().fits_fill());
}

#[test]
fn the_last_nonce_has_no_successor() {
    assert_eq!(Nonce::MAX.next(), None);
    assert_eq!(Nonce::MIN.next(), Nonce::new(1).ok());
}

#[test]
fn addresses_are_limbs_of_their_big_endian_integer() {
    let address = EthAddress(core::array::from_fn(|k| k as u8 + 1));
    let felts = address.to_felts();
    assert_eq!(felts[0], F::from_u32(0x12_13_14));
    assert_eq!(felts[6], F::from_u32(0x01_02));
    assert_eq!(EthAddress::from_felts(&felts), Ok(address));
    let text = "0x0102030405060708090a0b0c0d0e0f1011121314";
    assert_eq!(address.to_string(), text);
    assert_eq!(text.parse(), Ok(address));
    assert!(text.to_uppercase().parse::<EthAddress>().is_err());
    assert_eq!(serde_json::from_str::<EthAddress>(&format!("{text:?}")).unwrap(), address);
    let mut wide = felts;
    wide[6] = F::from_u32(1 << 16);
    assert!(EthAddress::from_felts(&wide).is_err());
}
