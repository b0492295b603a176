//! What all nodes of an aggregation share, and the folder of finished ones.

use std::fs;
use std::path::PathBuf;

use tsz_codec::Encode;
use tsz_hash::{Digest, hash_bytes};
use tsz_plonk::Builder;
use tsz_stark::Profile;
use tsz_tree::{Claim, Join, NodeKeys, NodeProgram, NodeProof, join_algorithm};
use tsz_vktree::{VkEntry, VkMembership, VkTree, transition_algorithm};

use super::nodes::{join_circuit, join_name, lift_name};
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

    /// Keeps a finished node.
    pub(super) fn store(&self, plan: &Plan<'_>, node: &NodeProof) -> Result<(), EngineError> {
        let Some(path) = self.path(plan) else { return Ok(()) };
        write_whole(&path, &node.to_bytes()).map_err(EngineError::io(&path))
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
