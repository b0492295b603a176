//! Proofs of the guard go with runs: both must hold, for the same program, journal and operations.

use tsz_ledger::GuardClaim;

use super::*;

const GUARD: u32 = 106;

/// [`Seals`], with a key of the guard and seals of runs that are hashes too.
struct Guests {
    others: Seals,
    runs: bool,
}

fn image_root() -> Digest {
    digest(77)
}

fn program() -> Digest {
    GuestRun { image: image_root(), start: digest(0), end: digest(0), events: None, seals: vec![] }
        .algorithm()
}

fn guest_tree() -> VkTree {
    let entries = tree().entries().to_vec();
    VkTree::new(entries.into_iter().chain([VkEntry { algorithm: program(), vk: digest(GUARD) }])).unwrap()
}

fn seal_guard(vk: &Digest, claim: &GuardClaim) -> Vec<u8> {
    let exec = seal_exec(vk, &claim.exec);
    seal(&[claim.journal_start, claim.journal_end], exec)
}

fn seal_run(image: &[u32; 8], output: &[u32; 8]) -> Vec<Vec<u32>> {
    let words: Vec<u32> = image.iter().chain(output).copied().collect();
    vec![words, vec![1, 2, 3]]
}

impl VerifierSet for Guests {
    fn vk_root(&self) -> Digest {
        self.others.root
    }
    fn verify_exec(&self, vk: &Digest, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        self.others.verify_exec(vk, claim, proof)
    }
    fn verify_transition(&self, vk: &Digest, c: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError> {
        self.others.verify_transition(vk, c, proof)
    }
    fn verify_guard(&self, vk: &Digest, claim: &GuardClaim, proof: &[u8]) -> Result<(), ProofError> {
        compare(digest(GUARD) == *vk, &seal_guard(vk, claim), proof)
    }
    fn has_runs(&self) -> bool {
        self.runs
    }
    fn verify_run(&self, image: &[u32; 8], output: &[u32; 8], seals: &[Vec<u32>]) -> Result<(), ProofError> {
        if !self.runs {
            return Err(ProofError::NoRunVerifier);
        }
        if seals == seal_run(image, output) { Ok(()) } else { Err(ProofError::Run("seal".into())) }
    }
}

fn guests() -> Guests {
    Guests { others: Seals { root: guest_tree().root() }, runs: true }
}

/// Seals the program's proofs and runs anew.
fn reseal_guests(bundle: &mut Bundle) {
    for exec in bundle.batches.iter_mut().flat_map(|b| &mut b.execs) {
        let Some(run) = &mut exec.run else { continue };
        run.seals = seal_run(&tsz_ext::words(&run.image), &run.output(exec.claim.count));
        exec.proof = seal_guard(&exec.vk.digest, &run.guard(&exec.claim));
    }
}

/// One batch in which the spot ops of [`ops`] are ones of a program, in two ranges.
fn guest_bundle() -> Bundle {
    let context = BatchContext { system: system(), batch: 4, time: 1_000, params: digest(6) };
    let mut ops = ops(1000);
    ops.iter_mut().filter(|op| op.0 == Family::Spot.algorithm()).for_each(|op| op.0 = program());
    let tree = guest_tree();
    let (set, _) = TransitionSet::from_ops(context.digest(), &ops).unwrap();
    let (s0, sn) = (digest(1), digest(2));
    let header = BatchHeader { context, s0, sn, ops: ops.len() as u32, set_root: set.root() };
    let mut execs = Vec::new();
    for leaf in set.leaves() {
        if leaf.algorithm == program() {
            let ranges = [(3, GUARD), (1, GUARD)];
            let mut own = exec_proofs(&tree, &context, &ops, program(), &ranges);
            for (k, exec) in (0..).zip(&mut own) {
                let (start, end) = (exec.claim.start, digest(900 + k));
                let events = (k == 1).then_some((2, digest(950)));
                exec.run = Some(GuestRun { image: image_root(), start, end, events, seals: vec![] });
            }
            execs.extend(own);
        } else {
            let ranges = [(3, FUND_LARGE), (2, FUND_SMALL)];
            execs.extend(exec_proofs(&tree, &context, &ops, leaf.algorithm, &ranges));
        }
    }
    let vk = vk_ref(&tree, transition_algorithm(), TRANSITION);
    let proof = seal_transition(&digest(TRANSITION), &header.transition());
    let transition = TransitionProof { vk, proof };
    let leaves = set.leaves().to_vec();
    let mut bundle = Bundle { batches: vec![BatchProofs { header, leaves, transition, execs }] };
    reseal_guests(&mut bundle);
    bundle
}

fn run_guests(bundle: &Bundle) -> Result<Vec<BatchHeader>, AggregationError> {
    check(&bundle.to_bytes(), &guests(), None)
}

/// Places of the two proofs of the guard.
fn guard_places(bundle: &Bundle) -> [usize; 2] {
    let first = bundle.batches[0].execs.iter().position(|e| e.run.is_some()).unwrap();
    [first, first + 1]
}

/// The error at a proof of the guard, after a change; sealed anew if `reseal`.
fn error(reseal: bool, which: usize, change: impl Fn(&mut ExecProof)) -> ExecError {
    let mut bundle = guest_bundle();
    let at = guard_places(&bundle)[which];
    change(&mut bundle.batches[0].execs[at]);
    if reseal {
        reseal_guests(&mut bundle);
    }
    match run_guests(&bundle) {
        Err(AggregationError::Batch { index: 0, error: BatchError::Exec { error, .. } }) => error,
        other => panic!("expected an error of a proof, got {other:?}"),
    }
}

fn run_of(exec: &mut ExecProof) -> &mut GuestRun {
    exec.run.as_mut().unwrap()
}

#[test]
fn accepts_guards_with_their_runs() {
    let bundle = guest_bundle();
    run_guests(&bundle).unwrap();
    assert_eq!(Bundle::from_bytes(&bundle.to_bytes()).unwrap(), bundle);
}

#[test]
fn rejects_a_guard_without_its_run() {
    assert!(matches!(error(false, 1, |e| e.run = None), ExecError::Proof(ProofError::UnknownVk)));
    assert!(matches!(error(false, 1, |e| run_of(e).seals.clear()), ExecError::Proof(ProofError::Run(_))));
}

#[test]
fn rejects_a_run_without_a_guard() {
    // an exec proof of another circuit that brings a run is none of the guard
    let mut bundle = guest_bundle();
    let [guard, _] = guard_places(&bundle);
    let fund = bundle.batches[0].execs.iter().position(|e| e.run.is_none()).unwrap();
    bundle.batches[0].execs[fund].run = bundle.batches[0].execs[guard].run.clone();
    let refused = run_guests(&bundle);
    let is_program = |e: &AggregationError| {
        let AggregationError::Batch { error: BatchError::Exec { error, .. }, .. } = e else { return false };
        matches!(error, ExecError::Program)
    };
    assert!(refused.is_err_and(|e| is_program(&e)));
}

#[test]
fn rejects_a_run_of_another_program_journal_or_number_of_operations() {
    assert!(matches!(error(true, 0, |e| run_of(e).image = digest(78)), ExecError::Program));
    let gap = |e: &mut ExecProof| run_of(e).start = digest(3);
    assert!(matches!(error(true, 0, gap), ExecError::JournalGap));
    assert!(matches!(error(true, 1, gap), ExecError::JournalGap));
    // the run of another range: its journal starts elsewhere
    let mut bundle = guest_bundle();
    let [first, second] = guard_places(&bundle);
    let run = bundle.batches[0].execs[first].run.clone();
    let lie = |e: &mut ExecProof| e.run.clone_from(&run);
    assert!(matches!(error(true, 1, lie), ExecError::JournalGap));
    bundle.batches[0].execs.swap(first, second);
    reseal_guests(&mut bundle);
    assert!(run_guests(&bundle).is_err());
    // what the guard saw and what the guest committed to differ
    let other = |e: &mut ExecProof| {
        let run = run_of(e);
        run.end = digest(3);
        run.seals = seal_run(&tsz_ext::words(&run.image), &run.output(1));
    };
    assert!(matches!(error(false, 1, other), ExecError::Proof(ProofError::Claim(_))));
    let fewer = |e: &mut ExecProof| {
        let run = run_of(e);
        run.seals = seal_run(&tsz_ext::words(&run.image), &run.output(2));
    };
    assert!(matches!(error(false, 1, fewer), ExecError::Proof(ProofError::Run(_))));
    let silent = |e: &mut ExecProof| run_of(e).events = None;
    assert!(matches!(error(false, 1, silent), ExecError::Proof(ProofError::Run(_))));
}

#[test]
fn rejects_a_number_of_events_that_is_another_felt_or_too_large() {
    // The output is the same for a number and the number plus p.
    for other in [2 + 2_013_265_921, 9] {
        let mut bundle = guest_bundle();
        let at = guard_places(&bundle)[1];
        assert_eq!(bundle.batches[0].execs[at].claim.count, 1);
        let run = run_of(&mut bundle.batches[0].execs[at]);
        let output = run.output(1);
        run.events.as_mut().unwrap().0 = other;
        assert_eq!(run.output(1) == output, other > 9);
        reseal_guests(&mut bundle);
        let refused = run_guests(&bundle).unwrap_err();
        assert!(
            matches!(refused, AggregationError::Batch { error: BatchError::Width("number of events"), .. }),
            "{refused}"
        );
    }
}

#[test]
fn rejects_programs_where_nothing_verifies_runs() {
    let verifier = Guests { runs: false, ..guests() };
    let refused = check(&guest_bundle().to_bytes(), &verifier, None).unwrap_err().to_string();
    assert!(refused.contains("no verifier of their runs"), "{refused}");
    // said before anything else, whatever the keys: a set that lists none of the guard's
    let others = Seals { root: tree().root() };
    let refused = check(&guest_bundle().to_bytes(), &others, None).unwrap_err().to_string();
    assert!(refused.contains("no verifier of their runs"), "{refused}");
    // a set of keys alone verifies neither
    let set = VkSet::new(guest_tree().root());
    assert!(matches!(set.verify_run(&[0; 8], &[0; 8], &[]), Err(ProofError::NoRunVerifier)));
    let claim = run_of(&mut guest_bundle().batches[0].execs[guard_places(&guest_bundle())[0]]).clone();
    let exec = guest_bundle().batches[0].execs[0].claim;
    assert!(matches!(set.verify_guard(&digest(GUARD), &claim.guard(&exec), &[]), Err(ProofError::UnknownVk)));
}

#[test]
fn rejects_damaged_runs() {
    let bytes = guest_bundle().to_bytes();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(check(&damaged, &guests(), None).is_err(), "byte {at}");
        assert!(check(&bytes[..at], &guests(), None).is_err());
    }
}
