//! The content of a key slot that an op registers or clears.

use tsz_air::InteractionBuilder;
use tsz_air::PrimeCharacteristicRing;
use tsz_hash::{Digest, F};

use crate::columns;
use crate::limb::U24;
use crate::row::{Row, c, pad8};
use crate::signer::bits;

columns! {
    /// Key id and policy; all zero for a revocation.
    pub struct Policy {
        /// 1 = the op clears the slot; boolean.
        is_revoke: felt,
        /// Key id: eight felts.
        key_id: [8],
        /// Scheme 1..4, one-hot; boolean, sum 1 for a registration and 0 for a revocation.
        scheme: [4],
        /// Permissions, lowest bit first; boolean.
        permissions: [6],
        /// Expiry (48 bits); range12.
        expiry: (U24 * 2),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Policy<E> {
    /// The scheme number, 0 for a revocation.
    pub fn scheme(&self) -> E {
        (1..).zip(&self.scheme).map(|(n, bit)| bit.clone() * c::<E>(n)).sum()
    }

    /// The permissions as one felt.
    pub fn permissions(&self) -> E {
        bits(&self.permissions)
    }

    /// The KEYB cell.
    pub fn key_b(&self) -> [E; 8] {
        pad8(&[self.scheme(), self.permissions(), self.expiry[0].value(), self.expiry[1].value()])
    }
}

impl Policy<F> {
    /// Columns of a registration.
    pub fn register(key_id: &Digest, scheme: u32, permissions: u32, expiry: u64) -> Self {
        Self {
            is_revoke: F::ZERO,
            key_id: *key_id,
            scheme: core::array::from_fn(|k| F::from_bool(scheme as usize == k + 1)),
            permissions: core::array::from_fn(|k| F::from_u32(permissions >> k & 1)),
            expiry: [0, 24].map(|s| U24::of((expiry >> s) as u32 & 0xff_ffff)),
        }
    }

    /// Columns of a revocation.
    pub fn revoke() -> Self {
        Self { is_revoke: F::ONE, ..Self::default() }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// Widths of the policy; zero if the op revokes.
    pub fn policy(&mut self, p: &Policy<AB::Expr>) {
        let revoke = p.is_revoke.clone();
        let real = self.real.clone();
        self.boolean(&revoke);
        self.zero(revoke.clone() * (AB::Expr::ONE - real.clone()));
        let mut schemes = AB::Expr::ZERO;
        for bit in &p.scheme {
            self.boolean(bit);
            schemes += bit.clone();
        }
        self.zero(schemes - real + revoke.clone());
        // Sums of bits and of 12-bit limbs are zero only if every term is.
        let mut sum = AB::Expr::ZERO;
        for bit in &p.permissions {
            self.boolean(bit);
            sum += bit.clone();
        }
        for limb in &p.expiry {
            self.u24(limb);
            sum += limb.lo.clone() + limb.hi.clone();
        }
        self.zero(revoke.clone() * sum);
        for felt in &p.key_id {
            self.zero(revoke.clone() * felt.clone());
        }
    }
}
