//! Which cells an operation touches, found by running its program.

use alloc::vec::Vec;
use tsz_ext_sdk::Fault;
use tsz_ledger::{AlgorithmId, Key};
use tsz_stf::{Log, View};

use crate::{ExtReject, Extension, Programs, Touch};

/// Declares in `op` the cells that its program asks for, beside those that it has already: runs the program on the
/// state and adds each cell that it misses, as a read, and as a write once it sets it. A cell stays declared although
/// a later look at the values takes the program elsewhere.
///
/// # Errors
/// What the approvals, the shape or the program say.
pub fn discover<V: View, R: Programs>(
    view: &V,
    programs: &R,
    time: u64,
    op: &mut Extension,
) -> Result<(), ExtReject> {
    loop {
        // ends: every turn adds a cell or makes one writable, and the shape bounds both
        let keys = op.check_shape()?;
        let mut log = Log::new(view);
        for party in &op.parties {
            op.approval(party, time, &mut log)?;
        }
        let (hi, lo, write) = match op.propose(programs, &log, &keys) {
            Ok(_) => return Ok(()),
            Err(ExtReject::Program(Fault::Undeclared { hi, lo })) => (hi, lo, false),
            Err(ExtReject::Program(Fault::NotWritable { hi, lo })) => (hi, lo, true),
            Err(refused) => return Err(refused),
        };
        let key = u64::from(hi) << 14 | u64::from(lo);
        match op.cells.binary_search_by_key(&key, |touch| touch.key) {
            Ok(at) if write => op.cells[at].write = true,
            Err(at) if Key::new(key).is_some() => op.cells.insert(at, Touch { key, write }),
            // a key that is none, or one that is there and yet not found
            _ => return Err(ExtReject::Program(Fault::Undeclared { hi, lo })),
        }
    }
}

/// Programs that are one function, whatever the id.
pub(crate) struct Any(pub tsz_ext_sdk::Program);

impl Programs for Any {
    fn run(&self, _: &AlgorithmId, op: &mut tsz_ext_sdk::Op<'_>) -> Result<(), ExtReject> {
        Ok((self.0)(op)?)
    }
}

/// The arguments and keys of an operation as a reader wants them.
impl Extension {
    /// The keys of the declared cells; those that are no keys are left out.
    pub fn keys(&self) -> Vec<(Key, bool)> {
        self.cells.iter().filter_map(|touch| Some((Key::new(touch.key)?, touch.write))).collect()
    }
}
