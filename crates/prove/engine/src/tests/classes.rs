//! A base proof of another size class of the same family, for the native check and for the lift.

use tsz_aggregator::{AggregationError, BatchError, Bundle, ExecError, ProofError, check};
use tsz_plonk::{Program, RunError, Value};
use tsz_scenario::{Mix, Params, generate, run};
use tsz_stark::Profile;
use tsz_tree::Lift;

use super::aggregate::{fixture, tree};
use crate::aggregate::exec_lift;
use crate::circuits::Fund;
use crate::registry::{ExecCircuit, ExecJob, Keyed};
use crate::*;

/// The lift of a circuit, with the inputs for its proof of the tree's ops.
fn lifted(circuit: &dyn ExecCircuit, bundle: &Bundle, proof: &[u8]) -> (Lift, Program, Vec<Value>) {
    let (lift, key) = exec_lift(circuit).unwrap();
    let program = Program::fitted(lift.build(), Profile::InsecureNode).unwrap();
    let claim = &bundle.batches[0].execs[0].claim;
    let proof = circuit.base().unwrap().decode(proof).unwrap();
    let inputs = lift.exec_values(&key, claim, &circuit.publics(claim), &proof).unwrap().1;
    (lift, program, inputs)
}

#[test]
fn a_base_proof_of_another_size_class_is_refused_natively_and_by_the_lift() {
    let (f, bundle) = (fixture(), &tree().bundle);
    let small = f.registry.exec_circuits()[0].as_ref();
    let medium = Fund::new(tsz_fund::Class::named("medium").unwrap(), Profile::InsecureTest);
    // The second batch of the fixture, proven by the other class: the same claim, and a true one.
    let params = Params { accounts: 200, active: 20, batches: 2, mix: Mix::ALL };
    let batch = executed(run(&generate(40, 5, &params).unwrap()).unwrap()).unwrap().remove(1);
    let ops: Vec<(u32, &OpRecord)> = (0..).zip(&batch.records).collect();
    let context = batch.header.context;
    let job = ExecJob { context, params: &batch.params, start: context.digest(), ops: &ops };
    let proven = medium.prove(&job).unwrap();
    let exec = &bundle.batches[0].execs[0];
    assert_eq!(proven.claim, exec.claim);
    medium.verify(&proven.claim, &proven.proof).unwrap();

    assert!(matches!(small.verify(&exec.claim, &proven.proof), Err(ProofError::Verify(_))));
    assert!(small.base().unwrap().decode(&proven.proof).is_err());
    let refused = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = bundle.clone();
        change(&mut bundle);
        match check(&bundle.to_bytes(), &f.registry.verifiers(&f.pins), None).unwrap_err() {
            AggregationError::Batch { index: 0, error: BatchError::Exec { index: 0, error } } => error,
            other => panic!("{other}"),
        }
    };
    let proof = |bundle: &mut Bundle| bundle.batches[0].execs[0].proof = proven.proof.clone();
    assert!(matches!(refused(&proof), ExecError::Proof(ProofError::Verify(_))));
    // With its own key, which the vk tree does not list.
    let digest = medium.key().unwrap().digest;
    let both = |bundle: &mut Bundle| {
        proof(bundle);
        bundle.batches[0].execs[0].vk.digest = digest;
    };
    assert!(matches!(refused(&both), ExecError::Vk));

    // The program has the key, its heights among it: inputs for another one are of another number, and no part of
    // them passes.
    let (lift, program, honest) = lifted(small, bundle, &exec.proof);
    let (_, other_program, mut inputs) = lifted(&medium, bundle, &proven.proof);
    let publics = program.run(&honest).unwrap().publics;
    assert_eq!(publics, tree().exec.publics());
    assert_eq!(other_program.run(&inputs).unwrap().publics, publics);
    let refused = program.run(&inputs).unwrap_err();
    assert_eq!(refused, RunError::InputCount { expected: honest.len(), got: inputs.len() });
    inputs.truncate(honest.len());
    assert!(matches!(program.run(&inputs), Err(RunError::Gate { .. })));
    // What the transcript absorbs before the queries, of the other class; the queries and the claim of its own.
    for absorbed in [8, 24, 100, honest.len() / 2] {
        let mixed = [&inputs[..absorbed], &honest[absorbed..]].concat();
        assert!(matches!(program.run(&mixed), Err(RunError::Gate { .. })), "{absorbed}");
    }
    // The key of the other class moves the challenges of the witness, not those of the program.
    let key = medium.base().unwrap().verifier().unwrap().1;
    let proof = small.base().unwrap().decode(&exec.proof).unwrap();
    let values = lift.exec_values(&key, &exec.claim, &small.publics(&exec.claim), &proof);
    assert!(values.is_err() || values.is_ok_and(|(_, values)| program.run(&values).is_err()));
}
