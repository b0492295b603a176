//! The enum of a circuit family: one type for all its tables.

/// Declares the enum of the AIRs of a circuit and forwards every AIR method to the variants.
///
/// Each variant holds an AIR type that implements `TableAir`, `BaseAir<F>`, `Air<AB>` for every
/// `AB: InteractionBuilder<F = F>`, and `Clone`. `From` is implemented for each.
///
/// ```ignore
/// air_enum! { /// Tables of the demo circuit.
///     pub enum DemoAir { User(UserAir), Poseidon2(Poseidon2Air), Range(RangeAir) } }
/// ```
#[macro_export]
macro_rules! air_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident($air:ty)),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone)]
        $vis enum $name {
            $($(#[$variant_meta])* #[allow(missing_docs)] $variant($air),)*
        }

        $(impl From<$air> for $name {
            fn from(air: $air) -> Self {
                Self::$variant(air)
            }
        })*

        impl $crate::TableAir for $name {
            fn name(&self) -> String {
                match self { $(Self::$variant(air) => $crate::TableAir::name(air),)* }
            }
            fn column_names(&self) -> Vec<String> {
                match self { $(Self::$variant(air) => $crate::TableAir::column_names(air),)* }
            }
        }

        impl $crate::BaseAir<$crate::F> for $name {
            fn width(&self) -> usize {
                match self { $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::width(air),)* }
            }
            fn preprocessed_trace(&self) -> Option<$crate::Trace> {
                match self { $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::preprocessed_trace(air),)* }
            }
            fn preprocessed_width(&self) -> usize {
                match self { $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::preprocessed_width(air),)* }
            }
            fn num_periodic_columns(&self) -> usize {
                match self {
                    $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::num_periodic_columns(air),)*
                }
            }
            fn periodic_columns(&self) -> std::borrow::Cow<'_, [Vec<$crate::F>]> {
                match self { $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::periodic_columns(air),)* }
            }
            fn main_next_row_columns(&self) -> Vec<usize> {
                match self {
                    $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::main_next_row_columns(air),)*
                }
            }
            fn preprocessed_next_row_columns(&self) -> Vec<usize> {
                match self {
                    $(Self::$variant(air) => {
                        $crate::BaseAir::<$crate::F>::preprocessed_next_row_columns(air)
                    })*
                }
            }
            fn max_constraint_degree(&self) -> Option<usize> {
                match self {
                    $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::max_constraint_degree(air),)*
                }
            }
            fn num_public_values(&self) -> usize {
                match self { $(Self::$variant(air) => $crate::BaseAir::<$crate::F>::num_public_values(air),)* }
            }
        }

        impl<AB: $crate::InteractionBuilder<F = $crate::F>> $crate::Air<AB> for $name {
            fn eval(&self, builder: &mut AB) {
                match self { $(Self::$variant(air) => $crate::Air::<AB>::eval(air, builder),)* }
            }
        }
    };
}
