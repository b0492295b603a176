//! Why a program, or what carries it, refuses an operation.

use core::fmt;

/// An operation that cannot be part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A word at or above the order of the field.
    Word,
    /// Counts that do not fit each other or the memory.
    Shape,
    /// Parties that are not three reads each, in strict order of account and sub-account.
    Parties,
    /// Keys of the read set that are not in strict order.
    Order,
    /// A cell that the operation does not declare.
    Undeclared {
        /// Upper part of its key.
        hi: u32,
        /// Lower part of its key.
        lo: u32,
    },
    /// A cell that the operation declares as a read.
    NotWritable {
        /// Upper part of its key.
        hi: u32,
        /// Lower part of its key.
        lo: u32,
    },
    /// A cell that is not of the expected kind.
    Cell,
    /// A number outside its width.
    Width,
    /// A party that the operation does not have.
    NoParty,
    /// An instruction of a party that it has not given, or no longer.
    NotApproved,
    /// Terms that are not those which the party approved.
    Terms,
    /// Arguments of the operation that are not what the program takes.
    Args,
    /// An event that is too long, or one too many.
    Event,
    /// A rule of the program; the number is the program's own.
    Rule(u32),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word => f.write_str("a word is not a canonical field element"),
            Self::Shape => f.write_str("the counts of the operation do not fit"),
            Self::Parties => f.write_str("the approvals of the parties are not in order"),
            Self::Order => f.write_str("the read set is not in strict order of keys"),
            Self::Undeclared { hi, lo } => write!(f, "cell ({hi:#x}, {lo:#x}) is not in the read set"),
            Self::NotWritable { hi, lo } => write!(f, "cell ({hi:#x}, {lo:#x}) is not in the write set"),
            Self::Cell => f.write_str("a cell is not of the expected kind"),
            Self::Width => f.write_str("a number is outside its width"),
            Self::NoParty => f.write_str("the operation has no such party"),
            Self::NotApproved => f.write_str("the party has not approved that instruction"),
            Self::Terms => f.write_str("the terms are not those that the party approved"),
            Self::Args => f.write_str("the arguments are not what the program takes"),
            Self::Event => f.write_str("an event is too long, or one too many"),
            Self::Rule(number) => write!(f, "rule {number} of the program is broken"),
        }
    }
}

impl core::error::Error for Fault {}
