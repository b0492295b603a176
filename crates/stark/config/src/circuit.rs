//! Circuits and their keys.

use std::sync::Arc;

use p3_air::symbolic::AirLayout;
use p3_air::{Air, BaseAir, DebugConstraintBuilder};
use p3_batch_stark::common::GlobalPreprocessed;
use p3_batch_stark::folder::VerifierConstraintFolderWithLookups;
use p3_batch_stark::symbolic::{get_log_num_quotient_chunks, get_symbolic_constraints};
use p3_batch_stark::{CommonData, ProverData};
use p3_lookup::logup::LogUpGadget;
use p3_lookup::{InteractionSymbolicBuilder, Lookups, check_bus_widths, check_multiplicity_height_bound};
use thiserror::Error;
use tsz_hash::{Digest, Domain, ZERO, hash};

use crate::config::{Commitment, Config, EXT_DEGREE, ExtField, F, config};
use crate::digest;
use crate::params::{FriParams, MIN_LOG_HEIGHT, MIN_PROVEN_BITS, Profile};
use crate::prover::QuotientFolder;
use crate::security::{security_of, with_fewest_queries};

/// An AIR with a name; the name is part of the vk digest and of every report.
pub trait TableAir: BaseAir<F> {
    /// Short snake-case name, e.g. `poseidon2`.
    fn name(&self) -> String;

    /// Names of the main columns, in order, for reports of tests; may be empty.
    fn column_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What an AIR type must be to stand in a [`Circuit`].
///
/// Blanket-implemented: write `impl BaseAir<F>`, `impl<AB: InteractionBuilder<F = F>> Air<AB>` and
/// `impl TableAir`, and derive `Clone`.
pub trait CircuitAir:
    TableAir
    + Clone
    + Send
    + Sync
    + Air<InteractionSymbolicBuilder<F, ExtField>>
    + for<'a> Air<QuotientFolder<'a>>
    + for<'a> Air<VerifierConstraintFolderWithLookups<'a, Config>>
    + for<'a> Air<DebugConstraintBuilder<'a, F, ExtField>>
{
}

impl<T> CircuitAir for T where
    T: TableAir
        + Clone
        + Send
        + Sync
        + Air<InteractionSymbolicBuilder<F, ExtField>>
        + for<'a> Air<QuotientFolder<'a>>
        + for<'a> Air<VerifierConstraintFolderWithLookups<'a, Config>>
        + for<'a> Air<DebugConstraintBuilder<'a, F, ExtField>>
{
}

/// An ordered list of tables with fixed heights, to be proven together.
#[derive(Clone, Debug)]
pub struct Circuit<A> {
    /// The tables, in the order of traces and public values.
    pub airs: Vec<A>,
    /// log2 of the number of rows of each table.
    pub log_heights: Vec<usize>,
    /// The security profile.
    pub profile: Profile,
}

impl<A> Circuit<A> {
    /// A circuit of `(air, log2 height)` pairs.
    pub fn new(profile: Profile, tables: impl IntoIterator<Item = (A, usize)>) -> Self {
        let (airs, log_heights) = tables.into_iter().unzip();
        Self { airs, log_heights, profile }
    }
}

/// Shape and cost of one table of a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableInfo {
    /// The AIR's name.
    pub name: String,
    /// log2 of the number of rows.
    pub log_height: usize,
    /// Main columns.
    pub width: usize,
    /// Preprocessed columns.
    pub preprocessed_width: usize,
    /// LogUp columns in base field elements (accumulator and one fraction a lookup column, 4 each).
    pub aux_width: usize,
    /// Public values.
    pub public_values: usize,
    /// Base and extension constraints.
    pub constraints: usize,
    /// Largest constraint degree, LogUp constraints included.
    pub degree: usize,
    /// Quotient chunks.
    pub quotient_chunks: usize,
    /// Messages a row puts on buses.
    pub interactions: usize,
    /// Widest message in felts.
    pub max_message_width: usize,
    /// Whether a main column of the next row is read.
    pub main_next: bool,
    /// Whether a preprocessed column of the next row is read.
    pub preprocessed_next: bool,
}

impl TableInfo {
    /// Committed base field cells: (main + LogUp columns) times rows.
    pub fn cells(&self) -> usize {
        (self.width + self.aux_width) << self.log_height
    }
}

/// Everything a verifier knows about a circuit.
pub struct VerifyingKey<A> {
    pub(crate) airs: Vec<A>,
    pub(crate) log_heights: Vec<usize>,
    pub(crate) params: FriParams,
    pub(crate) profile: Profile,
    pub(crate) tables: Vec<TableInfo>,
    pub(crate) common: CommonData<Config>,
    pub(crate) config: Config,
    pub(crate) digest: Digest,
    pub(crate) preimage: Vec<F>,
    pub(crate) preprocessed_at: usize,
    pub(crate) air_digests: Vec<Digest>,
}

impl<A> VerifyingKey<A> {
    /// The identity of the circuit: module [`crate::digest`].
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
    /// The felts whose [`tsz_hash::Domain::Vk`] hash is the digest.
    pub fn digest_preimage(&self) -> &[F] {
        &self.preimage
    }
    /// Where in the preimage the commitment to the preprocessed columns stands: all that tells two circuits of
    /// the same tables, heights and parameters apart.
    pub fn preprocessed_in_preimage(&self) -> std::ops::Range<usize> {
        let roots = self.preprocessed_commitment().map_or(0, Commitment::num_roots);
        self.preprocessed_at..self.preprocessed_at + 8 * roots
    }
    /// Shape and cost of each table.
    pub fn tables(&self) -> &[TableInfo] {
        &self.tables
    }
    /// The tables.
    pub fn airs(&self) -> &[A] {
        &self.airs
    }
    /// log2 of the number of rows of each table.
    pub fn log_heights(&self) -> &[usize] {
        &self.log_heights
    }
    /// The FRI parameters.
    pub fn params(&self) -> &FriParams {
        &self.params
    }
    /// The security profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }
    /// Commitment to the preprocessed columns, if any table has some.
    pub fn preprocessed_commitment(&self) -> Option<&Commitment> {
        self.common.preprocessed.as_ref().map(|p| &p.commitment)
    }
    /// The LogUp columns of each table.
    pub fn lookups(&self) -> &[Lookups<F>] {
        &self.common.lookups
    }
}

impl<A: Clone> VerifyingKey<A> {
    /// The key of the same tables with other heights and preprocessed columns, of which only the commitment is
    /// given, and with the queries that these heights take. It verifies what the key of the circuit with these columns verifies, and has its digest.
    ///
    /// # Errors
    /// [`SetupError`] when heights are not admissible, when no number of queries proves [`MIN_PROVEN_BITS`] at them, or
    /// when this key has no preprocessed columns.
    pub fn resized(&self, log_heights: &[usize], preprocessed: Commitment) -> Result<Self, SetupError> {
        if log_heights.len() != self.airs.len() {
            return Err(SetupError::TableCount { airs: self.airs.len(), heights: log_heights.len() });
        }
        let mut tables = self.tables.clone();
        for (table, &got) in tables.iter_mut().zip(log_heights) {
            if !(MIN_LOG_HEIGHT..=26).contains(&got) {
                return Err(SetupError::Height { table: table.name.clone(), min: MIN_LOG_HEIGHT, got });
            }
            table.log_height = got;
        }
        let params = parameters(self.profile, &tables)?;
        let heights: Vec<usize> = log_heights.iter().map(|h| 1 << h).collect();
        check_multiplicity_height_bound(&self.common.lookups, &heights)?;
        let mut common = copy_common(&self.common);
        let Some(global) = &mut common.preprocessed else {
            return Err(SetupError::Commit("no preprocessed columns".into()));
        };
        global.commitment = preprocessed;
        for (meta, log_height) in global.instances.iter_mut().zip(log_heights) {
            if let Some(meta) = meta {
                meta.degree_bits = *log_height;
            }
        }
        let (preimage, preprocessed_at) =
            digest::vk_preimage(&self.air_digests, log_heights, Some(&global.commitment), &params);
        let digest = hash(Domain::Vk, &preimage);
        Ok(Self {
            airs: self.airs.clone(),
            log_heights: log_heights.to_vec(),
            params,
            profile: self.profile,
            tables,
            common,
            config: config(&params, &digest),
            digest,
            preimage,
            preprocessed_at,
            air_digests: self.air_digests.clone(),
        })
    }
}

/// Everything a prover needs: the vk and the preprocessed traces with their tree.
pub struct ProvingKey<A> {
    pub(crate) vk: Arc<VerifyingKey<A>>,
    pub(crate) data: ProverData<Config>,
}

impl<A> ProvingKey<A> {
    /// The verifying key.
    pub fn vk(&self) -> &Arc<VerifyingKey<A>> {
        &self.vk
    }
}

/// Why a circuit has no keys.
#[derive(Debug, Error)]
pub enum SetupError {
    /// No tables, or not one height per table.
    #[error("{airs} tables but {heights} heights")]
    TableCount {
        /// Number of AIRs.
        airs: usize,
        /// Number of heights.
        heights: usize,
    },
    /// A height outside `MIN_LOG_HEIGHT..=26`.
    #[error("table {table}: log height {got} is not in {min}..=26")]
    Height {
        /// Name of the table.
        table: String,
        /// Least log height.
        min: usize,
        /// Log height asked for.
        got: usize,
    },
    /// A constraint of too high a degree for the blow-up.
    #[error("table {table}: constraint degree {got} exceeds {max}")]
    Degree {
        /// Name of the table.
        table: String,
        /// Largest degree the blow-up allows.
        max: usize,
        /// Degree found.
        got: usize,
    },
    /// A bus message reads a periodic column, which Plonky3's LogUp prover cannot evaluate.
    #[error("table {table}: a bus message reads a periodic column")]
    PeriodicMessage {
        /// Name of the table.
        table: String,
    },
    /// The preprocessed trace disagrees with the declared width or the height.
    #[error("table {table}: preprocessed trace is {got_height} x {got_width}, expected {height} x {width}")]
    Preprocessed {
        /// Name of the table.
        table: String,
        /// Rows expected.
        height: usize,
        /// Columns expected.
        width: usize,
        /// Rows found.
        got_height: usize,
        /// Columns found.
        got_width: usize,
    },
    /// No number of queries of the profile proves [`MIN_PROVEN_BITS`] for these tables: they are too tall, too many
    /// or too wide.
    #[error("{bits:.1} proven bits, at least {MIN_PROVEN_BITS} are demanded")]
    Unproven {
        /// Proven bits with the most queries of the profile.
        bits: f64,
    },
    /// Two messages of one bus differ in width, or multiplicities could wrap modulo p.
    #[error("lookup argument: {0}")]
    Lookup(#[from] p3_lookup::LookupError),
    /// The commitment scheme refused.
    #[error("commitment: {0}")]
    Commit(String),
    /// A constraint could not be encoded for the digest.
    #[error("digest: {0}")]
    Digest(#[from] postcard::Error),
}

/// Makes the keys of a circuit: commits to the preprocessed columns and digests every constraint.
///
/// Deterministic: two runs give the same vk digest.
///
/// # Errors
/// [`SetupError`] when heights, degrees, preprocessed traces or bus widths are not admissible.
pub fn setup<A: CircuitAir>(circuit: Circuit<A>) -> Result<ProvingKey<A>, SetupError> {
    let prepared = prepare(circuit)?;
    let data = ProverData::from_airs_and_degrees_with_lookup_budgets(
        &prepared.unseeded,
        &prepared.airs,
        &prepared.log_heights,
        &prepared.budgets,
        prepared.params.log_blowup,
    )
    .map_err(|e| SetupError::Commit(e.to_string()))?;
    finish(prepared, data)
}

/// A circuit that has been checked, with what committing to it takes.
pub(crate) struct Prepared<A> {
    pub(crate) airs: Vec<A>,
    pub(crate) log_heights: Vec<usize>,
    profile: Profile,
    pub(crate) params: FriParams,
    /// The configuration before there is a digest.
    pub(crate) unseeded: Config,
    /// LogUp degree of each table.
    pub(crate) budgets: Vec<usize>,
}

pub(crate) fn prepare<A: CircuitAir>(circuit: Circuit<A>) -> Result<Prepared<A>, SetupError> {
    let Circuit { airs, log_heights, profile } = circuit;
    let params = profile.params();
    check_circuit(&airs, &log_heights)?;
    let budgets = airs.iter().map(|air| lookup_budget(air, &params)).collect();
    Ok(Prepared { airs, log_heights, profile, params, unseeded: config(&params, &ZERO), budgets })
}

/// Checks and digests a circuit with its committed preprocessed columns.
pub(crate) fn finish<A: CircuitAir>(
    prepared: Prepared<A>,
    data: ProverData<Config>,
) -> Result<ProvingKey<A>, SetupError> {
    let Prepared { airs, log_heights, profile, params: most, .. } = prepared;
    check_bus_widths(&data.common.lookups)?;
    let heights: Vec<usize> = log_heights.iter().map(|h| 1 << h).collect();
    check_multiplicity_height_bound(&data.common.lookups, &heights)?;

    let mut tables = Vec::with_capacity(airs.len());
    let mut air_digests = Vec::with_capacity(airs.len());
    for ((air, lookups), &log_height) in airs.iter().zip(&data.common.lookups).zip(&log_heights) {
        let (info, air_digest) = inspect(air, lookups, log_height)?;
        let max = (1 << most.log_blowup) + 1;
        if info.degree > max {
            return Err(SetupError::Degree { table: info.name, max, got: info.degree });
        }
        if !lookups.iter().all(digest::is_free_of_periodic_columns) {
            return Err(SetupError::PeriodicMessage { table: info.name });
        }
        tables.push(info);
        air_digests.push(air_digest);
    }
    // Commitments do not depend on the number of queries, which is known only now.
    let params = parameters(profile, &tables)?;
    let preprocessed = data.common.preprocessed.as_ref().map(|p| &p.commitment);
    let (preimage, preprocessed_at) = digest::vk_preimage(&air_digests, &log_heights, preprocessed, &params);
    let digest = hash(Domain::Vk, &preimage);
    let vk = VerifyingKey {
        airs,
        log_heights,
        params,
        profile,
        tables,
        common: copy_common(&data.common),
        config: config(&params, &digest),
        digest,
        preimage,
        preprocessed_at,
        air_digests,
    };
    Ok(ProvingKey { vk: Arc::new(vk), data })
}

/// The parameters of a key: a profile that is no test's has the fewest queries that prove [`MIN_PROVEN_BITS`] for
/// these tables.
fn parameters(profile: Profile, tables: &[TableInfo]) -> Result<FriParams, SetupError> {
    let most = profile.params();
    if profile.is_insecure() {
        return Ok(most);
    }
    with_fewest_queries(most, tables, MIN_PROVEN_BITS)
        .ok_or_else(|| SetupError::Unproven { bits: security_of(&most, tables).proven_bits })
}

/// Messages a row from which folding pays for the quotient chunk it may add.
const FOLDING_PAYS: usize = 4;

/// Degree up to which messages of one bus share a LogUp column; 0 keeps the degree of the AIR's constraints.
///
/// A higher degree has fewer LogUp columns and more quotient chunks, of 4 columns each: the cheapest sum of both
/// is taken. At blow-up 2 that is degree 3, the only choice there.
pub(crate) fn lookup_budget<A: CircuitAir>(air: &A, params: &FriParams) -> usize {
    let lookups = Lookups::<F>::from_air::<ExtField, A>(air);
    if lookups.len() < FOLDING_PAYS {
        return 0;
    }
    let builder = InteractionSymbolicBuilder::<F, ExtField>::from_air(air, AirLayout::from_air::<F>(air));
    let degrees = builder.base_constraints().into_iter().map(|c| c.degree_multiple()).max();
    let degree = degrees.unwrap_or(0).max(air.max_constraint_degree().unwrap_or(0));
    let gadget = LogUpGadget::new();
    let columns = |budget: usize| lookups.clone().pack_same_bus(&gadget, budget).len();
    (1..=params.log_blowup)
        .map(|log_chunks| (1 << log_chunks) + 1)
        .filter(|budget| *budget >= degree)
        .min_by_key(|budget| columns(*budget) + budget - 1)
        .unwrap_or((1 << params.log_blowup) + 1)
}

fn check_circuit<A: CircuitAir>(airs: &[A], log_heights: &[usize]) -> Result<(), SetupError> {
    if airs.is_empty() || airs.len() != log_heights.len() {
        return Err(SetupError::TableCount { airs: airs.len(), heights: log_heights.len() });
    }
    for (air, &log_height) in airs.iter().zip(log_heights) {
        if !(MIN_LOG_HEIGHT..=26).contains(&log_height) {
            return Err(SetupError::Height { table: air.name(), min: MIN_LOG_HEIGHT, got: log_height });
        }
        let (got_height, got_width) = match air.preprocessed_trace() {
            Some(trace) => (trace.values.len() / trace.width.max(1), trace.width),
            None => (1 << log_height, 0),
        };
        let (height, width) = (1 << log_height, air.preprocessed_width());
        if (height, width) != (got_height, got_width) {
            return Err(SetupError::Preprocessed { table: air.name(), height, width, got_height, got_width });
        }
    }
    Ok(())
}

/// Evaluates an AIR symbolically: its shape, and the digest of its constraints and interactions.
fn inspect<A: CircuitAir>(
    air: &A,
    lookups: &Lookups<F>,
    log_height: usize,
) -> Result<(TableInfo, Digest), SetupError> {
    let layout = AirLayout {
        preprocessed_width: air.preprocessed_width(),
        main_width: air.width(),
        num_public_values: air.num_public_values(),
        num_periodic_columns: air.num_periodic_columns(),
        ..Default::default()
    };
    let gadget = LogUpGadget::new();
    let (base, ext) = get_symbolic_constraints::<F, ExtField, A, _>(air, layout, lookups, &gadget);
    let log_chunks =
        get_log_num_quotient_chunks::<F, ExtField, A, _>(air, layout, 1 << log_height, lookups, 0, &gadget);
    let degrees = base.iter().map(|c| c.degree_multiple()).chain(ext.iter().map(|c| c.degree_multiple()));
    let degree = degrees.max().unwrap_or(0).max(air.max_constraint_degree().unwrap_or(0));
    let columns = if lookups.is_empty() { 0 } else { lookups.len() + 1 };
    let info = TableInfo {
        name: air.name(),
        log_height,
        width: air.width(),
        preprocessed_width: air.preprocessed_width(),
        aux_width: columns * EXT_DEGREE,
        public_values: air.num_public_values(),
        constraints: base.len() + ext.len(),
        degree,
        quotient_chunks: 1 << log_chunks,
        interactions: lookups.iter().map(|l| l.elements.len()).sum(),
        max_message_width: lookups.iter().flat_map(|l| l.elements.iter().map(Vec::len)).max().unwrap_or(0),
        main_next: !air.main_next_row_columns().is_empty(),
        preprocessed_next: !air.preprocessed_next_row_columns().is_empty(),
    };
    let digest = digest::air_digest(air, &info, &base, lookups)?;
    Ok((info, digest))
}

fn copy_common(common: &CommonData<Config>) -> CommonData<Config> {
    let preprocessed = common.preprocessed.as_ref().map(|p| GlobalPreprocessed {
        commitment: p.commitment.clone(),
        instances: p.instances.clone(),
        matrix_to_instance: p.matrix_to_instance.clone(),
    });
    CommonData::new(preprocessed, common.lookups.clone())
}
