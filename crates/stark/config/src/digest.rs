//! The identity of a verifying key.
//!
//! - **AIR digest**: hash of the postcard encoding of (name, widths, public value count, next-row columns,
//!   periodic columns, constraint count, degree, the symbolic base constraints in order, the LogUp columns with
//!   messages, multiplicities and weights). Constraints are encoded as lists of operations with shared nodes,
//!   in the order in which the AIR states them. LogUp constraints follow from the columns.
//! - **Vk digest**: `hash(Domain::Vk, ..)` of (protocol version, number of tables, (AIR digest, log height) of
//!   each, preprocessed commitment with its length, FRI parameters).

use p3_air::SymbolicExpression;
use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Lookup, Lookups};
use serde::Serialize;
use tsz_hash::{Digest, hash_bytes};

use crate::circuit::{TableAir, TableInfo};
use crate::config::{Commitment, EXT_DEGREE, F};
use crate::params::{FriParams, PROTOCOL_VERSION};

#[derive(Serialize)]
struct AirDescription<'a> {
    name: &'a str,
    width: usize,
    preprocessed_width: usize,
    public_values: usize,
    constraints: usize,
    degree: usize,
    main_next: Vec<usize>,
    preprocessed_next: Vec<usize>,
    periodic: Vec<Vec<F>>,
    base: &'a [SymbolicExpression<F>],
    lookups: &'a Lookups<F>,
}

/// Digest of one AIR: every constraint and interaction counts.
///
/// # Errors
/// An encoding error of postcard; none occurs for AIRs that [`crate::setup`] admits.
pub(crate) fn air_digest<A: TableAir>(
    air: &A,
    info: &TableInfo,
    base: &[SymbolicExpression<F>],
    lookups: &Lookups<F>,
) -> Result<Digest, postcard::Error> {
    let description = AirDescription {
        name: &info.name,
        width: info.width,
        preprocessed_width: info.preprocessed_width,
        public_values: info.public_values,
        constraints: info.constraints,
        degree: info.degree,
        main_next: air.main_next_row_columns(),
        preprocessed_next: air.preprocessed_next_row_columns(),
        periodic: air.periodic_columns().into_owned(),
        base,
        lookups,
    };
    Ok(hash_bytes(&postcard::to_allocvec(&description)?))
}

/// Whether no message, multiplicity or flag of a LogUp column reads a periodic column.
pub(crate) fn is_free_of_periodic_columns(lookup: &Lookup<F>) -> bool {
    let fields = lookup.elements.iter().flatten();
    let flags = lookup.flags.iter().flatten();
    !fields.chain(&lookup.multiplicities).chain(flags).any(reads_periodic_column)
}

fn reads_periodic_column(expression: &SymbolicExpression<F>) -> bool {
    match expression {
        SymbolicExpr::Leaf(BaseLeaf::Variable(variable)) => variable.entry == BaseEntry::Periodic,
        SymbolicExpr::Leaf(_) => false,
        SymbolicExpr::Add { x, y, .. } | SymbolicExpr::Sub { x, y, .. } | SymbolicExpr::Mul { x, y, .. } => {
            reads_periodic_column(x) || reads_periodic_column(y)
        }
        SymbolicExpr::Neg { x, .. } => reads_periodic_column(x),
    }
}

/// What the digest of a verifying key hashes, and where the roots of the preprocessed commitment start in it.
pub(crate) fn vk_preimage(
    airs: &[Digest],
    log_heights: &[usize],
    preprocessed: Option<&Commitment>,
    params: &FriParams,
) -> (Vec<F>, usize) {
    let mut felts = vec![F::from_u32(PROTOCOL_VERSION), F::from_usize(airs.len())];
    for (air, &log_height) in airs.iter().zip(log_heights) {
        felts.extend_from_slice(air);
        felts.push(F::from_usize(log_height));
    }
    let roots = preprocessed.map_or(&[][..], |cap| cap.roots());
    felts.push(F::from_usize(roots.len()));
    let preprocessed_at = felts.len();
    felts.extend(roots.iter().flatten());
    let FriParams {
        log_blowup,
        num_queries,
        max_log_arity,
        log_final_poly_len,
        cap_height,
        query_pow_bits,
        commit_pow_bits,
        batch_pow_bits,
        ood_pow_bits,
        lookup_pow_bits,
    } = *params;
    felts.extend(
        [
            EXT_DEGREE,
            log_blowup,
            num_queries,
            max_log_arity,
            log_final_poly_len,
            cap_height,
            query_pow_bits,
            commit_pow_bits,
            batch_pow_bits,
            ood_pow_bits,
            lookup_pow_bits,
        ]
        .map(F::from_usize),
    );
    (felts, preprocessed_at)
}
