//! Why an extension operation is refused.

use thiserror::Error;
use tsz_ext_sdk::Fault;
use tsz_ledger::{CellError, Key};
use tsz_stf::Reject;
use tsz_types::{AccountId, NumberError, SubId, TokenId};

use crate::{Limited, MarginReject};

/// Why an operation cannot be part of the batch here. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum ExtReject {
    /// A rule that it shares with other operations.
    #[error(transparent)]
    Base(#[from] Reject),
    /// The zero digest names no program.
    #[error("the zero digest is no program")]
    NoProgram,
    /// A program that nobody can run here.
    #[error("the program is not known here")]
    UnknownProgram,
    /// Limits that are too many or not in strict order.
    #[error("limits: at most 4, in strict order of tokens, positions last")]
    Limits,
    /// The epochs of a slot are used up.
    #[error("the approvals of this slot are used up")]
    EpochExhausted,
    /// No party, too many, or not in strict order.
    #[error("parties: 1 to 16, in strict order of account and sub-account")]
    Parties,
    /// A cell list that is too long or not in strict order.
    #[error("cells: at most {max} beside the approvals, in strict order of keys")]
    Cells { max: usize },
    /// Arguments that the zkVM cannot take.
    #[error("arguments: at most {max} words, each a canonical field element")]
    Args { max: usize },
    /// A slot with another program, or with none.
    #[error("sub-account {sub} of account {account} has not approved the program in this slot")]
    NotApproved { account: AccountId, sub: SubId },
    /// An approval that is over.
    #[error(
        "the approval of sub-account {sub} of account {account} ended at {expiry}, the batch time is {time}"
    )]
    Expired { account: AccountId, sub: SubId, expiry: u64, time: u64 },
    /// The program refuses.
    #[error("the program refuses: {0}")]
    Program(Fault),
    /// A write where no program may write.
    #[error("no program may write leaf {:#x} here", key.raw())]
    Forbidden { key: Key },
    /// A balance that only grows without an approval of its owner.
    #[error("the fee account only takes: token {token}")]
    FeesPay { token: TokenId },
    /// Outflow of a token that the party set no limit for.
    #[error("sub-account {sub} of account {account} allows no outflow of token {token}")]
    NoLimit { account: AccountId, sub: SubId, token: TokenId },
    /// A leg of a party that set no limit for positions.
    #[error("sub-account {sub} of account {account} lets no program move its positions")]
    NoPositions { account: AccountId, sub: SubId },
    /// Outflow above the limit.
    #[error("sub-account {sub} of account {account}: {used} millionths of {of} out, the limit is {limit}")]
    OverLimit { account: AccountId, sub: SubId, of: Limited, used: i128, limit: u128 },
    /// Money made or lost.
    #[error("token {token} is not conserved: the changes sum to {sum} millionths of a unit")]
    NotConserved { token: TokenId, sum: i128 },
    /// A storage cell without the epoch of its approval.
    #[error("leaf {:#x} is stored under epoch {got}, the approval has {expected}", key.raw())]
    Epoch { key: Key, expected: u32, got: u32 },
    /// A leg that is none.
    #[error("leaf {:#x} would hold no leg", key.raw())]
    Leg { key: Key },
    /// Legs of more than one market.
    #[error("the legs are of markets {first} and {other}")]
    LegMarkets { first: u32, other: u32 },
    /// Legs that do not sum to nothing.
    #[error("the legs sum to {lots} lots and {cash} millionths of a unit")]
    NotMatched { lots: i64, cash: i128 },
    /// What the rules of positions say.
    #[error(transparent)]
    Margin(#[from] MarginReject),
    /// A log that is too long.
    #[error("an operation of {got} accesses, at most {max}")]
    TooManyAccesses { max: usize, got: usize },
}

impl ExtReject {
    pub(crate) fn corrupt(key: Key, error: CellError) -> Self {
        Self::Base(Reject::Corrupt { key: key.raw(), error })
    }
}

impl From<NumberError> for ExtReject {
    fn from(error: NumberError) -> Self {
        Self::Base(Reject::Width { error })
    }
}

impl From<Fault> for ExtReject {
    fn from(fault: Fault) -> Self {
        Self::Program(fault)
    }
}
