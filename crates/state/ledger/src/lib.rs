//! State layout: keys, cells, access logs, tuples and claims (docs/src/state.md, docs/src/tuple.md).
#![no_std]
extern crate alloc;

pub mod access;
pub mod cells;
pub mod claim;
pub mod context;
pub mod key;
pub mod out;
pub mod tuple;

pub use access::{Access, Leaf};
pub use cells::{
    AcctCell, BalCell, BucketCell, Cell, CellError, CtlCell, HeadCell, KeyPolicy, L1InCell, MkfCell, MkoCell,
    MkpCell, MkrCell, MksCell, OrdCell, Permission, Permissions, PosCell, Scheme, SubCell, TokCell,
};
pub use claim::{BatchHeader, ExecClaim, GuardClaim, TransitionClaim};
pub use context::{AlgorithmId, BatchContext, Family, SystemId};
pub use key::{Key, Realm};
pub use out::OutRecord;
pub use tuple::{SET_SLOTS, SetLeaf, TransitionSet, TupleSponge};
