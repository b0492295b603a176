//! The prover: Plonky3's batch STARK protocol with quotients of our own.
//!
//! Commitments, transcript, LogUp columns and openings are Plonky3's, in the order that its verifier expects. What is
//! ours is how constraints are evaluated ([`quotient`]), half of what a proof took beside hashing: rows are read in the
//! order in which they are stored, messages are compiled once into straight-line code over base field values
//! ([`messages`]), and only columns whose next row is read are read there. The values are the same, so that nothing here
//! can make a verifier accept more: proofs are verified by Plonky3's verifier as before.

mod folder;
mod messages;
mod quotient;
mod rows;
#[cfg(test)]
mod tests;

use p3_batch_stark::proof::OpenedValuesWithLookups;
use p3_batch_stark::{
    BatchCommitments, BatchOpenedValues, BatchProof, BatchProverTranscript, BatchShape, ProverData,
    StarkGenericConfig,
};
use p3_commit::{OpenedValues as Openings, OpeningRequest, Pcs as _, PolynomialSpace};
use p3_lookup::logup::LogUpGadget;
use p3_lookup::{Lookup, LookupProtocol, LookupTerminal};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_maybe_rayon::prelude::*;
use p3_uni_stark::{OpenedValues, PreprocessedOpenedValues};
use p3_util::log2_strict_usize;
use tracing::info_span;

pub use folder::QuotientFolder;

use crate::challenger::Challenger;
use crate::circuit::{CircuitAir, TableInfo, VerifyingKey};
use crate::config::{Commitment, Config, ExtField, F, Pcs};
use crate::proof::ProveError;
use quotient::Quotient;

type Data = <Pcs as p3_commit::Pcs<ExtField, Challenger>>::ProverData;
type Domain = <Pcs as p3_commit::Pcs<ExtField, Challenger>>::Domain;
/// Columns over their domain.
type Columns = (Domain, RowMajorMatrix<F>);
type Transcript<'a> = BatchProverTranscript<'a, Challenger, F, ExtField, Commitment>;

/// The commitment scheme, with the one challenge field and transcript that it is used with.
struct Scheme<'a>(&'a Pcs);

impl Scheme<'_> {
    fn domain(&self, height: usize) -> Domain {
        p3_commit::Pcs::<ExtField, Challenger>::natural_domain_for_degree(self.0, height)
    }

    fn commit(&self, columns: Vec<Columns>) -> Result<(Commitment, Data), ProveError> {
        p3_commit::Pcs::<ExtField, Challenger>::commit(self.0, columns).map_err(refused)
    }
}

fn refused(error: impl core::fmt::Display) -> ProveError {
    ProveError::Commit(error.to_string())
}

/// The tables of a key with what is proven of them.
struct Instances<'a, A> {
    vk: &'a VerifyingKey<A>,
    data: &'a ProverData<Config>,
    traces: &'a [RowMajorMatrix<F>],
    publics: &'a [Vec<F>],
    domains: Vec<Domain>,
}

impl<A: CircuitAir> Instances<'_, A> {
    fn lookups(&self, table: usize) -> &[Lookup<F>] {
        &self.data.common.lookups[table]
    }

    fn has_messages(&self, table: usize) -> bool {
        !self.lookups(table).is_empty()
    }

    fn shape(&self) -> BatchShape {
        let tables = &self.vk.tables;
        let each = |of: fn(&TableInfo) -> usize| tables.iter().map(of).collect();
        BatchShape {
            trace_widths: each(|t| t.width),
            public_value_counts: each(|t| t.public_values),
            preprocessed_widths: each(|t| t.preprocessed_width),
            has_preprocessed_commitment: self.data.common.preprocessed.is_some(),
            num_lookup_instances: (0..tables.len()).filter(|t| self.has_messages(*t)).count(),
            lookup_pow_bits: self.vk.config.lookup_proof_of_work_bits(),
            has_randomization_commitment: false,
            ood_pow_bits: self.vk.config.ood_proof_of_work_bits(),
        }
    }

    /// LogUp columns of each table that has messages, and their terminals.
    fn messages(&self, challenges: &[Vec<ExtField>]) -> (Vec<Columns>, Vec<Option<ExtField>>) {
        let (mut columns, mut terminals) = (Vec::new(), Vec::new());
        for (table, air) in self.vk.airs.iter().enumerate() {
            if !self.has_messages(table) {
                terminals.push(None);
                continue;
            }
            let (aux, terminal) = LogUpGadget::new().generate_permutation::<F, ExtField>(
                &self.traces[table],
                &air.preprocessed_trace(),
                &self.publics[table],
                self.lookups(table),
                &challenges[table],
            );
            columns.push((self.domains[table], aux.flatten_to_base()));
            terminals.push(terminal.map(|t| t.0));
        }
        (columns, terminals)
    }

    /// The point after `zeta` in the domain of a table.
    fn next(&self, table: usize, zeta: ExtField) -> ExtField {
        zeta * self.domains[table].subgroup_generator()
    }

    /// Where the columns of a table are opened.
    fn points(&self, table: usize, zeta: ExtField, next: bool) -> Vec<ExtField> {
        if next { vec![zeta, self.next(table, zeta)] } else { vec![zeta] }
    }
}

/// Proves the traces of a key, whose shapes have been checked.
///
/// # Errors
/// [`ProveError::Commit`] when the commitment scheme refuses.
pub(crate) fn prove_batch<A: CircuitAir>(
    vk: &VerifyingKey<A>,
    data: &ProverData<Config>,
    traces: &[RowMajorMatrix<F>],
    publics: &[Vec<F>],
) -> Result<BatchProof<Config>, ProveError> {
    let scheme = Scheme(vk.config.pcs());
    let domains = traces.iter().map(|t| scheme.domain(t.height())).collect();
    let all = Instances { vk, data, traces, publics, domains };
    let mut challenger = vk.config.initialise_challenger();
    let mut transcript = Transcript::new(&mut challenger, all.shape());
    let result = rounds(&scheme, &all, &mut transcript);
    match result {
        Ok(proof) => {
            transcript.finish();
            Ok(proof)
        }
        Err(error) => {
            transcript.abort();
            Err(error)
        }
    }
}

fn rounds<A: CircuitAir>(
    scheme: &Scheme<'_>,
    all: &Instances<'_, A>,
    transcript: &mut Transcript<'_>,
) -> Result<BatchProof<Config>, ProveError> {
    let common = &all.data.common;
    transcript.instance_bindings(&all.vk.log_heights);
    let columns = all.domains.iter().copied().zip(all.traces.iter().cloned()).collect();
    let (main, main_data) = scheme.commit(columns)?;
    let publics: Vec<&[F]> = all.publics.iter().map(Vec::as_slice).collect();
    transcript.main_phase(main.clone(), &publics);
    transcript.preprocessed_phase(common.preprocessed.as_ref().map(|p| p.commitment.clone()));

    let lookups: Vec<&[Lookup<F>]> = (0..all.traces.len()).map(|table| all.lookups(table)).collect();
    let (challenges, lookup_pow_witness) = transcript.lookup_phase(&lookups, &LogUpGadget::new());
    let (columns, terminals) = all.messages(&challenges);
    let messages = if columns.is_empty() { None } else { Some(scheme.commit(columns)?) };
    let sums: Vec<ExtField> = terminals.iter().flatten().copied().collect();
    let alpha = transcript.permutation_phase(messages.as_ref().map(|m| m.0.clone()), &sums);

    let round = Round { main: &main_data, messages: messages.as_ref().map(|m| &m.1) };
    let quotients = round.quotients(scheme, all, &challenges, &terminals, alpha)?;
    let (quotient_chunks, quotient_data) =
        p3_commit::UnivariateStarkPcs::<ExtField, Challenger>::commit_ldes(scheme.0, quotients)
            .map_err(refused)?;
    transcript.quotient_phase(quotient_chunks.clone(), None);

    let (zeta, ood_pow_witness) = transcript.ood_phase();
    let requests = round.requests(all, &quotient_data, zeta);
    let (openings, opening_proof) =
        transcript.delegate(|challenger| scheme.0.open(requests, challenger)).map_err(refused)?;
    Ok(BatchProof {
        commitments: BatchCommitments {
            main,
            permutation: messages.map(|m| m.0),
            quotient_chunks,
            random: None,
        },
        opened_values: BatchOpenedValues { instances: opened(all, openings) },
        opening_proof,
        lookup_terminals: terminals.into_iter().map(|t| t.map(LookupTerminal)).collect(),
        degree_bits: all.vk.log_heights.clone(),
        lookup_pow_witness,
        ood_pow_witness,
    })
}

/// What has been committed to before the quotient.
struct Round<'a> {
    main: &'a Data,
    messages: Option<&'a Data>,
}

impl Round<'_> {
    /// The extended chunks of the quotient of each table.
    fn quotients<A: CircuitAir>(
        &self,
        scheme: &Scheme<'_>,
        all: &Instances<'_, A>,
        challenges: &[Vec<ExtField>],
        terminals: &[Option<ExtField>],
        alpha: ExtField,
    ) -> Result<Vec<RowMajorMatrix<F>>, ProveError> {
        let mut at = 0;
        let places: Vec<Option<usize>> = (0..all.traces.len())
            .map(|table| {
                all.has_messages(table).then(|| {
                    at += 1;
                    at - 1
                })
            })
            .collect();
        let of = |table: usize| -> Result<Vec<RowMajorMatrix<F>>, ProveError> {
            let _span = info_span!("quotient", table = all.vk.tables[table].name).entered();
            let chunks = all.vk.tables[table].quotient_chunks;
            let domain = all.domains[table];
            let quotient_domain = domain.create_disjoint_domain(all.traces[table].height() * chunks);
            let quotient = Quotient {
                air: &all.vk.airs[table],
                info: &all.vk.tables[table],
                lookups: all.lookups(table),
                publics: &all.publics[table],
                challenges: &challenges[table],
                terminal: terminals[table],
                alpha,
                main: rows::matrix(self.main, table),
                messages: self.messages.zip(places[table]).map(|(data, place)| rows::matrix(data, place)),
                preprocessed: preprocessed(all, table),
                periodic: p3_commit::UnivariateStarkPcs::<ExtField, Challenger>::build_periodic_lde_table(
                    scheme.0,
                    &all.vk.airs[table].periodic_columns(),
                    domain,
                    quotient_domain,
                ),
                selectors: domain.selectors_on_coset(quotient_domain),
                log_chunks: log2_strict_usize(chunks),
            };
            let values = RowMajorMatrix::new_col(quotient.values()).flatten_to_base();
            let split = quotient_domain.split_domains(chunks).into_iter();
            let evaluations = split.zip(quotient_domain.split_evals(chunks, values));
            p3_commit::UnivariateStarkPcs::<ExtField, Challenger>::get_quotient_ldes(
                scheme.0,
                evaluations,
                chunks,
            )
            .map_err(refused)
        };
        let each: Result<Vec<_>, ProveError> = (0..all.traces.len()).into_par_iter().map(of).collect();
        Ok(each?.into_iter().flatten().collect())
    }

    /// Where everything is opened, in the order of the verifier.
    fn requests<'b, A: CircuitAir>(
        &'b self,
        all: &'b Instances<'_, A>,
        quotient: &'b Data,
        zeta: ExtField,
    ) -> Vec<OpeningRequest<'b, Data, ExtField>> {
        let tables = || 0..all.traces.len();
        let mut requests = vec![
            OpeningRequest {
                prover_data: self.main,
                points: tables().map(|t| all.points(t, zeta, all.vk.tables[t].main_next)).collect(),
            },
            OpeningRequest {
                prover_data: quotient,
                points: tables().flat_map(|t| vec![vec![zeta]; all.vk.tables[t].quotient_chunks]).collect(),
            },
        ];
        let meta = all.data.common.preprocessed.as_ref();
        if let Some((meta, data)) = meta.zip(all.data.prover_only.preprocessed_prover_data.as_ref()) {
            let point = |t: &usize| all.points(*t, zeta, all.vk.tables[*t].preprocessed_next);
            requests.push(OpeningRequest {
                prover_data: data,
                points: meta.matrix_to_instance.iter().map(point).collect(),
            });
        }
        if let Some(data) = self.messages {
            let with = tables().filter(|t| all.has_messages(*t));
            requests.push(OpeningRequest {
                prover_data: data,
                points: with.map(|t| all.points(t, zeta, true)).collect(),
            });
        }
        requests
    }
}

/// The extended preprocessed columns of a table.
fn preprocessed<'a, A>(all: &Instances<'a, A>, table: usize) -> Option<&'a RowMajorMatrix<F>> {
    let meta = all.data.common.preprocessed.as_ref()?.instances[table].as_ref()?;
    Some(rows::matrix(all.data.prover_only.preprocessed_prover_data.as_ref()?, meta.matrix_index))
}

/// Opened values by table; they come by commitment, in the order of [`Round::requests`].
fn opened<A: CircuitAir>(
    all: &Instances<'_, A>,
    openings: Openings<ExtField>,
) -> Vec<OpenedValuesWithLookups<ExtField>> {
    let mut rounds = openings.into_iter().map(Vec::into_iter);
    let mut main = rounds.next().unwrap_or_default();
    let mut quotient = rounds.next().unwrap_or_default();
    let mut preprocessed = match &all.data.common.preprocessed {
        Some(_) => rounds.next().unwrap_or_default(),
        None => Default::default(),
    };
    let mut messages = rounds.next().unwrap_or_default();
    let tables = all.vk.tables.iter().enumerate();
    tables
        .map(|(table, info)| {
            let mut own = main.next().unwrap_or_default().into_iter();
            let chunks = quotient.by_ref().take(info.quotient_chunks);
            let quotient_chunks = chunks.map(|values| values.into_iter().flatten().collect()).collect();
            let fixed = (info.preprocessed_width > 0).then(|| {
                let mut values = preprocessed.next().unwrap_or_default().into_iter();
                PreprocessedOpenedValues { local: values.next().unwrap_or_default(), next: values.next() }
            });
            let aux = if all.has_messages(table) { messages.next().unwrap_or_default() } else { Vec::new() };
            let mut aux = aux.into_iter();
            OpenedValuesWithLookups {
                base_opened_values: OpenedValues {
                    trace_local: own.next().unwrap_or_default(),
                    trace_next: own.next(),
                    preprocessed: fixed,
                    quotient_chunks,
                    random: None,
                },
                permutation_local: aux.next().unwrap_or_default(),
                permutation_next: aux.next().unwrap_or_default(),
            }
        })
        .collect()
}
