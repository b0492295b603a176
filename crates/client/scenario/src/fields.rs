//! JSON values that know where they are in the file.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tsz_types::NumberError;

use crate::ScenarioError;

/// A value and its path.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub path: String,
    pub value: Value,
}

impl Node {
    /// The whole file.
    pub fn root(text: &str) -> Result<Self, ScenarioError> {
        let value = serde_json::from_str(text).map_err(|e| ScenarioError::Syntax {
            line: e.line(),
            column: e.column(),
            message: e.to_string(),
        })?;
        Ok(Self { path: String::new(), value })
    }

    /// The fields of an object.
    pub fn object(self) -> Result<Fields, ScenarioError> {
        match self.value {
            Value::Object(map) => Ok(Fields { path: self.path, map }),
            other => {
                Err(ScenarioError::field(self.path, format!("expected an object, got {}", kind(&other))))
            }
        }
    }

    /// The items of a list.
    pub fn list(self) -> Result<Vec<Self>, ScenarioError> {
        let Value::Array(items) = self.value else {
            return Err(ScenarioError::field(
                self.path,
                format!("expected a list, got {}", kind(&self.value)),
            ));
        };
        let at = |(k, value)| Self { path: format!("{}[{k}]", self.path), value };
        Ok(items.into_iter().enumerate().map(at).collect())
    }

    /// The value of a type.
    pub fn get<T: DeserializeOwned>(self) -> Result<T, ScenarioError> {
        serde_json::from_value(self.value).map_err(|e| ScenarioError::field(self.path, e))
    }

    /// A number: a JSON integer, or its decimal digits in a string.
    pub fn number<T: TryFrom<i128, Error = NumberError>>(self) -> Result<T, ScenarioError> {
        let value = match &self.value {
            Value::Number(n) => n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)),
            Value::String(text) => text.parse().ok().filter(|v: &i128| v.to_string() == *text),
            _ => None,
        };
        let Some(value) = value else {
            return Err(ScenarioError::field(self.path, format!("expected an integer, got {}", self.value)));
        };
        T::try_from(value).map_err(|e| ScenarioError::field(self.path, e))
    }
}

/// What a value is, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// An object whose fields are taken one by one, so that unknown ones remain.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub path: String,
    pub map: Map<String, Value>,
}

impl Fields {
    /// Path of a field.
    pub fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A field that may be absent.
    pub fn maybe_node(&mut self, name: &str) -> Option<Node> {
        let path = self.at(name);
        self.map.remove(name).map(|value| Node { path, value })
    }

    /// A field that must be there.
    pub fn node(&mut self, name: &str) -> Result<Node, ScenarioError> {
        let missing = ScenarioError::field(self.at(name), "missing");
        self.maybe_node(name).ok_or(missing)
    }

    /// A typed field that must be there.
    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ScenarioError> {
        self.node(name)?.get()
    }

    /// A typed field that may be absent.
    pub fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ScenarioError> {
        self.maybe_node(name).map(Node::get).transpose()
    }

    /// A number that must be there.
    pub fn number<T: TryFrom<i128, Error = NumberError>>(&mut self, name: &str) -> Result<T, ScenarioError> {
        self.node(name)?.number()
    }

    /// A number that may be absent.
    pub fn maybe_number<T>(&mut self, name: &str) -> Result<Option<T>, ScenarioError>
    where
        T: TryFrom<i128, Error = NumberError>,
    {
        self.maybe_node(name).map(Node::number).transpose()
    }

    /// Whether a field is there.
    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// An error of the object.
    pub fn wrong<T>(&self, message: impl ToString) -> Result<T, ScenarioError> {
        Err(ScenarioError::field(self.path.as_str(), message))
    }

    /// The items of a list that may be absent.
    pub fn list(&mut self, name: &str) -> Result<Vec<Node>, ScenarioError> {
        self.maybe_node(name).map_or(Ok(Vec::new()), Node::list)
    }

    /// Refuses fields that nobody took.
    pub fn finish(self) -> Result<(), ScenarioError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(ScenarioError::field(self.at(name), "unknown field")),
        }
    }
}
