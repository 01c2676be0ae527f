//! Messages: a line of JSON, then JSON data and bytes of the lengths that the line names.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};

/// Bytes of a header line.
const LINE_BYTES: u64 = 64 << 10;
/// The version of the protocol that is written.
const VERSION: &str = "1.7.0";

/// A message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    pub kind: String,
    pub data: Map<String, Value>,
    pub payload: Vec<u8>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Header {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    data: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_length: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload_length: Option<usize>,
    #[serde(default, skip_deserializing)]
    version: &'static str,
}

impl Message {
    pub fn new(kind: &str, data: Value) -> Self {
        let data = match data {
            Value::Object(data) => data,
            _ => Map::new(),
        };
        Self { kind: kind.to_owned(), data, payload: Vec::new() }
    }

    /// Reads the next message; `None` at the end. Data and payload have `most` bytes at most.
    ///
    /// # Errors
    ///
    /// Of the kind [`io::ErrorKind::InvalidData`] if the bytes are no message, with a reason for the client.
    pub async fn read(
        reader: &mut (impl AsyncBufRead + Unpin),
        most: usize,
    ) -> io::Result<Option<Self>> {
        let mut line = Vec::new();
        reader.take(LINE_BYTES).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() as u64 == LINE_BYTES {
            return Err(invalid(format!("a header of more than {LINE_BYTES} bytes")));
        }
        let header: Header =
            serde_json::from_slice(&line).map_err(|error| invalid(format!("header: {error}")))?;
        let mut data = header.data;
        let bytes = read_exactly(reader, header.data_length, most, "data").await?;
        if !bytes.is_empty() {
            let more: Map<String, Value> = serde_json::from_slice(&bytes)
                .map_err(|error| invalid(format!("data: {error}")))?;
            data.extend(more);
        }
        let payload = read_exactly(reader, header.payload_length, most, "payload").await?;
        Ok(Some(Self { kind: header.kind, data, payload }))
    }

    /// Writes the message.
    ///
    /// # Errors
    ///
    /// The client has left.
    pub async fn write(&self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let data = if self.data.is_empty() { Vec::new() } else { serde_json::to_vec(&self.data)? };
        let length = |bytes: &[u8]| (!bytes.is_empty()).then_some(bytes.len());
        let header = Header {
            kind: self.kind.clone(),
            data: Map::new(),
            data_length: length(&data),
            payload_length: length(&self.payload),
            version: VERSION,
        };
        let mut bytes = serde_json::to_vec(&header)?;
        bytes.push(b'\n');
        bytes.extend(data);
        bytes.extend(&self.payload);
        writer.write_all(&bytes).await?;
        writer.flush().await
    }

    /// A number of the data.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.data.get(key)?.as_u64()
    }

    /// A text of the data.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key)?.as_str()
    }

    /// The texts of a list of the data.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let values = self.data.get(key).and_then(Value::as_array);
        let texts = values.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }
}

async fn read_exactly(
    reader: &mut (impl AsyncBufRead + Unpin),
    length: Option<usize>,
    most: usize,
    what: &str,
) -> io::Result<Vec<u8>> {
    let length = length.unwrap_or(0);
    if length > most {
        return Err(invalid(format!("a {what} of {length} bytes; at most {most} are taken")));
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mut bytes: &[u8]) -> io::Result<Option<Message>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Message::read(&mut bytes, 100))
    }

    #[test]
    fn a_written_message_is_read_again() {
        let mut message = Message::new("audio-chunk", json!({ "rate": 16_000, "é": "ü" }));
        message.payload = vec![0, 255, b'\n'];
        let mut bytes = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(message.write(&mut bytes)).unwrap();
        assert_eq!(read(&bytes).unwrap(), Some(message));
    }

    #[test]
    fn data_may_be_in_the_header() {
        let message =
            read(b"{\"type\": \"ping\", \"data\": {\"text\": \"a\"}}\n").unwrap().unwrap();
        assert_eq!((message.kind.as_str(), message.text("text")), ("ping", Some("a")));
        assert_eq!(read(b"").unwrap(), None);
    }

    #[test]
    fn wrong_messages_are_refused() {
        let messages: [&[u8]; 5] = [
            b"hello\n",
            b"\xff\n",
            b"{\"type\": 3}\n",
            b"{\"type\": \"a\", \"payload_length\": 101}\n",
            b"{\"type\": \"a\", \"data_length\": 2}\n[]",
        ];
        for bytes in messages {
            assert_eq!(read(bytes).unwrap_err().kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
        let cut = read(b"{\"type\": \"a\", \"payload_length\": 9}\nabc").unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }
}
