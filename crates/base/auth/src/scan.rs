//! The fields of a token's header and payload by a finite automaton over bytes: what the circuit of social logins runs,
//! one byte a row, and what native code runs, so that they accept the same texts.
//!
//! # Grammar
//! A part is one JSON object with at least one member and nothing but whitespace around it. Keys have no escapes. The
//! fields of [`Field`] stand at depth 1, each exactly once: texts of one or more printable ASCII characters without
//! quote and backslash, numbers of digits that do not begin with 0. `crit` and `b64` are refused in the header (RFC 7515,
//! 4.1.11; RFC 7797). Other members are read over: strings, words (numbers, literals), and in the payload arrays and
//! objects of depth 2 at most, in which brackets match outside of strings.
//!
//! Every text that is accepted is read likewise by [`crate::json`], but for repeated members that nobody reads, which that
//! module refuses.
//!
//! # The automaton
//! A [`State`] and a byte give the next state, and the field whose value the byte is part of. States have numbers from 1
//! up, in the order of [`states`]; [`transitions`] lists what is not refused: fewer than 2^14 entries, the table of the
//! circuit.

use alloc::vec::Vec;
use thiserror::Error;

/// A field that a login reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Field {
    /// Header: algorithm.
    Alg = 1,
    /// Header: which key of the issuer.
    Kid = 2,
    /// Issuer.
    Iss = 3,
    /// Audience.
    Aud = 4,
    /// Subject.
    Sub = 5,
    /// Nonce: the challenge of the message.
    Nonce = 6,
    /// Issued at, seconds.
    Iat = 7,
    /// Expires at, seconds.
    Exp = 8,
}

/// All fields, in the order of their numbers.
pub const FIELDS: [Field; 8] =
    [Field::Alg, Field::Kid, Field::Iss, Field::Aud, Field::Sub, Field::Nonce, Field::Iat, Field::Exp];

impl Field {
    /// Its number on buses.
    pub const fn code(self) -> u8 {
        self as u8
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Iat | Self::Exp)
    }
}

/// One of the two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// JOSE header.
    Header,
    /// Claims.
    Payload,
}

/// A name that is looked for, and its field; none if it is refused.
type Name = (&'static [u8], Option<Field>);

const HEADER: &[Name] =
    &[(b"alg", Some(Field::Alg)), (b"kid", Some(Field::Kid)), (b"crit", None), (b"b64", None)];
const PAYLOAD: &[Name] = &[
    (b"iss", Some(Field::Iss)),
    (b"aud", Some(Field::Aud)),
    (b"sub", Some(Field::Sub)),
    (b"nonce", Some(Field::Nonce)),
    (b"iat", Some(Field::Iat)),
    (b"exp", Some(Field::Exp)),
];

impl Part {
    fn names(self) -> &'static [Name] {
        match self {
            Self::Header => HEADER,
            Self::Payload => PAYLOAD,
        }
    }

    /// State before the first byte.
    pub const fn start(self) -> State {
        State { part: self, at: At::Open }
    }

    /// The one state in which the part may end.
    pub const fn end(self) -> State {
        State { part: self, at: At::End }
    }
}

/// Brackets that are open in a value that is read over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stack {
    One(Bracket),
    /// Outer, inner.
    Two(Bracket, Bracket),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Bracket {
    Array,
    Object,
}

impl Bracket {
    fn opened_by(byte: u8) -> Option<Self> {
        match byte {
            b'[' => Some(Self::Array),
            b'{' => Some(Self::Object),
            _ => None,
        }
    }

    fn close(self) -> u8 {
        match self {
            Self::Array => b']',
            Self::Object => b'}',
        }
    }
}

impl Stack {
    fn push(self, bracket: Bracket) -> Option<Self> {
        match self {
            Self::One(outer) => Some(Self::Two(outer, bracket)),
            Self::Two(..) => None,
        }
    }

    fn inner(self) -> Bracket {
        match self {
            Self::One(b) | Self::Two(_, b) => b,
        }
    }

    fn pop(self) -> Option<Self> {
        match self {
            Self::One(_) => None,
            Self::Two(outer, _) => Some(Self::One(outer)),
        }
    }
}

/// Where the automaton is in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    /// Before the opening brace.
    Open,
    /// Before a key.
    Key,
    /// In a key, of which name number `.0` has matched `.1` characters; the first such name.
    Name(u8, u8),
    /// In a key that is none of the names.
    Other,
    /// After a key.
    Colon(Option<Field>),
    /// Before a value.
    Value(Option<Field>),
    /// At the start of a text that is read: it has a character.
    First(Field),
    /// In a text that is read.
    Text(Field),
    /// In a number that is read.
    Number(Field),
    /// In a string that is read over.
    Skip,
    /// After a backslash in it.
    Escape,
    /// In a word that is read over.
    Word,
    /// Between the tokens of a nested value.
    Nest(Stack),
    /// In a word of it.
    NestWord(Stack),
    /// In a string of it.
    NestSkip(Stack),
    /// After a backslash in that.
    NestEscape(Stack),
    /// After a value.
    After,
    /// After the closing brace.
    End,
}

/// A state of the automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    part: Part,
    at: At,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn begins_word(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'a'..=b'z')
}

fn is_word(byte: u8) -> bool {
    begins_word(byte) || matches!(byte, b'+' | b'.' | b'E')
}

/// Printable ASCII without quote and backslash.
fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'
}

impl State {
    /// The state after a byte, and the field whose value the byte is part of; `None` where the text is refused.
    pub fn step(self, byte: u8) -> Option<(Self, Option<Field>)> {
        let mut field = None;
        let at = match self.at {
            At::Open | At::Key | At::Value(_) | At::Colon(_) | At::After | At::End if is_space(byte) => {
                self.at
            }
            At::Open => (byte == b'{').then_some(At::Key)?,
            At::Key => (byte == b'"').then(|| self.name(&[]))?,
            At::Name(..) | At::Other => self.in_key(byte)?,
            At::Colon(field) => (byte == b':').then_some(At::Value(field))?,
            At::Value(Some(read)) if read.is_number() => {
                field = Some(read);
                matches!(byte, b'1'..=b'9').then_some(At::Number(read))?
            }
            At::Value(Some(read)) => (byte == b'"').then_some(At::First(read))?,
            At::Value(None) => self.value(byte)?,
            At::Text(_) if byte == b'"' => At::After,
            At::First(read) | At::Text(read) => {
                field = Some(read);
                is_plain(byte).then_some(At::Text(read))?
            }
            At::Number(read) if byte.is_ascii_digit() => {
                field = Some(read);
                self.at
            }
            At::Word if is_word(byte) => self.at,
            At::Number(_) | At::Word | At::After => after(byte)?,
            At::Skip => in_string(byte, At::Skip, At::Escape, At::After)?,
            At::Escape => At::Skip,
            At::NestWord(_) if is_word(byte) => self.at,
            At::Nest(stack) | At::NestWord(stack) => nested(stack, byte)?,
            At::NestSkip(stack) => in_string(byte, self.at, At::NestEscape(stack), At::Nest(stack))?,
            At::NestEscape(stack) => At::NestSkip(stack),
            At::End => return None,
        };
        Some((Self { part: self.part, at }, field))
    }

    /// The state in a key that begins with `prefix`.
    fn name(self, prefix: &[u8]) -> At {
        let matches = |(name, _): &Name| name.starts_with(prefix);
        match self.part.names().iter().position(matches) {
            // There are few names, and they are short.
            Some(k) => At::Name(k as u8, prefix.len() as u8),
            None => At::Other,
        }
    }

    fn in_key(self, byte: u8) -> Option<At> {
        if byte < 0x20 || byte == b'\\' {
            return None;
        }
        let At::Name(k, matched) = self.at else {
            return Some(if byte == b'"' { At::Colon(None) } else { At::Other });
        };
        let (name, field) = self.part.names().get(usize::from(k))?;
        let mut prefix = Vec::from(name.get(..usize::from(matched))?);
        if byte == b'"' {
            let whole = prefix == *name;
            return if whole && field.is_none() { None } else { Some(At::Colon(field.filter(|_| whole))) };
        }
        prefix.push(byte);
        Some(self.name(&prefix))
    }

    /// The first byte of a value that is read over.
    fn value(self, byte: u8) -> Option<At> {
        match byte {
            b'"' => Some(At::Skip),
            _ if begins_word(byte) => Some(At::Word),
            _ if self.part == Part::Payload => Bracket::opened_by(byte).map(|b| At::Nest(Stack::One(b))),
            _ => None,
        }
    }
}

fn after(byte: u8) -> Option<At> {
    match byte {
        b',' => Some(At::Key),
        b'}' => Some(At::End),
        _ => is_space(byte).then_some(At::After),
    }
}

fn in_string(byte: u8, inside: At, escape: At, outside: At) -> Option<At> {
    match byte {
        b'"' => Some(outside),
        b'\\' => Some(escape),
        _ => (byte >= 0x20).then_some(inside),
    }
}

fn nested(stack: Stack, byte: u8) -> Option<At> {
    if byte == b'"' {
        return Some(At::NestSkip(stack));
    }
    if let Some(bracket) = Bracket::opened_by(byte) {
        return stack.push(bracket).map(At::Nest);
    }
    if byte == stack.inner().close() {
        return Some(stack.pop().map_or(At::After, At::Nest));
    }
    if begins_word(byte) {
        return Some(At::NestWord(stack));
    }
    (is_space(byte) || matches!(byte, b',' | b':')).then_some(At::Nest(stack))
}

/// All states that the starts reach, in the order of their numbers.
pub fn states() -> Vec<State> {
    let mut all =
        Vec::from([Part::Header.start(), Part::Payload.start(), Part::Header.end(), Part::Payload.end()]);
    let mut next = 0;
    while let Some(state) = all.get(next).copied() {
        for byte in 0..=255 {
            if let Some((to, _)) = state.step(byte)
                && !all.contains(&to)
            {
                all.push(to);
            }
        }
        next += 1;
    }
    all
}

/// Number of [`Part::start`].
pub const fn start_code(part: Part) -> u8 {
    part as u8 + 1
}

/// Number of [`Part::end`].
pub const fn end_code(part: Part) -> u8 {
    part as u8 + 3
}

/// What the automaton does at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Number of the state.
    pub state: u8,
    /// The byte.
    pub byte: u8,
    /// Number of the next state.
    pub next: u8,
    /// The field whose value the byte is part of.
    pub field: Option<Field>,
}

/// Everything that is not refused, by state and byte.
pub fn transitions() -> Vec<Transition> {
    let states = states();
    // There are fewer than 256 states.
    let code = |s: &State| states.iter().position(|x| x == s).map_or(0, |k| k as u8 + 1);
    let of = |(k, state): (usize, &State)| -> Vec<Transition> {
        let step = |byte| {
            let (next, field) = state.step(byte)?;
            Some(Transition { state: k as u8 + 1, byte, next: code(&next), field })
        };
        (0..=255).filter_map(step).collect()
    };
    states.iter().enumerate().flat_map(of).collect()
}

/// Why a token's parts are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScanError {
    /// A byte that the grammar does not have there.
    #[error("unexpected byte at {at} of the {part:?}")]
    Byte {
        /// The part.
        part: Part,
        /// Position.
        at: usize,
    },
    /// A part that does not end.
    #[error("the {0:?} ends inside its object")]
    End(Part),
    /// A field that is not there.
    #[error("{0:?} is missing")]
    Missing(Field),
    /// A field that stands twice.
    #[error("{0:?} stands twice")]
    Duplicate(Field),
}

/// The values of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    values: [Vec<u8>; 8],
}

impl Claims {
    /// The bytes of a field: a text without its quotes, a number's digits.
    pub fn get(&self, field: Field) -> &[u8] {
        self.values.get(usize::from(field.code()) - 1).map_or(&[], Vec::as_slice)
    }
}

/// Reads the fields of a token.
///
/// # Errors
/// [`ScanError`] for texts outside of the grammar and for fields that do not stand exactly once.
pub fn scan(header: &[u8], payload: &[u8]) -> Result<Claims, ScanError> {
    let mut values: [Vec<u8>; 8] = Default::default();
    for (part, text) in [(Part::Header, header), (Part::Payload, payload)] {
        let (mut state, mut inside) = (part.start(), None);
        for (at, byte) in text.iter().enumerate() {
            let (next, field) = state.step(*byte).ok_or(ScanError::Byte { part, at })?;
            if let Some(field) = field
                && let Some(value) = values.get_mut(usize::from(field.code()) - 1)
            {
                if inside.is_none() && !value.is_empty() {
                    return Err(ScanError::Duplicate(field));
                }
                value.push(*byte);
            }
            (state, inside) = (next, field);
        }
        if state != part.end() {
            return Err(ScanError::End(part));
        }
    }
    match FIELDS.into_iter().zip(&values).find(|(_, value)| value.is_empty()) {
        Some((field, _)) => Err(ScanError::Missing(field)),
        None => Ok(Claims { values }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_circuit_holds_the_automaton() {
        let (states, transitions) = (states(), transitions());
        assert!(states.len() < 256, "{}", states.len());
        assert!(transitions.len() < 1 << 14, "{}", transitions.len());
        for part in [Part::Header, Part::Payload] {
            assert_eq!(states[usize::from(start_code(part)) - 1], part.start());
            assert_eq!(states[usize::from(end_code(part)) - 1], part.end());
        }
        // Deterministic: one entry a state and byte.
        assert!(transitions.is_sorted_by_key(|t| (t.state, t.byte)));
        assert!(transitions.windows(2).all(|w| (w[0].state, w[0].byte) != (w[1].state, w[1].byte)));
    }
}
