use std::path::{Path, PathBuf};

use crate::config::validate::{is_loopback, split};
use crate::config::{
    CONNECTION_STRING, ConfigError, DEFAULT_DESTINATION, ForwarderConfig, InputConfig, InputKind,
    LocalForwarderConfig,
};

/// The inputs of a forwarder without a file.
const DEFAULT_INPUTS: [(InputKind, &str); 3] = [
    (InputKind::OtlpGrpc, "127.0.0.1:4317"),
    (InputKind::OtlpHttp, "127.0.0.1:4318"),
    (InputKind::OpenCensus, "127.0.0.1:55678"),
];

/// The address that switches an input off.
const OFF: &str = "off";

/// The sources of a configuration: a file, and the options of the command line.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ConfigSource {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// A `LocalForwarder.config`. It excludes `file`.
    pub local_forwarder: Option<PathBuf>,
    /// The connection string of the destination `default`. Overrides the file.
    pub connection_string: Option<String>,
    /// Addresses of inputs, or `off`. They override the file.
    pub inputs: Vec<(InputKind, String)>,
    /// Whether the addresses in `inputs` may be reachable from other machines.
    pub insecure_bind: bool,
    /// The address of the health endpoint. Overrides the file.
    pub health: Option<String>,
    /// Whether Live Metrics are sent. Overrides the file.
    pub live_metrics: Option<bool>,
}

impl ConfigSource {
    /// Reads the configuration. `variable` looks up environment variables.
    ///
    /// Without a file, the forwarder receives OTLP and OpenCensus on their default ports of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the resulting configuration is invalid.
    pub fn read(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<ForwarderConfig, ConfigError> {
        let from_environment = || variable(CONNECTION_STRING).filter(|value| !value.is_empty());
        let (name, mut config) = match (&self.file, &self.local_forwarder) {
            (Some(_), Some(_)) => {
                let problem = "two files are given; give one";
                return Err(ConfigError::new("command line", None, "", problem));
            }
            (Some(path), None) => {
                let name = path.display().to_string();
                let config = ForwarderConfig::from_toml(&name, &text(path)?)?;
                (name, config)
            }
            (None, Some(path)) => {
                let name = path.display().to_string();
                let given = self.connection_string.clone().or_else(from_environment);
                let text = text(path)?;
                let read = LocalForwarderConfig::parse(&name, &text, given.as_deref(), &variable)?;
                (name, read.config)
            }
            (None, None) => {
                let inputs = DEFAULT_INPUTS.map(|(kind, address)| InputConfig::new(kind, address));
                let config = ForwarderConfig {
                    inputs: inputs.to_vec(),
                    ..ForwarderConfig::default()
                };
                ("command line".to_owned(), config)
            }
        };
        self.apply(&mut config)?;
        config.or_environment(&variable);
        config.validate(&name)?;
        Ok(config)
    }

    fn apply(&self, config: &mut ForwarderConfig) -> Result<(), ConfigError> {
        for (kind, address) in &self.inputs {
            config.inputs.retain(|input| input.kind != *kind);
            if address == OFF {
                continue;
            }
            let is_open = split(address).is_some_and(|(host, _)| !is_loopback(host));
            if is_open && !self.insecure_bind {
                let problem = format!(
                    "{address} is reached by other machines, without encryption and without asking who \
                     sends; listen on 127.0.0.1, or add --insecure-bind"
                );
                let path = format!("--{}", kind.key());
                return Err(ConfigError::new("command line", None, path, problem));
            }
            config.inputs.push(InputConfig::new(*kind, address.clone()));
        }
        if let Some(connection_string) = &self.connection_string {
            config
                .destinations
                .retain(|destination| destination.name != DEFAULT_DESTINATION);
            config.set_default_connection_string(connection_string.clone());
        }
        if let Some(health) = &self.health {
            config.health = Some(health.clone());
        }
        config.live_metrics = self.live_metrics.or(config.live_metrics);
        Ok(())
    }
}

fn text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| {
        let problem = format!("the file cannot be read: {error}");
        ConfigError::new(&path.display().to_string(), None, "", problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "InstrumentationKey=00000000-0000-0000-0000-000000000001";

    fn environment(name: &str) -> Option<String> {
        (name == CONNECTION_STRING).then(|| KEY.to_owned())
    }

    #[test]
    fn without_a_file_the_usual_ports_are_listened_to() {
        let config = ConfigSource::default().read(environment).unwrap();
        let addresses: Vec<_> = config
            .inputs
            .iter()
            .map(|input| input.address.as_str())
            .collect();
        assert_eq!(
            addresses,
            ["127.0.0.1:4317", "127.0.0.1:4318", "127.0.0.1:55678"]
        );
        let error = ConfigSource::default().read(|_| None).unwrap_err();
        assert!(error.to_string().contains(CONNECTION_STRING), "{error}");
    }

    #[test]
    fn the_command_line_beats_the_file() {
        let source = ConfigSource {
            connection_string: Some(KEY.replace('1', "2")),
            inputs: vec![
                (InputKind::OtlpGrpc, "127.0.0.1:1".to_owned()),
                (InputKind::OpenCensus, OFF.to_owned()),
                (InputKind::OtlpHttp, OFF.to_owned()),
            ],
            health: Some("127.0.0.1:2".to_owned()),
            live_metrics: Some(false),
            ..ConfigSource::default()
        };
        let config = source.read(environment).unwrap();
        assert_eq!(
            config.inputs,
            [InputConfig::new(InputKind::OtlpGrpc, "127.0.0.1:1")]
        );
        let destination = config.default_destination().unwrap();
        assert_eq!(destination.connection_string, KEY.replace('1', "2"));
        assert_eq!(config.health.as_deref(), Some("127.0.0.1:2"));
        assert_eq!(config.live_metrics, Some(false));
    }

    #[test]
    fn an_address_of_other_machines_must_be_asked_for() {
        let mut source = ConfigSource {
            inputs: vec![(InputKind::OtlpGrpc, "0.0.0.0:1".to_owned())],
            ..ConfigSource::default()
        };
        let error = source.read(environment).unwrap_err();
        assert!(error.to_string().contains("--insecure-bind"), "{error}");
        source.insecure_bind = true;
        assert!(source.read(environment).is_ok());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let source = ConfigSource {
            file: Some(PathBuf::from("/nowhere/forwarder.toml")),
            ..ConfigSource::default()
        };
        let error = source.read(environment).unwrap_err();
        let expected = "/nowhere/forwarder.toml: the file cannot be read";
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn the_example_file_is_valid() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/forwarder.toml");
        let source = ConfigSource {
            file: Some(PathBuf::from(path)),
            ..ConfigSource::default()
        };
        let config = source.read(environment).unwrap();
        assert_eq!(config.inputs.len(), 3);
    }
}
