//! Size classes: keys of the same tables at other heights.

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::{Program, RunError, Value};
use tsz_stark::{Circuit, F, Profile, Proof, ProvingKey, VerifyError};

use super::airs::{LOG_DIGITS, LOG_SUM, SmallAir, line, traces};
use super::verifier::{circuit, run};
use crate::{KeyValues, Verifier};

/// A sum, its digits and two lines, with a proof.
struct Class {
    pk: ProvingKey<SmallAir>,
    proof: Proof,
    publics: Vec<Vec<F>>,
    circuit: (Verifier, Program),
}

fn class(lines: [usize; 2]) -> Class {
    let [first, second] = lines.map(|log| (SmallAir::Line, log));
    let tables = [(SmallAir::Sum, LOG_SUM), (SmallAir::Digits, LOG_DIGITS), first, second];
    let pk = tsz_stark::setup(Circuit::new(Profile::InsecureTest, tables)).unwrap();
    let (mut traces, mut publics) = traces();
    traces.truncate(2);
    publics.truncate(2);
    for log in lines {
        let (trace, values) = line(log, 11);
        traces.push(trace);
        publics.push(values);
    }
    let proof = tsz_stark::prove(&pk, &traces, &publics).unwrap();
    tsz_stark::verify_proof(pk.vk(), &proof, &publics).unwrap();
    let circuit = circuit(pk.vk());
    run(&circuit, pk.vk(), &proof, &publics).unwrap();
    Class { pk, proof, publics, circuit }
}

impl Class {
    /// What the program of this class reads of its proof.
    fn inputs(&self) -> Vec<Value> {
        let key = KeyValues::from(self.pk.vk().as_ref());
        self.circuit.0.values(&key, &self.proof, &self.publics).unwrap()
    }
}

/// The proof of another class is refused natively by its heights. Its inputs are refused by the program: by their number
/// where it differs, by a gate where the heights are exchanged only and every vector is as long as it must be.
#[test]
fn a_proof_of_another_size_class_is_refused_by_both_verifiers() {
    let [own, exchanged, taller] = [[7, 6], [6, 7], [7, 7]].map(class);
    for other in [&exchanged, &taller] {
        let bytes = other.proof.to_bytes().unwrap();
        let native = tsz_stark::verify(own.pk.vk(), &bytes, &other.publics);
        assert!(matches!(native, Err(VerifyError::Shape(_))), "{native:?}");
        assert!(Proof::from_bytes(own.pk.vk(), &bytes).is_err());
    }
    let (program, honest) = (&own.circuit.1, own.inputs());
    program.run(&honest).unwrap();
    assert_eq!(exchanged.inputs().len(), honest.len());
    assert!(matches!(program.run(&exchanged.inputs()), Err(RunError::Gate { .. })));
    let mut inputs = taller.inputs();
    let refused = program.run(&inputs).unwrap_err();
    assert_eq!(refused, RunError::InputCount { expected: honest.len(), got: inputs.len() });
    inputs.resize(honest.len(), Value::ZERO);
    assert!(matches!(program.run(&inputs), Err(RunError::Gate { .. })));
    // Openings of the own class under the commitments of the other one, and the reverse.
    let both = exchanged.inputs();
    let differs: Vec<usize> = (0..honest.len()).filter(|at| honest[*at] != both[*at]).collect();
    for cut in [differs[8], differs[differs.len() / 2]] {
        let mixed = |head: &[Value], tail: &[Value]| [&head[..cut], &tail[cut..]].concat();
        assert!(program.run(&mixed(&both, &honest)).is_err(), "cut at {cut}");
        assert!(program.run(&mixed(&honest, &both)).is_err(), "cut at {cut}");
    }
}
