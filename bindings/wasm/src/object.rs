//! Objects of JavaScript from values, and values from them, by way of JSON.

use js_sys::JSON;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

/// Makes an object of a value.
pub fn object_of(value: &impl Serialize) -> Result<JsValue, JsError> {
    JSON::parse(&serde_json::to_string(value)?).map_err(|_| JsError::new("not a value of JSON"))
}

/// Reads an object.
pub fn value_of<T: DeserializeOwned>(object: &JsValue) -> Result<T, JsError> {
    let json = JSON::stringify(object).ok().and_then(|json| json.as_string());
    let json = json.ok_or_else(|| JsError::new("the options are not an object"))?;
    Ok(serde_json::from_str(&json)?)
}
