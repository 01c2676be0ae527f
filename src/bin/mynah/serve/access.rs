//! Who is served: clients with the token, and web pages of the server's own origin.

use std::{env, fs, hint::black_box, net::IpAddr, path::Path};

use anyhow::{Context, Result, bail};
use axum::{
    extract::Query,
    http::{HeaderMap, HeaderName, Uri, header},
};

const VARIABLE: &str = "MYNAH_TOKEN";
const BEARER: &str = "bearer ";
/// A browser's WebSocket has no headers of its own to carry the token.
const QUERY: &str = "access_token";

/// The rules.
#[derive(Debug)]
pub struct Access {
    token: Option<Vec<u8>>,
    origins: Vec<String>,
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    Token,
    Origin,
}

impl Access {
    /// Reads the token from the file, or from the environment without one.
    ///
    /// # Errors
    ///
    /// The file can't be read or has no token.
    pub fn new(token_file: Option<&Path>, origins: &[String]) -> Result<Self> {
        let token = match token_file {
            Some(file) => {
                let name = || file.display().to_string();
                Some(fs::read_to_string(file).with_context(name)?)
            }
            None => env::var(VARIABLE).ok(),
        };
        let token = token.map(|token| token.trim().as_bytes().to_vec());
        if token.as_ref().is_some_and(Vec::is_empty) {
            let place = token_file.map_or(VARIABLE.into(), |file| file.display().to_string());
            bail!(
                "{place}: the token is empty; write a long random text, as `openssl rand -hex 32` gives"
            );
        }
        let origins = origins.iter().map(|origin| origin.trim_end_matches('/').to_lowercase());
        Ok(Self { token, origins: origins.collect() })
    }

    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// # Errors
    ///
    /// The request is a foreign web page's.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Denial> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default().to_lowercase();
        if self.origins.contains(&origin) {
            return Ok(());
        }
        let host = text(headers, header::HOST).to_lowercase();
        let of_page = origin.split_once("://").map(|(_, host)| host);
        // A public name may lead here by the foreign page's own doing.
        let is_own = of_page == Some(host.as_str()) && is_local_name(&host);
        if is_own { Ok(()) } else { Err(Denial::Origin) }
    }

    /// # Errors
    ///
    /// The request does not have the token.
    pub fn check_token(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Denial> {
        let Some(token) = &self.token else { return Ok(()) };
        let value = text(headers, header::AUTHORIZATION);
        let of_header = value
            .get(..BEARER.len())
            .filter(|scheme| scheme.eq_ignore_ascii_case(BEARER))
            .map(|scheme| value[scheme.len()..].trim().to_owned());
        let is_upgrade = headers.contains_key(header::UPGRADE);
        let given = of_header.or_else(|| is_upgrade.then(|| of_query(uri)).flatten());
        match given {
            Some(given) if is_equal(given.as_bytes(), token) => Ok(()),
            _ => Err(Denial::Token),
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn of_query(uri: &Uri) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    pairs.into_iter().find(|(key, _)| key == QUERY).map(|(_, value)| value)
}

/// Compares in a time that depends on the lengths alone.
fn is_equal(given: &[u8], token: &[u8]) -> bool {
    let mut differences = u8::from(given.len() != token.len());
    for (index, byte) in token.iter().enumerate() {
        differences |= byte ^ given.get(index).copied().unwrap_or_default();
    }
    black_box(differences) == 0
}

/// Whether a host, with or without port, is an address or a name that no public name server gives.
fn is_local_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_address || !name.contains('.') || name.ends_with(".local") || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn foreign_pages_are_refused() {
        let origins = ["https://example.org/".to_owned()];
        let access = Access { token: None, ..Access::new(None, &origins).unwrap() };
        let check = |origin, host| {
            access.check_origin(&headers(&[(header::ORIGIN, origin), (header::HOST, host)])).is_ok()
        };
        assert!(access.check_origin(&headers(&[])).is_ok());
        assert!(check("http://localhost:2700", "localhost:2700"));
        assert!(check("http://[::1]:2700", "[::1]:2700"));
        assert!(check("http://raspberrypi.local:2700", "raspberrypi.local:2700"));
        assert!(check("https://example.org", "127.0.0.1:2700"));
        for origin in
            ["https://evil.example", "null", "http://localhost:80", "http://127.0.0.1:2700"]
        {
            assert!(!check(origin, "localhost:2700"), "{origin}");
        }
        // A name that leads to this machine by the page's own name server.
        assert!(!check("http://evil.example:2700", "evil.example:2700"));
    }

    #[test]
    fn the_token_is_that_of_the_header_or_of_a_browsers_query() {
        let access = Access { token: Some(b"secret".to_vec()), origins: Vec::new() };
        let check = |pairs: &[(HeaderName, &str)], uri: &'static str| {
            access.check_token(&headers(pairs), &Uri::from_static(uri)).is_ok()
        };
        assert!(check(&[(header::AUTHORIZATION, "Bearer secret")], "/"));
        assert!(check(&[(header::AUTHORIZATION, "bearer secret")], "/"));
        assert!(check(&[(header::UPGRADE, "websocket")], "/ws?access_token=secret"));
        assert!(check(&[(header::UPGRADE, "websocket")], "/ws?other=1&access_token=%73ecret"));
        assert!(!check(&[], "/metrics?access_token=secret"));
        for value in ["Bearer secre", "Bearer secrets", "Bearer", "Basic secret", ""] {
            assert!(!check(&[(header::AUTHORIZATION, value)], "/"), "{value}");
        }
    }
}
