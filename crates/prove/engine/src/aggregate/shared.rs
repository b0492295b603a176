//! What all nodes of an aggregation share, and the folder of finished ones.

use std::fs;
use std::path::PathBuf;

use tsz_codec::Encode;
use tsz_hash::{Digest, hash_bytes};
use tsz_plonk::Builder;
use tsz_stark::Profile;
use tsz_tree::{Claim, Join, NodeError, NodeKeys, NodeProgram, NodeProof, join_algorithm};
use tsz_vktree::{VkEntry, VkMembership, VkTree, transition_algorithm};

use super::nodes::{failed, join_circuit, join_name, lift_name};
use super::plan::pinned_log;
use super::{Built, Plan, keys};
use crate::error::EngineError;
use crate::files::write_whole;
use crate::hexdigest::Hex;
use crate::measure::Cost;
use crate::pins::Pins;
use crate::registry::Registry;

/// Keys, pins and folders.
pub(super) struct Shared<'a> {
    pub(super) registry: &'a Registry,
    pub(super) pins: &'a Pins,
    pub(super) tree: VkTree,
    pub(super) keys: NodeKeys,
    pub(super) profile: Profile,
    pub(super) logs: std::ops::RangeInclusive<usize>,
    pub(super) work: Option<PathBuf>,
    pub(super) folder: Option<keys::KeyFolder>,
}

/// Algorithm id under which the key of a node is listed.
pub(super) fn algorithm(node: &NodeProof) -> Digest {
    match &node.claim {
        _ if !node.is_lift() => join_algorithm(),
        Claim::Exec(range) => range.algorithm,
        _ => transition_algorithm(),
    }
}

impl Shared<'_> {
    /// Name of a lift's node: the vk root pins its program, the base proof is all it depends on.
    pub(super) fn id(&self, kind: &[u8], vk: &Digest, proof: &[u8]) -> Digest {
        let mut bytes = kind.to_vec();
        (self.pins.root(), *vk, hash_bytes(proof)).encode(&mut bytes);
        hash_bytes(&bytes)
    }

    pub(super) fn membership(
        &self,
        algorithm: Digest,
        vk: Digest,
        name: &str,
    ) -> Result<VkMembership, EngineError> {
        let entry = VkEntry { algorithm, vk };
        self.tree.prove(&entry).ok_or_else(|| EngineError::NotPinned(name.to_owned()))
    }

    pub(super) fn pinned_name(&self, vk: &Digest) -> Result<String, EngineError> {
        let pin = self.pins.vks().iter().find(|p| p.digest.0 == *vk);
        pin.map(|p| p.name.clone()).ok_or_else(|| EngineError::NotPinned(Hex(*vk).to_string()))
    }

    /// log2 of the rows of the lift of the proofs of a base key.
    pub(super) fn lift_log(&self, vk: &Digest) -> Result<usize, EngineError> {
        pinned_log(self.pins, &lift_name(self.pinned_name(vk)?))
    }

    pub(super) fn program(&self, name: &str, circuit: Builder) -> Result<NodeProgram, EngineError> {
        let pinned = self.pins.nodes().iter().find(|pin| pin.name == name).map(|pin| pin.digest.0);
        keys::program(self.folder.as_ref(), pinned, name, circuit, self.profile, self.logs.clone())
    }

    /// The join of children of these shapes; its key must be listed.
    pub(super) fn join(&self, slots: &[usize]) -> Result<Built<Join>, EngineError> {
        let name = join_name(slots);
        let circuit = join_circuit(&self.keys, slots)?;
        let program = self.program(&name, circuit.build())?;
        self.membership(join_algorithm(), *program.vk().digest(), &name)?;
        Ok(Built { circuit, program, cost: Cost::default() })
    }

    fn path(&self, plan: &Plan<'_>) -> Option<PathBuf> {
        self.work.as_ref().map(|dir| dir.join(format!("{}.node", Hex(plan.id))))
    }

    /// Where the proof of a run, or of a part of one, is kept.
    pub(super) fn run_path(&self, id: &Digest) -> Option<PathBuf> {
        self.work.as_ref().map(|dir| dir.join(format!("{}.run", Hex(*id))))
    }

    /// Keeps a finished node, which is verified first: that takes milliseconds, and the columns of a kept key were not
    /// hashed again.
    pub(super) fn store(&self, plan: &Plan<'_>, node: &NodeProof) -> Result<(), EngineError> {
        if let Err(error) = node.verify(&self.keys) {
            return Err(self.broken(node, &error));
        }
        let Some(path) = self.path(plan) else { return Ok(()) };
        write_whole(&path, &node.to_bytes()).map_err(EngineError::io(&path))
    }

    /// Why a node that was just made does not hold: its key came from a file that somebody else wrote, if there is one.
    fn broken(&self, node: &NodeProof, error: &NodeError) -> EngineError {
        let vk = self.keys.key(node.log.into(), &node.program).ok();
        let kept = vk.zip(self.folder.as_ref()).and_then(|(vk, folder)| folder.file(vk.digest()));
        match kept {
            Some(file) => failed(file.display())(&format!(
                "a proof made with this key does not hold ({error}): remove the file and start again"
            )),
            None => failed("proof of a node")(error),
        }
    }

    /// A node that an earlier run left, if it is the planned one and holds.
    pub(super) fn finished(&self, plan: &Plan<'_>) -> Result<Option<NodeProof>, EngineError> {
        let Some(path) = self.path(plan).filter(|path| path.exists()) else { return Ok(None) };
        let bytes = fs::read(&path).map_err(EngineError::io(&path))?;
        let Ok(node) = NodeProof::from_bytes(&bytes) else { return Ok(None) };
        let is_planned = node.claim == plan.claim && usize::from(node.log) == plan.log;
        let holds = is_planned && node.verify(&self.keys).is_ok_and(|vk| self.is_listed(&node, vk));
        Ok(holds.then_some(node))
    }

    fn is_listed(&self, node: &NodeProof, vk: Digest) -> bool {
        let root = if node.is_lift() { Digest::default() } else { self.pins.root() };
        node.root == root && self.tree.prove(&VkEntry { algorithm: algorithm(node), vk }).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest as _, Sha256};
    use tsz_hash::{F, PrimeCharacteristicRing};
    use tsz_ledger::Family;
    use tsz_plonk::Value;
    use tsz_stark::security::security;
    use tsz_tree::{ExecRange, NODE_PUBLICS};

    use super::*;
    use crate::aggregate::nodes::pin_of;
    use crate::aggregate::{Aggregator, Group, Kind};
    use crate::pins::Pin;

    const PROFILE: Profile = Profile::InsecureNode;

    /// A circuit that states what its witness says; other salts make other keys.
    fn circuit(salt: u32) -> Builder {
        let mut b = Builder::new();
        let publics: Vec<_> = (0..NODE_PUBLICS).map(|_| b.input()).collect();
        let [x, y] = [b.input(), b.input()];
        let scaled = b.scale(x, F::from_u32(salt));
        b.assert_eq(scaled, y);
        publics.into_iter().for_each(|x| b.expose(x));
        b
    }

    fn node(program: &NodeProgram, root: Digest, claim: Claim) -> NodeProof {
        let publics = [root, claim.digest()].concat();
        let inputs: Vec<Value> = publics.into_iter().map(Value::from).chain([Value::ZERO; 2]).collect();
        NodeProof::prove(program, &inputs, root, claim).unwrap()
    }

    fn range(count: u32) -> Claim {
        let zero = Digest::default();
        let algorithm = Family::Fund.algorithm();
        Claim::Exec(ExecRange { algorithm, context: zero, count, begins: 0, start: zero, end: zero })
    }

    fn plan(claim: Claim, log: usize) -> Plan<'static> {
        let kind = Kind::Join(Group { slots: vec![], children: vec![], places: vec![], steps: vec![] });
        Plan { id: hash_bytes(b"node"), claim, kind, batch: 0, log }
    }

    /// Programs of two shapes that are listed for the fund family, and one that is listed among the joins.
    struct Fixture {
        own: NodeProgram,
        tall: NodeProgram,
        join: NodeProgram,
        pins: Pins,
        registry: Registry,
    }

    impl Fixture {
        fn new() -> Self {
            let program = |salt, log| NodeProgram::new(circuit(salt), PROFILE, log..=log).unwrap();
            let (own, tall, join) = (program(2, 6), program(2, 7), program(3, 6));
            let pin = |name: &str, algorithm, program: &NodeProgram| -> Pin {
                pin_of(name, algorithm, None, program.vk(), &security(program.vk()))
            };
            let fund = Family::Fund.algorithm();
            let base = vec![pin("fund/small", fund, &own), pin("fund/tall", fund, &tall)];
            let nodes = vec![pin("join/6-6", join_algorithm(), &join)];
            let pins = Pins::with_nodes(base, nodes).unwrap();
            Self { own, tall, join, pins, registry: Registry::new() }
        }

        fn shared(&self, work: &Path) -> Shared<'_> {
            let (registry, pins) = (&self.registry, &self.pins);
            Aggregator::with_profile(registry, pins, Some(work), |_| {}, PROFILE, 6..=7).unwrap().shared
        }
    }

    #[test]
    fn a_kept_node_is_taken_if_it_is_the_planned_one_under_a_listed_key() {
        let (f, dir) = (Fixture::new(), tempfile::tempdir().unwrap());
        let shared = f.shared(dir.path());
        let (zero, root) = (Digest::default(), f.pins.root());
        let taken = |claim, log| shared.finished(&plan(claim, log)).unwrap();
        let put = |node: &NodeProof| shared.store(&plan(node.claim, node.log.into()), node).unwrap();
        assert_eq!(taken(range(1), 6), None, "no file");
        let own = node(&f.own, zero, range(1));
        put(&own);
        assert_eq!(taken(range(1), 6), Some(own.clone()));
        assert_eq!(taken(range(2), 6), None, "another claim");
        assert_eq!(taken(range(1), 7), None, "another shape");
        let tall = node(&f.tall, zero, range(1));
        put(&tall);
        assert_eq!(taken(range(1), 7), Some(tall));
        assert_eq!(taken(range(1), 6), None, "a listed key of another shape");
        put(&node(&NodeProgram::new(circuit(5), PROFILE, 6..=6).unwrap(), zero, range(1)));
        assert_eq!(taken(range(1), 6), None, "a key that is not listed");
        put(&node(&f.own, root, range(1)));
        assert_eq!(taken(range(1), 6), None, "a lift passed off as a join");
        put(&node(&f.join, zero, range(1)));
        assert_eq!(taken(range(1), 6), None, "a join passed off as a lift");
        put(&node(&f.join, root.map(|felt| felt + F::ONE), range(1)));
        assert_eq!(taken(range(1), 6), None, "another vk root");
        let join = node(&f.join, root, range(1));
        put(&join);
        assert_eq!(taken(range(1), 6), Some(join));
        // Bytes that no aggregation wrote.
        let path = shared.path(&plan(range(1), 6)).unwrap();
        let lie = NodeProof { claim: range(2), ..own.clone() };
        for bytes in [lie.to_bytes(), own.to_bytes()[..own.to_bytes().len() / 2].to_vec(), Vec::new()] {
            fs::write(&path, bytes).unwrap();
            assert_eq!((taken(range(1), 6), taken(range(2), 6)), (None, None));
        }
    }

    #[test]
    fn a_node_that_does_not_hold_is_not_kept() {
        let (f, dir) = (Fixture::new(), tempfile::tempdir().unwrap());
        let shared = f.shared(dir.path());
        let lie = NodeProof { claim: range(2), ..node(&f.own, Digest::default(), range(1)) };
        let refused = shared.store(&plan(range(2), 6), &lie).unwrap_err();
        assert!(matches!(refused, EngineError::Aggregate { name, .. } if name == "proof of a node"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    /// A file of a key with its root and checksum, and other columns in the first table.
    fn crafted(file: &[u8]) -> Vec<u8> {
        let mut bytes = file.to_vec();
        let (mut at, mut felts) = (33, 0);
        for shift in (0..).step_by(7) {
            felts |= usize::from(bytes[at] & 127) << shift;
            at += 1;
            if bytes[at - 1] < 128 {
                break;
            }
        }
        bytes[at..at + 4 * felts].as_chunks_mut::<4>().0.fill([1, 0, 0, 0]);
        let sum = Sha256::digest(&bytes[32..]);
        bytes[..32].copy_from_slice(&sum);
        bytes
    }

    #[test]
    fn a_kept_key_with_other_columns_proves_nothing_and_is_named() {
        let (f, dir) = (Fixture::new(), tempfile::tempdir().unwrap());
        let mut shared = f.shared(&dir.path().join("nodes"));
        shared.folder = Some(keys::KeyFolder::new(&dir.path().join("keys")).unwrap());
        let vk = *f.own.vk().digest();
        let made = |shared: &Shared<'_>| {
            let program =
                keys::program(shared.folder.as_ref(), Some(vk), "fund/small", circuit(2), PROFILE, 6..=6);
            let program = program.unwrap();
            assert_eq!(*program.vk().digest(), vk);
            shared.store(&plan(range(1), 6), &node(&program, Digest::default(), range(1)))
        };
        made(&shared).unwrap();
        let file = shared.folder.as_ref().unwrap().file(&vk).unwrap();
        let (honest, lie) = (fs::read(&file).unwrap(), crafted(&fs::read(&file).unwrap()));
        fs::write(&file, &lie).unwrap();
        let refused = made(&shared).unwrap_err();
        assert!(fs::read(&file).unwrap() == lie, "the digest is the pinned one");
        assert!(
            matches!(&refused, EngineError::Aggregate { name, .. } if *name == file.display().to_string())
        );
        assert!(refused.to_string().contains("remove the file"), "{refused}");
        fs::remove_file(&file).unwrap();
        made(&shared).unwrap();
        assert!(fs::read(&file).unwrap() == honest);
    }
}
