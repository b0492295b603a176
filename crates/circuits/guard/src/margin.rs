//! The guard for programs that move positions: the circuit of programs with legs, under keys of its own.
//!
//! **Proven.** What the circuit of programs proves ([`crate`]), for operations that may have legs: each keeps the rules of
//! the guard under the parameters whose hash is P, legs carried out and judged as docs/src/extensions.md says. Its claims
//! are those of the plain circuit; a range may be proven by either if no operation of it has legs.

use tsz_air::{F, Trace};
use tsz_chips::collect::{Asked, collect};
use tsz_chips::poseidon2::{self, Poseidon2Table};
use tsz_chips::poseidon24::{self, Poseidon24Table};
use tsz_chips::range::{self, RangeTable};
use tsz_chips::tuple::{self, Mode, TupleAir};
use tsz_gadgets::params::{self, LISTS, ParamsAir};
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{AlgorithmId, BatchContext, ExecClaim, Family, GuardClaim};
use tsz_margin::tables::{
    CollateralAir, JudgeAir, MarketAir, PositionAir, PriceAir, RatioAir, RulesAir, SettleAir, TokenAir,
    WorthAir,
};
use tsz_margin::{COUNTS, Heights, TooMany};
use tsz_stark::{Circuit, Profile, SetupError, setup};
use tsz_trade::Params;
use tsz_trade::params::{List, PERP_BLOCKS};

use crate::class::{Class, Counts, GuardAir};
use crate::prove::check;
use crate::record::{ExtensionRecord, RecordError};
use crate::tables::margin::crossing::Crossing;
use crate::tables::margin::leg::Leg;
use crate::tables::margin::{CrossingAir, LegAir, LegCellAir, MarginOperationAir};
use crate::tables::{JournalAir, LimitAir, MoneyAir, PartyAir};
use crate::trace::{MarginRows, journal_trace, matrix};
use crate::witness::{WitnessError, party_publics, segment, sponge_publics};
use crate::{ProveError, ProvingKey, VerifyError, VerifyingKey};

/// Place of the party table.
const PARTY: usize = 2;
/// Place of the journal.
const JOURNAL: usize = 6;
/// Place of the first table of `tsz-margin`.
const MARGIN: usize = 9;
/// Place of the price table.
const PRICE: usize = MARGIN + 3;
/// Place of the table of tokens at a price.
const WORTH: usize = MARGIN + 8;
/// Place of the tuple sponge.
const TUPLE: usize = MARGIN + tsz_margin::TABLES;

/// What some operations need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarginCounts {
    /// Of the plain circuit.
    pub plain: Counts,
    /// Legs.
    pub legs: usize,
    /// Operations with legs.
    pub crossings: usize,
    /// Markets listed, blocks of the oracle list, collateral tokens listed.
    pub lists: [usize; 3],
    /// Rows of the tables of `tsz-margin` that hold no list.
    pub margin: [usize; COUNTS],
}

impl MarginCounts {
    /// Counts what records need.
    ///
    /// # Errors
    /// [`RecordError`] for a record that is none.
    pub fn of(params: &Params, records: &[ExtensionRecord]) -> Result<Self, RecordError> {
        // neither system nor time change the number of rows
        let context = BatchContext { system: ZERO, batch: 0, time: 0, params: ZERO };
        let rows = MarginRows::of(&context, params, records)?;
        let mut plain = Counts::default();
        for record in records {
            plain.add(record.margin_parts()?);
        }
        Ok(Self {
            plain,
            legs: rows.legs.len(),
            crossings: rows.crossings.len(),
            lists: [params.perps.len(), 1 + params.oracle.signers.len(), params.collateral.len()],
            margin: rows.book.counts(),
        })
    }
}

/// A size class of the circuit with legs: log2 heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginClass {
    /// Tables of the plain circuit, and the name.
    pub plain: Class,
    /// Legs.
    pub legs: usize,
    /// Operations with legs.
    pub crossings: usize,
    /// Tables of `tsz-margin`.
    pub margin: Heights,
    /// Permutations of the tuple sponge and of the lists of the parameters.
    pub poseidon2: &'static [usize],
}

/// The size classes, smallest first.
pub const MARGIN_CLASSES: [MarginClass; 2] = [
    MarginClass {
        plain: Class {
            name: "margin-small",
            operations: 6,
            parties: 7,
            cells: 8,
            limits: 7,
            money: 9,
            journal: 10,
            tuple: 12,
        },
        legs: 7,
        crossings: 6,
        margin: heights([6, 6, 6, 7, 7, 7, 6, 6, 6]),
        poseidon2: &[12, 10],
    },
    MarginClass {
        plain: Class {
            name: "margin-medium",
            operations: 10,
            parties: 11,
            cells: 12,
            limits: 11,
            money: 13,
            journal: 14,
            tuple: 16,
        },
        legs: 11,
        crossings: 10,
        margin: heights([8, 7, 8, 12, 11, 11, 8, 6, 9]),
        poseidon2: &[16, 11],
    },
];

const fn heights(list: [usize; 2 + COUNTS]) -> Heights {
    let [markets, rules, prices, settles, positions, judges, ratios, worths, tokens] = list;
    let collateral = tsz_air::MIN_LOG_HEIGHT;
    Heights { markets, rules, collateral, prices, settles, positions, judges, ratios, worths, tokens }
}

impl MarginClass {
    /// The smallest class that holds these operations, if any does.
    pub fn fitting(counts: &MarginCounts) -> Option<&'static Self> {
        MARGIN_CLASSES.iter().find(|class| class.holds(counts))
    }

    /// The class of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        MARGIN_CLASSES.iter().find(|class| class.plain.name == name)
    }

    /// The class with these heights.
    pub(crate) fn with_heights(log_heights: &[usize]) -> Option<&'static Self> {
        MARGIN_CLASSES.iter().find(|class| class.log_heights() == log_heights)
    }

    /// Whether the operations fit all tables.
    pub fn holds(&self, counts: &MarginCounts) -> bool {
        let permutations: usize = self.poseidon2.iter().map(|h| 1 << h).sum();
        let [markets, rules, collateral] = counts.lists;
        let lists = markets * PERP_BLOCKS + rules + collateral + LISTS;
        self.plain.holds(&counts.plain)
            // the cell of a leg has two changes, any other at most one
            && counts.plain.cells + counts.legs <= 1 << self.plain.money
            && counts.legs <= 1 << self.legs
            && counts.crossings <= 1 << self.crossings
            && self.margin.holds(counts.lists, &counts.margin)
            && counts.plain.blocks + lists <= permutations
    }

    /// log2 of the rows of each table, in the order of the circuit.
    pub fn log_heights(&self) -> Vec<usize> {
        let Class { operations, parties, cells, limits, money, journal, tuple, .. } = self.plain;
        let own = [params::LOG_HEIGHT, operations, parties, cells, limits, money, journal];
        let own = own.into_iter().chain([self.legs, self.crossings]).chain(self.margin.list());
        own.chain([tuple, journal, range::LOG_HEIGHT]).chain(self.poseidon2.iter().copied()).collect()
    }

    /// The circuit of the class.
    pub fn circuit(&self, profile: Profile) -> Circuit<GuardAir> {
        let mut airs: Vec<GuardAir> = vec![
            ParamsAir.into(),
            MarginOperationAir.into(),
            PartyAir.into(),
            LegCellAir.into(),
            LimitAir.into(),
            MoneyAir.into(),
            JournalAir.into(),
            LegAir.into(),
            CrossingAir.into(),
            MarketAir.into(),
            RulesAir.into(),
            CollateralAir.into(),
            PriceAir.into(),
            SettleAir.into(),
            PositionAir.into(),
            JudgeAir.into(),
            RatioAir.into(),
            WorthAir.into(),
            TokenAir.into(),
            TupleAir { mode: Mode::Exec }.into(),
            Poseidon24Table::new().into(),
            RangeTable.into(),
        ];
        airs.extend(self.poseidon2.iter().map(|_| GuardAir::from(Poseidon2Table::new())));
        Circuit::new(profile, airs.into_iter().zip(self.log_heights()))
    }

    /// Makes the keys of the class.
    ///
    /// # Errors
    /// None for the classes of [`MARGIN_CLASSES`].
    pub fn setup(&self, profile: Profile) -> Result<ProvingKey, SetupError> {
        setup(self.circuit(profile))
    }
}

impl From<TooMany> for RecordError {
    fn from(TooMany { table, rows, got }: TooMany) -> Self {
        Self::TooMany { table, rows, got }
    }
}

/// Everything that a proof of operations with legs is made from.
#[derive(Clone, Debug)]
pub struct MarginWitness {
    /// What is proven.
    pub claim: GuardClaim,
    /// Traces in the order of the circuit.
    pub(crate) traces: Vec<Trace>,
}

impl MarginWitness {
    /// Fills the tables for the operations of `records`, all of `program`, in their order, under parameters; the tuple
    /// sponge starts from `start`, the journal from `journal_start`.
    ///
    /// # Errors
    /// [`WitnessError`] if the operations do not fit the class or a record is not one of its op. That they follow the
    /// rules is not checked: a proof of others is refused by the verifier.
    pub fn new(
        class: &MarginClass,
        context: &BatchContext,
        params: &Params,
        program: AlgorithmId,
        records: &[ExtensionRecord],
        starts: [Digest; 2],
    ) -> Result<Self, WitnessError> {
        let rows = MarginRows::of(context, params, records)?;
        Self::assemble(class, (context, params), program, records, starts, rows)
    }

    /// Fills the shared tables for given rows of the family.
    pub(crate) fn assemble(
        class: &MarginClass,
        (context, params): (&BatchContext, &Params),
        program: AlgorithmId,
        records: &[ExtensionRecord],
        [start, journal_start]: [Digest; 2],
        mut rows: MarginRows<'_>,
    ) -> Result<Self, WitnessError> {
        let publics = party_publics(&program, context);
        let legs = matrix::<Leg<F>>("leg", &rows.legs, class.legs)?;
        let crossings = matrix::<Crossing<F>>("crossing", &rows.crossings, class.crossings)?;
        let [_, _, cells, limits, _] = rows.plain_traces(&class.plain)?;
        let mut asked = collect(&LegCellAir, &cells, &[]);
        asked.merge(collect(&LimitAir, &limits, &[]));
        asked.merge(collect(&LegAir, &legs, &[]));
        rows.plain.count_uses(&asked);
        asked.merge(collect(&CrossingAir, &crossings, &[]));
        let [operations, parties, cells, limits, money] = rows.plain_traces(&class.plain)?;
        asked.merge(collect(&MarginOperationAir, &operations, &[]));
        asked.merge(collect(&PartyAir, &parties, &publics));
        asked.merge(collect(&MoneyAir, &money, &[]));

        let mut uses = [0; LISTS];
        for list in [List::Perps, List::Oracle, List::Collateral] {
            uses[list as usize] = 1;
        }
        let opened = params::trace(&params.digests(), uses);
        asked.merge(collect(&ParamsAir, &opened, &context.params));
        let margin = rows.book.traces(&class.margin).map_err(RecordError::from)?;
        let time = &publics[8..];
        asked.shared.merge(tsz_margin::requests(&margin, time));

        let (journal, journal_end) = journal_trace(records, journal_start, class.plain.journal)?;
        let count = records.len() as u32;
        let journal_publics = sponge_publics(&journal_start, &journal_end, count);
        asked.merge(collect(&JournalAir, &journal, &journal_publics));
        let ops = segment(records.iter().map(|r| (r.index, &r.accesses[..])));
        let hashed = tuple::generate(class.plain.tuple, start, &ops, &mut asked.shared)?;
        let mut traces = vec![opened, operations, parties, cells, limits, money, journal, legs, crossings];
        traces.extend(margin);
        traces.push(hashed.trace);
        traces.extend(permutations(class, &asked)?);
        let exec = ExecClaim {
            algorithm: program,
            context: *context,
            count,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim: GuardClaim { exec, journal_start, journal_end }, traces })
    }

    /// Proves the claim.
    ///
    /// # Errors
    /// [`ProveError::Stark`] when the witness is of another size class than the key.
    pub fn prove(&self, pk: &ProvingKey) -> Result<(GuardClaim, Vec<u8>), ProveError> {
        let publics = margin_public_values(&self.claim, self.traces.len());
        let proof = tsz_stark::prove(pk, &self.traces, &publics)?;
        let bytes = proof.to_bytes().map_err(|e| ProveError::Encode(e.to_string()))?;
        Ok((self.claim, bytes))
    }
}

/// Permutations of width 24, ranges, permutations of width 16.
fn permutations(class: &MarginClass, asked: &Asked) -> Result<Vec<Trace>, WitnessError> {
    let mut traces = vec![poseidon24::trace(asked, class.plain.journal)?];
    traces.push(range::trace(&asked.shared.range));
    traces.extend(poseidon2::traces(&asked.shared.p2, class.poseidon2)?);
    Ok(traces)
}

/// Proves that the operations of `records`, all of `program`, in their order, keep the rules of the guard under `params`,
/// those of the context's hash; sponges as in [`crate::prove`].
///
/// # Errors
/// [`ProveError`], as [`crate::prove`].
pub fn prove_margin(
    pk: &ProvingKey,
    context: &BatchContext,
    params: &Params,
    program: AlgorithmId,
    records: &[ExtensionRecord],
    starts: [Digest; 2],
) -> Result<(GuardClaim, Vec<u8>), ProveError> {
    let class = MarginClass::with_heights(pk.vk().log_heights()).ok_or(ProveError::Key)?;
    MarginWitness::new(class, context, params, program, records, starts)?.prove(pk)
}

/// Public values of each table of a circuit of `tables` tables, from the claim.
pub fn margin_public_values(claim: &GuardClaim, tables: usize) -> Vec<Vec<F>> {
    let exec = &claim.exec;
    let mut values = vec![Vec::new(); tables.max(TUPLE + 1)];
    values[0] = exec.context.params.to_vec();
    values[PARTY] = party_publics(&exec.algorithm, &exec.context);
    values[JOURNAL] = sponge_publics(&claim.journal_start, &claim.journal_end, exec.count);
    values[PRICE] = values[PARTY][8..].to_vec();
    values[WORTH] = values[PRICE].clone();
    values[TUPLE] = sponge_publics(&exec.start, &exec.end, exec.count);
    values
}

/// Verifies a proof of operations that may have legs. Never panics, whatever the bytes. What is for the caller to check:
/// as for [`crate::verify`].
///
/// # Errors
/// [`VerifyError`] unless the bytes are a proof of the claim under the key.
pub fn verify_margin(vk: &VerifyingKey, claim: &GuardClaim, proof: &[u8]) -> Result<(), VerifyError> {
    let class = MarginClass::with_heights(vk.log_heights()).ok_or(VerifyError::Key)?;
    let program = claim.exec.algorithm;
    if program == ZERO || program == Family::Extension.algorithm() {
        return Err(VerifyError::NoProgram);
    }
    check(&claim.exec, 1 << class.plain.operations)?;
    Ok(tsz_stark::verify(vk, proof, &margin_public_values(claim, vk.log_heights().len()))?)
}
