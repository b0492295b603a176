//! Column structs: named columns that read from a row and write to one, without casts.

/// A group of columns; `T` is a felt in a trace and an expression in an AIR.
pub trait Columns<T>: Sized {
    /// Number of columns.
    const WIDTH: usize;
    /// Takes the columns in order from `next`.
    fn read(next: &mut impl FnMut() -> T) -> Self;
    /// Gives the columns in order to `put`.
    fn write(&self, put: &mut impl FnMut(&T));
    /// Appends the dotted names of the columns, in order.
    fn names(prefix: &str, out: &mut Vec<String>);
}

/// Declares a [`Columns`] struct. Kinds: `felt`, `[n]` felts, `(Group)`, `(Group * n)`.
#[macro_export]
macro_rules! columns {
    ($(#[$m:meta])* pub struct $name:ident { $($(#[$fm:meta])* $f:ident : $kind:tt,)* }) => {
        $(#[$m])*
        pub struct $name<T> {
            $($(#[$fm])* pub $f: $crate::columns!(@type T $kind),)*
        }
        impl<T: Default> Default for $name<T> {
            fn default() -> Self {
                $crate::layout::Columns::read(&mut T::default)
            }
        }
        impl<T: Clone + Default> Clone for $name<T> {
            fn clone(&self) -> Self {
                let mut cells = Vec::new();
                $crate::layout::Columns::write(self, &mut |x: &T| cells.push(x.clone()));
                let mut cells = cells.into_iter();
                $crate::layout::Columns::read(&mut || cells.next().unwrap_or_default())
            }
        }
        impl<T> $crate::layout::Columns<T> for $name<T> {
            const WIDTH: usize = 0 $(+ $crate::columns!(@width T $kind))*;
            fn read(next: &mut impl FnMut() -> T) -> Self {
                Self { $($f: $crate::columns!(@read T next $kind),)* }
            }
            fn write(&self, put: &mut impl FnMut(&T)) {
                $($crate::columns!(@write T put (self.$f) $kind);)*
            }
            fn names(prefix: &str, out: &mut Vec<String>) {
                $($crate::columns!(@names T out (format!("{prefix}{}", stringify!($f))) $kind);)*
            }
        }
    };
    (@type $t:ident felt) => { $t };
    (@type $t:ident [$n:expr]) => { [$t; $n] };
    (@type $t:ident ($g:ident)) => { $g<$t> };
    (@type $t:ident ($g:ident * $n:expr)) => { [$g<$t>; $n] };
    (@width $t:ident felt) => { 1 };
    (@width $t:ident [$n:expr]) => { $n };
    (@width $t:ident ($g:ident)) => { <$g<$t> as $crate::layout::Columns<$t>>::WIDTH };
    (@width $t:ident ($g:ident * $n:expr)) => { $n * <$g<$t> as $crate::layout::Columns<$t>>::WIDTH };
    (@read $t:ident $next:ident felt) => { $next() };
    (@read $t:ident $next:ident [$n:expr]) => { core::array::from_fn(|_| $next()) };
    (@read $t:ident $next:ident ($g:ident)) => { <$g<$t> as $crate::layout::Columns<$t>>::read(&mut *$next) };
    (@read $t:ident $next:ident ($g:ident * $n:expr)) => {
        core::array::from_fn(|_| <$g<$t> as $crate::layout::Columns<$t>>::read(&mut *$next))
    };
    (@write $t:ident $put:ident ($e:expr) felt) => { $put(&$e) };
    (@write $t:ident $put:ident ($e:expr) [$n:expr]) => { for x in &$e { $put(x) } };
    (@write $t:ident $put:ident ($e:expr) ($g:ident)) => {
        <$g<$t> as $crate::layout::Columns<$t>>::write(&$e, &mut *$put)
    };
    (@write $t:ident $put:ident ($e:expr) ($g:ident * $n:expr)) => {
        for x in &$e { <$g<$t> as $crate::layout::Columns<$t>>::write(x, &mut *$put) }
    };
    (@names $t:ident $out:ident ($p:expr) felt) => { $out.push($p) };
    (@names $t:ident $out:ident ($p:expr) [$n:expr]) => {
        for k in 0..$n { $out.push(format!("{}[{k}]", $p)) }
    };
    (@names $t:ident $out:ident ($p:expr) ($g:ident)) => {
        <$g<$t> as $crate::layout::Columns<$t>>::names(&format!("{}.", $p), $out)
    };
    (@names $t:ident $out:ident ($p:expr) ($g:ident * $n:expr)) => {
        for k in 0..$n { <$g<$t> as $crate::layout::Columns<$t>>::names(&format!("{}[{k}].", $p), $out) }
    };
}

/// The columns of a row slice; missing cells read as the default.
pub fn from_slice<T, S: Copy + Into<T>, C: Columns<T>>(row: &[S]) -> C
where
    T: Default,
{
    let mut cells = row.iter();
    C::read(&mut || cells.next().map_or_else(T::default, |x| (*x).into()))
}

/// Dotted names of all columns of a group.
pub fn names<C: Columns<()>>() -> Vec<String> {
    let mut out = Vec::with_capacity(C::WIDTH);
    C::names("", &mut out);
    out
}
