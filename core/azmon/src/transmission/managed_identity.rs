//! Tokens of a managed identity, from App Service or a virtual machine, without an Azure SDK crate.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::error::innermost;
use crate::token::Token;

/// The metadata service of virtual machines, reachable only from inside a virtual machine.
const METADATA_SERVICE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const METADATA_VERSION: &str = "2019-08-01";
const APP_SERVICE_VERSION: &str = "2019-08-01";
/// Maximum number of attempts if the service is not ready.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Timeout of one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);

/// A managed identity: the system-assigned one, or the user-assigned one with this client id.
#[derive(Clone, Default)]
pub(crate) struct ManagedIdentity {
    client_id: Option<String>,
    /// `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` of App Service; `None` on a virtual machine.
    app_service: Option<(String, String)>,
    /// Replaces the address of the metadata service in tests.
    metadata_service: Option<String>,
}

/// An answer of the service; numbers are written as texts.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(deserialize_with = "text_or_number")]
    expires_on: u64,
}

impl ManagedIdentity {
    /// Parses `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`: `Authorization=AAD`, and `ClientId=…` for a user-assigned
    /// identity. The error describes the invalid part.
    pub(crate) fn parse(
        text: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, &'static str> {
        let (mut is_aad, mut client_id) = (false, None);
        for pair in text
            .split(';')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair.split_once('=').ok_or("a part has no `=`")?;
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "authorization" if value.eq_ignore_ascii_case("aad") => is_aad = true,
                "authorization" => return Err("Authorization is something other than AAD"),
                "clientid" => client_id = Some(value.to_owned()),
                _ => {}
            }
        }
        if !is_aad {
            return Err("it has no Authorization=AAD");
        }
        let app_service = environment("IDENTITY_ENDPOINT").zip(environment("IDENTITY_HEADER"));
        Ok(Self {
            client_id: client_id.filter(|id| !id.is_empty()),
            app_service,
            metadata_service: None,
        })
    }

    /// Requests a token.
    pub(super) async fn token(
        &self,
        client: &reqwest::Client,
        scope: &str,
    ) -> Result<Token, String> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.ask(client, scope).await {
                Err(Refusal::Passing(_)) => tokio::time::sleep(pause).await,
                Err(Refusal::Final(error)) => return Err(error),
                Ok(token) => return Ok(token),
            }
            pause *= 3;
        }
        let last = self.ask(client, scope).await;
        last.map_err(|(Refusal::Passing(error) | Refusal::Final(error))| error)
    }

    async fn ask(&self, client: &reqwest::Client, scope: &str) -> Result<Token, Refusal> {
        let response = self
            .request(client, scope)
            .timeout(ANSWER_TIMEOUT)
            .send()
            .await
            .map_err(|error| Refusal::Passing(innermost(&error)))?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            400 => return Err(Refusal::Final("no such identity is assigned".to_owned())),
            502 | 504 => return Err(Refusal::Final("a proxy answered in its place".to_owned())),
            404 | 410 | 429 | 500..=599 => {
                return Err(Refusal::Passing(format!("it answered {status}")));
            }
            _ => return Err(Refusal::Final(format!("it answered {status}"))),
        }
        let unreadable = |_| Refusal::Passing("its answer cannot be read".to_owned());
        let body = response.bytes().await.map_err(unreadable)?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| Refusal::Passing("its answer cannot be read".to_owned()))?;
        let expires_on = UNIX_EPOCH.checked_add(Duration::from_secs(answer.expires_on));
        let expires_on = expires_on.unwrap_or_else(SystemTime::now);
        Ok(Token::new(answer.access_token, expires_on))
    }

    fn request(&self, client: &reqwest::Client, scope: &str) -> reqwest::RequestBuilder {
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let (address, version, header) = match &self.app_service {
            Some((address, header)) => (
                address.as_str(),
                APP_SERVICE_VERSION,
                ("X-IDENTITY-HEADER", header.as_str()),
            ),
            None => (
                self.metadata_service.as_deref().unwrap_or(METADATA_SERVICE),
                METADATA_VERSION,
                ("Metadata", "true"),
            ),
        };
        let mark = if address.contains('?') { '&' } else { '?' };
        let mut url = format!(
            "{address}{mark}api-version={version}&resource={}",
            encoded(resource)
        );
        if let Some(id) = &self.client_id {
            url.push_str("&client_id=");
            url.push_str(&encoded(id));
        }
        client.get(url).header(header.0, header.1)
    }
}

enum Refusal {
    /// The failure may be temporary.
    Passing(String),
    Final(String),
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn text_or_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

impl fmt::Debug for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentity")
            .field("client_id", &self.client_id)
            .field("is_app_service", &self.app_service.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    /// Answers one request after the other, and reports their heads.
    fn service(
        answers: Vec<(u16, &'static str)>,
    ) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}/token", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let heads = answers.into_iter().map(|(status, body)| {
                let (mut stream, _) = listener.accept().unwrap();
                let (mut head, mut buffer) = (String::new(), [0; 1_024]);
                while !head.contains("\r\n\r\n") {
                    let read = stream.read(&mut buffer).unwrap();
                    head.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                }
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).unwrap();
                head
            });
            heads.collect()
        });
        (address, thread)
    }

    const SCOPE: &str = "https://monitor.azure.com//.default";
    const TOKEN: &str = r#"{"access_token":"abc","expires_on":"1900000000","token_type":"Bearer"}"#;

    #[tokio::test]
    async fn a_virtual_machine_is_asked_with_its_header_and_again_while_it_is_not_ready() {
        let (address, thread) = service(vec![(429, ""), (200, TOKEN)]);
        let identity = ManagedIdentity {
            client_id: Some("1-2".to_owned()),
            metadata_service: Some(address),
            ..ManagedIdentity::default()
        };
        let token = identity
            .token(&reqwest::Client::new(), SCOPE)
            .await
            .unwrap();
        assert_eq!(token.secret(), "abc");
        assert_eq!(
            token.expires_on(),
            UNIX_EPOCH + Duration::from_secs(1_900_000_000)
        );
        let heads = thread.join().unwrap();
        let expected = "GET /token?api-version=2019-08-01&resource=https%3A%2F%2Fmonitor%2Eazure%2Ecom%2F&client_id=1%2D2 HTTP/1.1";
        assert_eq!(heads[1].lines().next(), Some(expected));
        assert!(
            heads[1].to_ascii_lowercase().contains("metadata: true"),
            "{}",
            heads[1]
        );
    }

    #[tokio::test]
    async fn app_service_is_asked_with_its_secret() {
        let (address, thread) = service(vec![(
            200,
            r#"{"access_token":"abc","expires_on":1900000000}"#,
        )]);
        let variables = [
            ("IDENTITY_ENDPOINT", address),
            ("IDENTITY_HEADER", "secret".to_owned()),
        ];
        let environment = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        let identity = ManagedIdentity::parse("Authorization=AAD", &environment).unwrap();
        assert!(!format!("{identity:?}").contains("secret"));
        identity
            .token(&reqwest::Client::new(), SCOPE)
            .await
            .unwrap();
        let head = thread.join().unwrap().remove(0).to_ascii_lowercase();
        assert!(head.contains("x-identity-header: secret"), "{head}");
    }

    #[tokio::test]
    async fn an_identity_that_is_not_assigned_is_not_asked_for_again() {
        let (address, thread) = service(vec![(400, "{}")]);
        let identity = ManagedIdentity {
            metadata_service: Some(address),
            ..ManagedIdentity::default()
        };
        let error = identity
            .token(&reqwest::Client::new(), SCOPE)
            .await
            .unwrap_err();
        assert_eq!(error, "no such identity is assigned");
        assert_eq!(thread.join().unwrap().len(), 1);
    }

    #[test]
    fn an_authentication_string_is_of_entra_id_or_the_error_names_the_fault() {
        let parse = |text| ManagedIdentity::parse(text, &|_| None);
        assert_eq!(
            parse("authorization=aad; ClientId=x ;")
                .unwrap()
                .client_id
                .as_deref(),
            Some("x")
        );
        for (text, error) in [
            ("", "it has no Authorization=AAD"),
            ("ClientId=x", "it has no Authorization=AAD"),
            (
                "Authorization=Basic",
                "Authorization is something other than AAD",
            ),
            ("AAD", "a part has no `=`"),
        ] {
            assert_eq!(parse(text).unwrap_err(), error);
        }
    }
}
