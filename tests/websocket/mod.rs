//! A WebSocket client that can also do what it should not (RFC 6455).

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;

const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub struct WebSocket(TcpStream);

/// What the server sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    Text(String),
    Closed(u16, String),
}

/// The same connection, for another thread.
impl Clone for WebSocket {
    fn clone(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }
}

impl WebSocket {
    /// Asks for a WebSocket; gives the response's head and body if it is refused.
    pub fn open(address: &str, path: &str, headers: &str) -> Result<Self, String> {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        if head.starts_with("HTTP/1.1 101") {
            return Ok(Self(socket));
        }
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .map(|rest| rest.split("\r\n").next().unwrap().parse().unwrap());
        let mut body = vec![0; length.unwrap_or(0)];
        socket.read_exact(&mut body).unwrap();
        Err(head + &String::from_utf8(body).unwrap())
    }

    /// Sends a frame, masked by zeros.
    pub fn send(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.0.write_all(&frame)
    }

    pub fn send_text(&mut self, text: &str) {
        self.send(TEXT, text.as_bytes()).unwrap();
    }

    /// Receives a message, or the close.
    pub fn receive(&mut self) -> Received {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).unwrap();
            let length = match head[1] {
                126 => u64::from(u16::from_be_bytes(self.read())),
                127 => u64::from_be_bytes(self.read()),
                length => u64::from(length),
            };
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).unwrap();
            match head[0] & 0xf {
                TEXT => return Received::Text(String::from_utf8(payload).unwrap()),
                CLOSE => {
                    let _ = self.send(CLOSE, &payload[..2]);
                    let code = u16::from_be_bytes([payload[0], payload[1]]);
                    return Received::Closed(
                        code,
                        String::from_utf8(payload.split_off(2)).unwrap(),
                    );
                }
                _ => {}
            }
        }
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}
