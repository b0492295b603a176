//! Column structs: a row of a table as a struct, read from and written to slices in the order of the fields.

/// A row of columns of type `T`. Implemented by [`columns!`](crate::columns).
pub trait Columns<T: Copy>: Sized {
    /// Number of columns.
    const WIDTH: usize;
    /// Reads the columns from the start of `row`, in order.
    ///
    /// # Panics
    /// If `row` is shorter than [`Self::WIDTH`].
    fn from_row(row: &[T]) -> Self;
    /// Writes the columns to the start of `row`, in order.
    ///
    /// # Panics
    /// If `row` is shorter than [`Self::WIDTH`].
    fn to_row(&self, row: &mut [T]);
    /// All columns equal to `value`; `fill(F::ZERO)` is the usual start of a trace row.
    fn fill(value: T) -> Self;
    /// Names of the columns in order, with indices.
    fn names() -> Vec<String>;
}

/// Declares a generic struct of columns `Name<T>` with `Copy`, `Debug` and [`Columns`].
///
/// A field is `name` (one column), `name: [N]` (an array), `name: [N; M]` (M arrays of N) or `name: Other` (a
/// nested column struct). All fields are public; each has its doc line: meaning, range, who enforces it.
#[macro_export]
macro_rules! columns {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident $(: $kind:tt)?),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name<T> {
            $($(#[$field_meta])* pub $field: $crate::column_type!(T $(, $kind)?),)*
        }

        impl<T: Clone> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),* }
            }
        }

        impl<T: Copy> Copy for $name<T> {}

        impl<T: core::fmt::Debug> core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))*.finish()
            }
        }

        impl<T> $name<T> {
            /// Number of columns.
            #[allow(dead_code)]
            pub const WIDTH: usize = 0 $(+ $crate::column_width!($($kind)?))*;
        }

        impl<T: Copy> $crate::Columns<T> for $name<T> {
            const WIDTH: usize = $name::<T>::WIDTH;

            fn from_row(row: &[T]) -> Self {
                let mut at = 0;
                let columns = Self { $($field: $crate::column_read!(T, row, at $(, $kind)?)),* };
                let _ = at;
                columns
            }

            fn to_row(&self, row: &mut [T]) {
                let mut at = 0;
                $($crate::column_write!(self.$field, row, at $(, $kind)?);)*
                let _ = at;
            }

            fn fill(value: T) -> Self {
                Self { $($field: $crate::column_fill!(T, value $(, $kind)?)),* }
            }

            fn names() -> Vec<String> {
                let mut names = Vec::new();
                $($crate::column_names!(names, stringify!($field) $(, $kind)?);)*
                names
            }
        }
    };
}

/// Type of a field of [`columns!`].
#[doc(hidden)]
#[macro_export]
macro_rules! column_type {
    ($t:ident) => { $t };
    ($t:ident, [$n:expr]) => { [$t; $n] };
    ($t:ident, [$n:expr; $m:expr]) => { [[$t; $n]; $m] };
    ($t:ident, $other:ident) => { $other<$t> };
}

/// Number of columns of a field of [`columns!`].
#[doc(hidden)]
#[macro_export]
macro_rules! column_width {
    () => {
        1
    };
    ([$n:expr]) => {
        $n
    };
    ([$n:expr; $m:expr]) => {
        $n * $m
    };
    ($other:ident) => {
        $other::<T>::WIDTH
    };
}

/// Reads a field of [`columns!`].
#[doc(hidden)]
#[macro_export]
macro_rules! column_read {
    ($t:ident, $row:ident, $at:ident) => {{
        let value = $row[$at];
        $at += 1;
        value
    }};
    ($t:ident, $row:ident, $at:ident, [$n:expr]) => {{
        let value: [$t; $n] = core::array::from_fn(|k| $row[$at + k]);
        $at += $n;
        value
    }};
    ($t:ident, $row:ident, $at:ident, [$n:expr; $m:expr]) => {{
        let value: [[$t; $n]; $m] =
            core::array::from_fn(|i| core::array::from_fn(|k| $row[$at + i * $n + k]));
        $at += $n * $m;
        value
    }};
    ($t:ident, $row:ident, $at:ident, $other:ident) => {{
        let value = <$other<$t> as $crate::Columns<$t>>::from_row(&$row[$at..]);
        $at += $other::<$t>::WIDTH;
        value
    }};
}

/// Writes a field of [`columns!`].
#[doc(hidden)]
#[macro_export]
macro_rules! column_write {
    ($value:expr, $row:ident, $at:ident) => {
        $row[$at] = $value;
        $at += 1;
    };
    ($value:expr, $row:ident, $at:ident, [$n:expr]) => {
        $row[$at..$at + $n].copy_from_slice(&$value);
        $at += $n;
    };
    ($value:expr, $row:ident, $at:ident, [$n:expr; $m:expr]) => {
        $row[$at..$at + $n * $m].copy_from_slice($value.as_flattened());
        $at += $n * $m;
    };
    ($value:expr, $row:ident, $at:ident, $other:ident) => {
        $crate::Columns::to_row(&$value, &mut $row[$at..]);
        $at += $other::<T>::WIDTH;
    };
}

/// Fills a field of [`columns!`].
#[doc(hidden)]
#[macro_export]
macro_rules! column_fill {
    ($t:ident, $value:ident) => {
        $value
    };
    ($t:ident, $value:ident, [$n:expr]) => {
        [$value; $n]
    };
    ($t:ident, $value:ident, [$n:expr; $m:expr]) => {
        [[$value; $n]; $m]
    };
    ($t:ident, $value:ident, $other:ident) => {
        <$other<$t> as $crate::Columns<$t>>::fill($value)
    };
}

/// Names of the columns of a field of [`columns!`].
#[doc(hidden)]
#[macro_export]
macro_rules! column_names {
    ($names:ident, $field:expr) => {
        $names.extend([$field.to_string()])
    };
    ($names:ident, $field:expr, [$n:expr]) => {
        $names.extend((0..$n).map(|k| format!("{}[{k}]", $field)))
    };
    ($names:ident, $field:expr, [$n:expr; $m:expr]) => {
        $names.extend((0..$n * $m).map(|k| format!("{}[{}][{}]", $field, k / $n, k % $n)))
    };
    ($names:ident, $field:expr, $other:ident) => {
        $names.extend(
            <$other<T> as $crate::Columns<T>>::names().into_iter().map(|name| format!("{}.{name}", $field)),
        )
    };
}
