//! Lifts, two at a time.
//!
//! Compiling a program and computing a witness take one thread each. Two workers, each with its share of the cores, are
//! busy all the same; the nodes of one program are one worker's, which drops it with its key when they are done. The
//! programs of joins are built in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use tsz_hash::Digest;
use tsz_plonk::Value;
use tsz_recursion::KeyValues;
use tsz_tree::{Claim, Join, Lift, NodeProof};

use super::figures::NodeReport;
use super::nodes::{failed, lift_name, transition_lift};
use super::plan::pinned_log;
use super::shared::Shared;
use super::{Aggregator, Built, Kind, Plan, decode, exec_lift, join_name};
use crate::error::EngineError;
use crate::measure::Pool;
use crate::registry::{ExecCircuit, Keyed, TransitionCircuit};

/// Workers: a node of 2^17 rows takes some 2 GB.
const WORKERS: usize = 2;

/// What is not there yet.
#[derive(Default)]
struct Pending<'p> {
    lifts: BTreeMap<String, Vec<&'p Plan<'p>>>,
    joins: BTreeSet<&'p [usize]>,
}

/// Work of one program.
enum Task<'p> {
    Lift(Vec<&'p Plan<'p>>),
    Join(&'p [usize]),
}

/// Work that no worker has taken.
struct Queue<'p> {
    tasks: Mutex<Vec<Task<'p>>>,
    /// Whether a worker has failed: what the others would still prove nobody waits for.
    stopped: AtomicBool,
}

impl<'p> Queue<'p> {
    fn new(tasks: Vec<Task<'p>>) -> Self {
        Self { tasks: Mutex::new(tasks), stopped: AtomicBool::new(false) }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn next(&self) -> Option<Task<'p>> {
        let task = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).pop();
        task.filter(|_| !self.is_stopped())
    }
}

/// Stops a queue when it is dropped, by a panic too, unless its worker has finished.
struct Worker<'q, 'p> {
    queue: &'q Queue<'p>,
    finished: bool,
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        if !self.finished {
            self.queue.stopped.store(true, Ordering::Relaxed);
        }
    }
}

/// What a worker says.
enum Event {
    Progress(String),
    Node(Digest, Box<NodeProof>, Box<NodeReport>),
    Join(Vec<usize>, Box<Built<Join>>),
    Failed(EngineError),
}

type Events = mpsc::Sender<Event>;

/// A circuit whose proofs are lifted.
enum Base<'a> {
    Exec(&'a dyn ExecCircuit),
    Transition(&'a dyn TransitionCircuit),
}

impl Base<'_> {
    fn circuit(&self) -> &dyn Keyed {
        match self {
            Self::Exec(circuit) => *circuit,
            Self::Transition(circuit) => *circuit,
        }
    }

    fn lift(&self) -> Result<(Lift, KeyValues), EngineError> {
        match self {
            Self::Exec(circuit) => exec_lift(*circuit),
            Self::Transition(circuit) => transition_lift(*circuit),
        }
    }

    /// The claim and the inputs of the lift of a plan.
    fn values(
        &self,
        lift: &Lift,
        key: &KeyValues,
        plan: &Plan<'_>,
    ) -> Result<(Claim, Vec<Value>), EngineError> {
        let failed = failed(lift_name(self.circuit().id()));
        let values = match (self, &plan.kind) {
            (Self::Exec(circuit), Kind::Exec(exec)) => {
                let proof = decode(*circuit, &exec.proof)?;
                lift.exec_values(key, &exec.claim, &circuit.publics(&exec.claim), &proof)
            }
            (Self::Transition(circuit), Kind::Transition(batch)) => {
                let proof = decode(*circuit, &batch.transition.proof)?;
                let claim = batch.header.transition();
                lift.transition_values(key, &claim, &circuit.publics(&claim), &proof)
            }
            _ => return Err(failed(&"a plan of another kind of circuit")),
        };
        values.map_err(|e| failed(&e))
    }
}

impl<'a> Shared<'a> {
    /// The circuit whose proof a plan lifts.
    fn base(&self, plan: &Plan<'_>) -> Result<Base<'a>, EngineError> {
        let registry = self.registry;
        let vk = match &plan.kind {
            Kind::Exec(exec) => exec.vk.digest,
            Kind::Transition(batch) => batch.transition.vk.digest,
            _ => return Err(failed("plan")(&"no lift of a base proof")),
        };
        let name = self.pinned_name(&vk)?;
        let exec = registry.exec_circuits().iter().find(|c| c.id().to_string() == name);
        let transition = registry.transitions().iter().find(|c| c.id().to_string() == name);
        match (&plan.kind, exec, transition) {
            (Kind::Exec(_), Some(circuit), _) => Ok(Base::Exec(circuit.as_ref())),
            (Kind::Transition(_), _, Some(circuit)) => Ok(Base::Transition(circuit.as_ref())),
            _ => Err(EngineError::NotPinned(name)),
        }
    }
}

impl Aggregator<'_> {
    /// Proves the lifts of base proofs that are not there yet, and builds the programs of the joins above them.
    pub(super) fn prove_lifts(&mut self, plan: &Plan<'_>) -> Result<(), EngineError> {
        let mut pending = Pending::default();
        self.collect(plan, &mut pending)?;
        let mut tasks = Vec::with_capacity(pending.lifts.len() + pending.joins.len());
        for (_, plans) in pending.lifts {
            // Rows to be proven.
            let weight = plans.iter().map(|plan| 1 << plan.log).sum::<u64>();
            tasks.push((weight, Task::Lift(plans)));
        }
        for slots in pending.joins.into_iter().filter(|slots| !self.joins.contains_key(*slots)) {
            // Building a program takes about a sixth of proving it.
            let weight = (1 << pinned_log(self.shared.pins, &join_name(slots))?) / 6;
            tasks.push((weight, Task::Join(slots)));
        }
        // The largest first; workers take from the end.
        tasks.sort_by_key(|(weight, _)| *weight);
        let workers = WORKERS.min(rayon::current_num_threads()).min(tasks.len());
        let threads = rayon::current_num_threads();
        let queue = Queue::new(tasks.into_iter().map(|(_, task)| task).collect());
        let (events, said) = mpsc::channel();
        let shared = &self.shared;
        thread::scope(|scope| {
            for k in 0..workers {
                let (queue, events) = (&queue, events.clone());
                let share = threads / workers + usize::from(k < threads % workers);
                scope.spawn(move || {
                    let mut worker = Worker { queue, finished: false };
                    match work(shared, queue, share, &events) {
                        Ok(()) => worker.finished = true,
                        Err(error) => say(&events, Event::Failed(error)),
                    }
                });
            }
            drop(events);
            let mut failure = None;
            for event in said {
                match event {
                    Event::Progress(name) => (self.progress)(&name),
                    Event::Node(id, node, report) => {
                        self.report.nodes.push(*report);
                        self.nodes.insert(id, *node);
                    }
                    Event::Join(slots, built) => {
                        self.joins.insert(slots, *built);
                    }
                    Event::Failed(error) => failure = failure.or(Some(error)),
                }
            }
            failure.map_or(Ok(()), Err)
        })
    }

    /// Takes finished nodes from the work folder, and lists what is to be proven below the others.
    fn collect<'p>(&mut self, plan: &'p Plan<'p>, pending: &mut Pending<'p>) -> Result<(), EngineError> {
        if let Some(node) = self.shared.finished(plan)? {
            self.report.nodes.push(NodeReport::reused(&node));
            self.nodes.insert(plan.id, node);
            return Ok(());
        }
        match &plan.kind {
            Kind::Exec(_) | Kind::Transition(_) => {
                let name = self.shared.base(plan)?.circuit().id().to_string();
                pending.lifts.entry(name).or_default().push(plan);
            }
            Kind::Join(group) => {
                for child in &group.children {
                    self.collect(child, pending)?;
                }
                pending.joins.insert(&group.slots);
            }
            Kind::Guest(..) | Kind::Pair(_) => {}
        }
        Ok(())
    }
}

fn work(shared: &Shared<'_>, queue: &Queue<'_>, threads: usize, events: &Events) -> Result<(), EngineError> {
    let pool = Pool::new(threads).map_err(|e| failed("workers")(&e))?;
    while let Some(task) = queue.next() {
        match task {
            Task::Lift(plans) => lift(shared, &plans, queue, &pool, events)?,
            Task::Join(slots) => {
                let name = join_name(slots);
                say(events, Event::Progress(format!("building {name}")));
                let (built, cost) = pool.run(|| shared.join(slots));
                let built = Box::new(Built { cost, ..built? });
                say(events, Event::Join(slots.to_vec(), built));
            }
        }
    }
    Ok(())
}

/// Events that nobody takes are of an aggregation that has ended.
fn say(events: &Events, event: Event) {
    let _ = events.send(event);
}

/// The nodes of one program.
fn lift(
    shared: &Shared<'_>,
    plans: &[&Plan<'_>],
    queue: &Queue<'_>,
    pool: &Pool,
    events: &Events,
) -> Result<(), EngineError> {
    let Some(first) = plans.first() else { return Ok(()) };
    let base = shared.base(first)?;
    let name = lift_name(base.circuit().id());
    let failed = failed(&name);
    say(events, Event::Progress(format!("building {name}")));
    let (made, mut build) = pool.run(|| {
        let (lift, key) = base.lift()?;
        let program = shared.program(&name, lift.build())?;
        shared.membership(base.circuit().algorithm(), *program.vk().digest(), &name)?;
        Ok::<_, EngineError>((lift, key, program))
    });
    let (lift, key, program) = made?;
    for plan in plans {
        if queue.is_stopped() {
            break;
        }
        say(events, Event::Progress(name.clone()));
        let (node, prove) = pool.run(|| {
            let (claim, values) = base.values(&lift, &key, plan)?;
            NodeProof::prove(&program, &values, Digest::default(), claim).map_err(|e| failed(&e))
        });
        let node = node?;
        shared.store(plan, &node)?;
        let report = NodeReport::new(&name, &program, build, prove, node.proof.len());
        build = Default::default();
        say(events, Event::Node(plan.id, Box::new(node), Box::new(report)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: &[usize] = &[15, 15];

    fn queue() -> Queue<'static> {
        Queue::new(vec![Task::Join(SLOTS), Task::Join(SLOTS)])
    }

    #[test]
    fn a_worker_that_does_not_finish_stops_the_queue() {
        let finished = queue();
        drop(Worker { queue: &finished, finished: true });
        assert!(!finished.is_stopped() && finished.next().is_some());
        let failed = queue();
        drop(Worker { queue: &failed, finished: false });
        assert!(failed.is_stopped() && failed.next().is_none());
        let panicked = queue();
        let worker = thread::scope(|scope| {
            let work = || {
                let _worker = Worker { queue: &panicked, finished: false };
                std::panic::resume_unwind(Box::new("a worker that panics"));
            };
            scope.spawn(work).join()
        });
        assert!(worker.is_err() && panicked.next().is_none());
    }
}
