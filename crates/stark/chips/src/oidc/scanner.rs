//! Preprocessed tables: characters of base64url, and the automaton over bytes.

use std::collections::HashMap;

use tsz_air::{
    Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, PrimeField32, RowMajorMatrix, TableAir,
    Trace, WindowAccess,
};
use tsz_auth::base64url::ALPHABET;
use tsz_auth::scan::transitions;

use super::{SCAN, SPLIT};
use crate::collect::Asked;

/// log2 of the rows of [`SplitTable`].
pub const SPLIT_LOG_HEIGHT: usize = 6;
/// log2 of the rows of [`ScannerTable`].
pub const SCANNER_LOG_HEIGHT: usize = 14;

/// Characters with their values and quotients by 16 and 4.
#[derive(Clone, Copy, Debug, Default)]
pub struct SplitTable;

/// The transitions of [`tsz_auth::scan`]; rows after the last one repeat the first.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScannerTable;

fn splits() -> Vec<[u32; 4]> {
    let row = |(v, c): (usize, &u8)| [u32::from(*c), v as u32, v as u32 >> 4, v as u32 >> 2];
    ALPHABET.iter().enumerate().map(row).collect()
}

fn scans() -> Vec<[u32; 5]> {
    let mut rows: Vec<[u32; 5]> = transitions()
        .into_iter()
        .map(|t| {
            let field = t.field.map_or(0, |f| u32::from(f.code()));
            [t.state.into(), t.byte.into(), t.next.into(), u32::from(field > 0), field]
        })
        .collect();
    let first = rows.first().copied().unwrap_or_default();
    rows.resize(1 << SCANNER_LOG_HEIGHT, first);
    rows
}

macro_rules! fixed {
    ($air:ident, $name:literal, $width:literal, $rows:ident, $bus:ident) => {
        impl TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                vec!["mult".into()]
            }
        }

        impl BaseAir<F> for $air {
            fn width(&self) -> usize {
                1
            }
            fn preprocessed_width(&self) -> usize {
                $width
            }
            fn preprocessed_trace(&self) -> Option<Trace> {
                let cells = $rows().into_iter().flatten().map(F::from_u32).collect();
                Some(RowMajorMatrix::new(cells, $width))
            }
            fn main_next_row_columns(&self) -> Vec<usize> {
                vec![]
            }
            fn preprocessed_next_row_columns(&self) -> Vec<usize> {
                vec![]
            }
        }

        impl<AB: InteractionBuilder<F = F>> Air<AB> for $air {
            fn eval(&self, builder: &mut AB) {
                let entry: [_; $width] = core::array::from_fn(|k| builder.preprocessed().current_slice()[k]);
                let mult = builder.main().current_slice()[0];
                $bus.table_entry(builder, entry, mult);
            }
        }

        impl $air {
            /// The trace for what was looked up.
            pub fn trace(asked: &Asked) -> Trace {
                let rows = $rows();
                // The first of equal rows.
                let places: HashMap<[u32; $width], usize> =
                    rows.iter().enumerate().rev().map(|(k, row)| (*row, k)).collect();
                let mut counts = vec![F::ZERO; rows.len()];
                for (message, n) in asked.messages($bus.name()) {
                    let key = core::array::from_fn(|k| {
                        message.get(k).map_or(u32::MAX, PrimeField32::as_canonical_u32)
                    });
                    // A message that no row has is not counted, and the bus does not balance.
                    if let Some(count) = places.get(&key).and_then(|k| counts.get_mut(*k)) {
                        *count += F::from_u32(n);
                    }
                }
                RowMajorMatrix::new(counts, 1)
            }
        }
    };
}

fixed!(SplitTable, "oidc_split", 4, splits, SPLIT);
fixed!(ScannerTable, "oidc_scan", 5, scans, SCAN);
