//! Arguments of a call: by name or place in JSON, by name in a URI.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::RpcError;

/// The arguments of a call. In a URI a text stands in quotes, bytes as `0x..` or in quotes.
pub(crate) struct Params {
    values: Value,
    from_uri: bool,
}

impl Params {
    /// Arguments of a JSON-RPC request: an object, an array or nothing.
    pub(crate) fn from_json(values: Value) -> Self {
        Self { values, from_uri: false }
    }

    /// Arguments of a URI's query.
    ///
    /// # Errors
    /// [`RpcError`] when the query is not percent-encoded UTF-8.
    pub(crate) fn from_uri(query: &str) -> Result<Self, RpcError> {
        let mut values = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            values.insert(unescape(name)?, Value::String(unescape(value)?));
        }
        Ok(Self { values: Value::Object(values), from_uri: true })
    }

    fn value(&self, place: usize, name: &str) -> Option<&Value> {
        let value = match &self.values {
            Value::Array(values) => values.get(place),
            Value::Object(values) => values.get(name),
            _ => None,
        };
        value.filter(|value| !value.is_null())
    }

    fn text_at(&self, place: usize, name: &str) -> Result<Option<&str>, RpcError> {
        match self.value(place, name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(RpcError::params(format!("{name}: expected a text, found {other}"))),
        }
    }

    /// A text; a URI may quote it.
    pub(crate) fn text(&self, place: usize, name: &str) -> Result<Option<&str>, RpcError> {
        let text = self.text_at(place, name)?;
        Ok(text.map(|text| if self.from_uri { unquote(text) } else { text }))
    }

    /// A whole number, which may stand in quotes as Go's int64 does.
    pub(crate) fn number(&self, place: usize, name: &str) -> Result<Option<i64>, RpcError> {
        let refuse =
            |value: &Value| RpcError::params(format!("{name}: expected a whole number, found {value}"));
        match self.value(place, name) {
            None => Ok(None),
            Some(value @ Value::Number(number)) => number.as_i64().map(Some).ok_or_else(|| refuse(value)),
            Some(value @ Value::String(text)) => match unquote(text) {
                "" => Ok(None),
                digits => digits.parse().map(Some).map_err(|_| refuse(value)),
            },
            Some(value) => Err(refuse(value)),
        }
    }

    /// A truth value, false when absent.
    pub(crate) fn flag(&self, place: usize, name: &str) -> Result<bool, RpcError> {
        match self.value(place, name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" || text.is_empty() => Ok(false),
            Some(other) => Err(RpcError::params(format!("{name}: expected true or false, found {other}"))),
        }
    }

    /// Bytes that JSON carries as base64, such as a transaction.
    pub(crate) fn bytes(&self, place: usize, name: &str) -> Result<Option<Vec<u8>>, RpcError> {
        let Some(text) = self.text_at(place, name)? else {
            return Ok(None);
        };
        if self.from_uri {
            return uri_bytes(name, text).map(Some);
        }
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| RpcError::params(format!("{name}: expected base64: {error}")))?;
        Ok(Some(bytes))
    }

    /// Bytes that JSON carries as hexadecimal, such as the data of a query.
    pub(crate) fn hex(&self, place: usize, name: &str) -> Result<Option<Vec<u8>>, RpcError> {
        let Some(text) = self.text_at(place, name)? else {
            return Ok(None);
        };
        if self.from_uri {
            return uri_bytes(name, text).map(Some);
        }
        let bytes = hex::decode(text)
            .map_err(|error| RpcError::params(format!("{name}: expected hexadecimal: {error}")))?;
        Ok(Some(bytes))
    }
}

fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn uri_bytes(name: &str, text: &str) -> Result<Vec<u8>, RpcError> {
    match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits)
            .map_err(|error| RpcError::params(format!("{name}: expected 0x and hexadecimal: {error}"))),
        None => Ok(unquote(text).as_bytes().to_vec()),
    }
}

fn unescape(text: &str) -> Result<String, RpcError> {
    let refuse = || RpcError::params(format!("expected percent-encoded UTF-8, found {text:?}"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (Some(high), Some(low)) = (rest.next(), rest.next()) else {
                    return Err(refuse());
                };
                let mut byte = [0];
                hex::decode_to_slice([*high, *low], &mut byte).map_err(|_| refuse())?;
                bytes.extend(byte);
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_arguments_stand_by_name_or_place() {
        for values in [json!({"height": "5"}), json!(["5"]), json!({"height": 5}), json!([5])] {
            let params = Params::from_json(values);
            assert_eq!(params.number(0, "height").unwrap(), Some(5));
        }
        for values in [json!(null), json!({}), json!({"height": null}), json!([])] {
            let params = Params::from_json(values);
            assert_eq!(params.number(0, "height").unwrap(), None);
        }
        for wrong in [json!({"height": "x"}), json!({"height": 1.5}), json!({"height": true})] {
            assert!(Params::from_json(wrong).number(0, "height").is_err());
        }
    }

    #[test]
    fn uri_arguments_are_unescaped_and_unquoted() {
        let params = Params::from_uri("path=%22%2Fa%20b%22&data=0x0aFF&height=7&prove=true").unwrap();
        assert_eq!(params.text(0, "path").unwrap(), Some("/a b"));
        assert_eq!(params.hex(1, "data").unwrap(), Some(vec![0x0a, 0xff]));
        assert_eq!(params.number(2, "height").unwrap(), Some(7));
        assert!(params.flag(3, "prove").unwrap());
        assert!(Params::from_uri("a=%2").is_err());
        assert!(Params::from_uri("a=%zz").is_err());
        assert!(Params::from_uri("a=%ff").is_err());
    }
}
