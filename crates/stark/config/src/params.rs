//! Security profiles: the FRI parameters and where the transcript grinds.

/// Version of the proof protocol; part of every vk digest.
pub const PROTOCOL_VERSION: u32 = 2;
/// Every table has at least `2^MIN_LOG_HEIGHT` rows: FRI stops folding at `2^(MIN_LOG_HEIGHT - 1)` coefficients.
pub const MIN_LOG_HEIGHT: usize = 6;
/// Bytes of the longest proof that is even looked at.
pub const MAX_PROOF_BYTES: usize = 32 << 20;
/// Proven bits of base and node proofs: each key has the fewest queries that give them.
pub const MIN_PROVEN_BITS: f64 = 100.0;
/// Parameters of the low-degree test and the proof-of-work bits of every challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FriParams {
    /// log2 of the blow-up factor.
    pub log_blowup: usize,
    /// Number of FRI queries.
    pub num_queries: usize,
    /// log2 of the largest folding arity.
    pub max_log_arity: usize,
    /// log2 of the number of coefficients of the final polynomial.
    pub log_final_poly_len: usize,
    /// log2 of the number of digests in a Merkle commitment.
    pub cap_height: usize,
    /// Grinding before the query indices.
    pub query_pow_bits: usize,
    /// Grinding before each folding challenge.
    pub commit_pow_bits: usize,
    /// Grinding before the challenge that batches the openings.
    pub batch_pow_bits: usize,
    /// Grinding before the out-of-domain point.
    pub ood_pow_bits: usize,
    /// Grinding before the LogUp challenges.
    pub lookup_pow_bits: usize,
}

/// Which parameters a circuit is proven with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Base proofs at blow-up 2: cheap to make and dear to aggregate, for large circuits. Constraints have degree
    /// 3 at most. At least [`MIN_PROVEN_BITS`] proven bits, as for all base profiles.
    Base,
    /// Base proofs at blow-up 4: about half the queries of [`Profile::Base`].
    Base4,
    /// Base proofs at blow-up 8: about a third of the queries of [`Profile::Base`], for small circuits.
    Base8,
    /// [`Profile::Base8`] with four times the grinding before the queries and before the challenge that batches the
    /// openings, a CPU second more: wide tables then take some queries less, where that brings the lift to half the rows.
    Base8Ground,
    /// Base proofs at blow-up 16: about a quarter of the queries of [`Profile::Base`], for the smallest circuits.
    Base16,
    /// Node proofs of the aggregation tree: blow-up 4, at least [`MIN_PROVEN_BITS`] proven bits. Constraints may have
    /// degree 5.
    Node,
    /// A few queries and no grinding: for tests only, worthless against a forger. Compiled only under the
    /// feature `insecure-test`; its parameters are part of the vk digest, which seeds the transcript, so its
    /// proofs never verify under a base vk.
    #[cfg(any(test, feature = "insecure-test"))]
    InsecureTest,
    /// The blow-up of [`Profile::Node`] with the few queries of [`Profile::InsecureTest`].
    #[cfg(any(test, feature = "insecure-test"))]
    InsecureNode,
}

impl Profile {
    /// The parameters of the profile. A key may have fewer queries: [`crate::setup`] takes as many as prove
    /// [`MIN_PROVEN_BITS`], and refuses a circuit for which these are not enough. They are for any circuit of up to
    /// 12,000 main columns at 2^20 rows, by unique decoding alone.
    ///
    /// A cap of one digest is the smallest here: the queries share one pruned multiproof, whose upper levels
    /// are free once many queries meet. A final polynomial of 32 coefficients saves the last folding rounds.
    pub const fn params(self) -> FriParams {
        match self {
            Self::Base => Self::base(1, 198),
            Self::Base4 => Self::base(2, 122),
            Self::Base8 => Self::base(3, 100),
            Self::Base8Ground => FriParams { query_pow_bits: 22, batch_pow_bits: 22, ..Self::base(3, 100) },
            Self::Base16 => Self::base(4, 91),
            Self::Node => FriParams {
                log_blowup: 2,
                num_queries: 126,
                max_log_arity: 3,
                log_final_poly_len: MIN_LOG_HEIGHT - 1,
                cap_height: 0,
                query_pow_bits: 18,
                commit_pow_bits: 16,
                batch_pow_bits: 20,
                ood_pow_bits: 16,
                lookup_pow_bits: 16,
            },
            #[cfg(any(test, feature = "insecure-test"))]
            Self::InsecureTest => Self::insecure(1),
            #[cfg(any(test, feature = "insecure-test"))]
            Self::InsecureNode => Self::insecure(2),
        }
    }

    /// Grinding of 20 bits, half a CPU second in all, is cheaper than the queries it stands for.
    const fn base(log_blowup: usize, num_queries: usize) -> FriParams {
        FriParams {
            log_blowup,
            num_queries,
            max_log_arity: 3,
            log_final_poly_len: MIN_LOG_HEIGHT - 1,
            cap_height: 0,
            query_pow_bits: 20,
            commit_pow_bits: 16,
            batch_pow_bits: 20,
            ood_pow_bits: 16,
            lookup_pow_bits: 16,
        }
    }

    #[cfg(any(test, feature = "insecure-test"))]
    const fn insecure(log_blowup: usize) -> FriParams {
        FriParams {
            log_blowup,
            num_queries: 3,
            max_log_arity: 3,
            log_final_poly_len: MIN_LOG_HEIGHT - 1,
            cap_height: 0,
            query_pow_bits: 0,
            commit_pow_bits: 0,
            batch_pow_bits: 0,
            ood_pow_bits: 0,
            lookup_pow_bits: 0,
        }
    }

    /// True for a profile that proves nothing against a forger.
    pub const fn is_insecure(self) -> bool {
        !self.is_base() && !matches!(self, Self::Node)
    }

    /// True for a profile of base proofs.
    pub const fn is_base(self) -> bool {
        matches!(self, Self::Base | Self::Base4 | Self::Base8 | Self::Base8Ground | Self::Base16)
    }
}
