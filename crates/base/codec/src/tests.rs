use super::*;
use alloc::string::String;
use alloc::vec;
use proptest::prelude::*;
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    id: u16,
    name: String,
    list: Vec<(u8, Option<u64>)>,
    felts: [F; 2],
}
codec_struct!(Sample { id: u16, name: String, list: Vec<(u8, Option<u64>)>, felts: [F; 2] });

fn sample() -> impl Strategy<Value = Sample> {
    let felt = (0..F::ORDER_U32).prop_map(F::from_u32);
    let list = prop::collection::vec(any::<(u8, Option<u64>)>(), 0..5);
    (any::<u16>(), ".{0,6}", list, [felt.clone(), felt]).prop_map(|(id, name, list, felts)| Sample {
        id,
        name,
        list,
        felts,
    })
}

proptest! {
    #[test]
    fn round_trips(value in sample()) {
        prop_assert_eq!(decode_all::<Sample>(&value.to_bytes()), Ok(value));
    }

    #[test]
    fn accepted_bytes_are_the_encoding_of_their_value(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(value) = decode_all::<Sample>(&bytes) {
            prop_assert_eq!(value.to_bytes(), bytes);
        }
    }

    #[test]
    fn rejects_every_truncation_and_extension(value in sample()) {
        let mut bytes = value.to_bytes();
        for n in 0..bytes.len() {
            prop_assert!(decode_all::<Sample>(&bytes[..n]).is_err());
        }
        bytes.push(0);
        let trailing = CodecError::Trailing { at: bytes.len() - 1, left: 1 };
        prop_assert_eq!(decode_all::<Sample>(&bytes), Err(trailing));
    }
}

#[test]
fn layout_is_pinned() {
    assert_eq!((1u8, 0x0203u16, true).to_bytes(), vec![1, 3, 2, 1]);
    assert_eq!(vec![7u8, 8].to_bytes(), vec![2, 0, 0, 0, 7, 8]);
    assert_eq!(Some(-1i16).to_bytes(), vec![1, 255, 255]);
    assert_eq!([F::ONE, -F::ONE].to_bytes(), vec![1, 0, 0, 0, 0, 0, 0, 0x78]);
}

#[test]
fn rejects_second_representations() {
    assert!(decode_all::<bool>(&[2]).is_err());
    assert!(decode_all::<Option<u8>>(&[2, 0]).is_err());
    assert!(decode_all::<F>(&F::ORDER_U32.to_le_bytes()).is_err());
    assert!(decode_all::<String>(&[1, 0, 0, 0, 0xff]).is_err());
}

#[test]
fn rejects_a_length_above_what_remains_before_allocating() {
    let bytes = [0xff; 8];
    let err = decode_all::<Vec<u64>>(&bytes).unwrap_err();
    assert_eq!(err, CodecError::Length { at: 4, got: u64::from(u32::MAX), max: 0 });
    let mut reader = Reader::new(&[3, 0, 0, 0, 1, 2, 3]);
    let err = decode_bounded::<u8>(&mut reader, 2).unwrap_err();
    assert_eq!(err, CodecError::Length { at: 4, got: 3, max: 2 });
}
