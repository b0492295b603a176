//! Security profiles: the FRI parameters and where the transcript grinds.

/// Version of the proof protocol; part of every vk digest.
pub const PROTOCOL_VERSION: u32 = 1;
/// Every table has at least `2^MIN_LOG_HEIGHT` rows: FRI stops folding at `2^(MIN_LOG_HEIGHT - 1)` coefficients.
pub const MIN_LOG_HEIGHT: usize = 6;
/// Bytes of the longest proof that is even looked at.
pub const MAX_PROOF_BYTES: usize = 32 << 20;

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
    /// Base proofs: blow-up 2, at least 100 proven bits.
    Base,
    /// Node proofs of the aggregation tree: blow-up 8, few queries, so that a join has little to verify; at least
    /// 100 proven bits. Constraints may have degree 9.
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
    /// The parameters of the profile.
    ///
    /// A cap of one digest is the smallest here: the queries share one pruned multiproof, whose upper levels
    /// are free once 203 queries meet. A final polynomial of 32 coefficients saves the last folding rounds.
    pub const fn params(self) -> FriParams {
        match self {
            Self::Base => FriParams {
                log_blowup: 1,
                num_queries: 203,
                max_log_arity: 3,
                log_final_poly_len: MIN_LOG_HEIGHT - 1,
                cap_height: 0,
                query_pow_bits: 16,
                commit_pow_bits: 12,
                batch_pow_bits: 16,
                ood_pow_bits: 16,
                lookup_pow_bits: 16,
            },
            Self::Node => FriParams {
                log_blowup: 3,
                num_queries: 66,
                max_log_arity: 3,
                log_final_poly_len: MIN_LOG_HEIGHT - 1,
                cap_height: 0,
                query_pow_bits: 16,
                commit_pow_bits: 16,
                batch_pow_bits: 20,
                ood_pow_bits: 16,
                lookup_pow_bits: 16,
            },
            #[cfg(any(test, feature = "insecure-test"))]
            Self::InsecureTest => Self::insecure(1),
            #[cfg(any(test, feature = "insecure-test"))]
            Self::InsecureNode => Self::insecure(3),
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
        !matches!(self, Self::Base | Self::Node)
    }
}
