//! `LocalForwarder.config`, the configuration file of Microsoft's LocalForwarder, unchanged.

use crate::config::validate::split;
use crate::config::xml::{Element, XmlFile, parse};
use crate::config::{
    Adaptive, ConfigError, ConfigWarning, DEFAULT_DESTINATION, Destination, ForwarderConfig,
    InputConfig, InputKind, Sampling,
};

/// The names of the file's elements.
const ROOT: &str = "LocalForwarderConfiguration";
const INPUTS: &str = "Inputs";
const APPLICATION_INSIGHTS_INPUT: &str = "ApplicationInsightsInput";
const OPEN_CENSUS_INPUT: &str = "OpenCensusInput";
const OPEN_CENSUS: &str = "OpenCensusToApplicationInsights";
const KEY: &str = "InstrumentationKey";
const APPLICATION_INSIGHTS: &str = "ApplicationInsights";
const LIVE_KEY: &str = "LiveMetricsStreamInstrumentationKey";
const LIVE_API_KEY: &str = "LiveMetricsStreamAuthenticationApiKey";
const SAMPLING: &str = "AdaptiveSampling";
const EVENTS: &str = "MaxEventsPerSecond";
const OTHERS: &str = "MaxOtherItemsPerSecond";

/// The result of reading a file: a [`ForwarderConfig`], and the key of Live Metrics.
///
/// LocalForwarder sent to the public cloud, addressed by an instrumentation key alone. A connection string from
/// the command line or the environment replaces the key; both keys in the file are then ignored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LocalForwarderConfig {
    /// The configuration in the file.
    pub config: ForwarderConfig,
    /// The instrumentation key of Live Metrics; `None` if the file has none, or if its variable is not set. Without a
    /// given connection string it is the destination's, too.
    pub live_metrics_key: Option<String>,
}

/// A text after the replacement of variables.
struct Expanded {
    text: String,
    /// The variables that are not set. Their names stay in the text.
    unset: Vec<String>,
}

impl LocalForwarderConfig {
    /// Reads a file. `variable` resolves each `%NAME%` in a text or an attribute.
    ///
    /// A given `connection_string` is the destination; the file then needs no instrumentation key.
    ///
    /// # Errors
    ///
    /// If the file is not well-formed, lacks an element, contains an element twice, or has an invalid value. The
    /// error names the line, the element and the fix.
    pub fn parse(
        file: &str,
        text: &str,
        connection_string: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document = parse(file, text)?;
        let mut reader = Reader {
            xml: XmlFile::new(file, &document),
            variable,
        };
        let root = reader.xml.root(ROOT)?;
        reader
            .xml
            .warn_of_others(&root, &[INPUTS, OPEN_CENSUS, APPLICATION_INSIGHTS]);
        let mut config = ForwarderConfig {
            inputs: reader.inputs(&root)?,
            ..ForwarderConfig::default()
        };
        let destination = match connection_string {
            Some(given) => given.to_owned(),
            None => format!("InstrumentationKey={}", reader.key(&root)?),
        };
        let destination = Destination::new(DEFAULT_DESTINATION, destination);
        config.destinations.push(destination);
        let live_metrics_key = reader.application_insights(&root, &mut config)?;
        if connection_string.is_none()
            && let Some(default) = config.destinations.first_mut()
        {
            default.live_metrics_key.clone_from(&live_metrics_key);
        }
        config.warnings = reader.xml.warnings;
        config.warn_of_open_addresses(file);
        config.validate(file)?;
        Ok(Self {
            config,
            live_metrics_key,
        })
    }
}

struct Reader<'a, 'input, F> {
    xml: XmlFile<'a, 'input>,
    variable: F,
}

impl<'a, 'input, F: Fn(&str) -> Option<String>> Reader<'a, 'input, F> {
    fn inputs(&mut self, root: &Element<'a, 'input>) -> Result<Vec<InputConfig>, ConfigError> {
        let Some(section) = self.xml.child(root, INPUTS)? else {
            let problem = format!(
                "the section is missing, so there is nothing to listen on; write <{INPUTS}> with \
                 <{OPEN_CENSUS_INPUT} Enabled=\"true\">, a <Host> and a <Port>"
            );
            return Err(self.xml.missing(root, INPUTS, problem));
        };
        self.xml
            .warn_of_others(&section, &[APPLICATION_INSIGHTS_INPUT, OPEN_CENSUS_INPUT]);
        let mut inputs: Vec<(InputConfig, Element<'a, 'input>)> = Vec::new();
        for (name, kind) in [
            (
                APPLICATION_INSIGHTS_INPUT,
                InputKind::ApplicationInsightsGrpc,
            ),
            (OPEN_CENSUS_INPUT, InputKind::OpenCensus),
        ] {
            let Some(element) = self.xml.child(&section, name)? else {
                continue;
            };
            self.xml.warn_of_others(&element, &["Host", "Port"]);
            if !self.enabled(&element)? {
                continue;
            }
            let address = self.address(&element)?;
            if inputs.iter().any(|(known, _)| known.address == address) {
                let problem = format!(
                    "{address} is the address of the other input, too; give each input a port of its own"
                );
                return Err(self.xml.error(&element, problem));
            }
            inputs.push((InputConfig::new(kind, address), element));
        }
        if inputs.is_empty() {
            let problem = "no input is enabled, so there is nothing to listen on; set Enabled=\"true\" on one"
                .to_owned();
            return Err(self.xml.error(&section, problem));
        }
        Ok(inputs.into_iter().map(|(input, _)| input).collect())
    }

    fn address(&self, input: &Element<'a, 'input>) -> Result<String, ConfigError> {
        let host = self.required(input, "Host", "an address such as 127.0.0.1")?;
        let port = self.required(input, "Port", "a port such as 55678")?;
        let address = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        if split(&address).is_none_or(|(_, port)| port == 0) {
            let at = self.xml.child(input, "Port")?;
            let problem = format!("{port:?} is not a port; write a number from 1 to 65535");
            return Err(self.xml.error(at.as_ref().unwrap_or(input), problem));
        }
        Ok(address)
    }

    /// The text of a required element. All of its variables must be set.
    fn required(
        &self,
        parent: &Element<'a, 'input>,
        name: &str,
        what: &str,
    ) -> Result<String, ConfigError> {
        let Some(element) = self.xml.child(parent, name)? else {
            let problem = format!("the element is missing; write <{name}> with {what}");
            return Err(self.xml.missing(parent, name, problem));
        };
        let Expanded { text, unset } = self.expand(&element.text());
        if let Some(variable) = unset.first() {
            let problem =
                format!("the variable {variable} is not set; set it, or write {what} in its place");
            return Err(self.xml.error(&element, problem));
        }
        if text.is_empty() {
            let problem = format!("the element is empty; write {what}");
            return Err(self.xml.error(&element, problem));
        }
        Ok(text)
    }

    fn key(&mut self, root: &Element<'a, 'input>) -> Result<String, ConfigError> {
        let what = "the instrumentation key, or give a connection string by --connection-string or \
                    APPLICATIONINSIGHTS_CONNECTION_STRING";
        let Some(section) = self.xml.child(root, OPEN_CENSUS)? else {
            let problem =
                format!("the section is missing; write <{OPEN_CENSUS}> with <{KEY}> and {what}");
            return Err(self.xml.missing(root, OPEN_CENSUS, problem));
        };
        self.xml.warn_of_others(&section, &[KEY]);
        let key = self.required(&section, KEY, what)?;
        if let Err(problem) = azmon::ConnectionString::from_instrumentation_key(&key) {
            let at = self.xml.child(&section, KEY)?;
            let problem = format!("this is no instrumentation key: {problem}; write {what}");
            return Err(self.xml.error(at.as_ref().unwrap_or(&section), problem));
        }
        Ok(key)
    }

    fn application_insights(
        &mut self,
        root: &Element<'a, 'input>,
        config: &mut ForwarderConfig,
    ) -> Result<Option<String>, ConfigError> {
        let Some(section) = self.xml.child(root, APPLICATION_INSIGHTS)? else {
            return Ok(None);
        };
        self.xml
            .warn_of_others(&section, &[LIVE_KEY, LIVE_API_KEY, SAMPLING]);
        // The service no longer uses API keys for live metrics, so the element is ignored.
        self.xml.child(&section, LIVE_API_KEY)?;
        let live = self.live_key(&section)?;
        if let Some(sampling) = self.xml.child(&section, SAMPLING)? {
            self.xml.warn_of_others(&sampling, &[EVENTS, OTHERS]);
            if self.enabled(&sampling)? {
                config.sampling = Sampling::Adaptive(Adaptive {
                    max_events_per_second: self.limit(&sampling, EVENTS)?,
                    max_other_items_per_second: self.limit(&sampling, OTHERS)?,
                });
            }
        }
        Ok(live)
    }

    fn live_key(&mut self, section: &Element<'a, 'input>) -> Result<Option<String>, ConfigError> {
        let Some(element) = self.xml.child(section, LIVE_KEY)? else {
            return Ok(None);
        };
        let Expanded { text, unset } = self.expand(&element.text());
        if text.is_empty() || !unset.is_empty() {
            return Ok(None);
        }
        if let Err(problem) = azmon::ConnectionString::from_instrumentation_key(&text) {
            let problem = format!(
                "this is no instrumentation key: {problem}; Live Metrics go to the resource of {KEY}"
            );
            let warning = ConfigWarning(self.xml.error(&element, problem));
            self.xml.warnings.push(warning);
            return Ok(None);
        }
        Ok(Some(text))
    }

    /// A sampling limit. Defaults to LocalForwarder's if the element or its variable is not set.
    fn limit(&mut self, sampling: &Element<'a, 'input>, name: &str) -> Result<f64, ConfigError> {
        let default = Adaptive::default().max_other_items_per_second;
        let Some(element) = self.xml.child(sampling, name)? else {
            return Ok(default);
        };
        let Expanded { text, unset } = self.expand(&element.text());
        if let Some(variable) = unset.first() {
            let problem = format!("the variable {variable} is not set: the limit is {default}");
            let warning = ConfigWarning(self.xml.error(&element, problem));
            self.xml.warnings.push(warning);
            return Ok(default);
        }
        match text.parse::<f64>() {
            Ok(limit) if limit >= 1.0 && limit.is_finite() => Ok(limit),
            Ok(_) | Err(_) => {
                let problem =
                    format!("{text:?} is no limit; write a number of items a second, at least 1");
                Err(self.xml.error(&element, problem))
            }
        }
    }

    fn enabled(&self, element: &Element<'a, 'input>) -> Result<bool, ConfigError> {
        let what = "write true or false";
        let Some(value) = element.attribute("Enabled") else {
            let problem = format!("the attribute Enabled is missing; {what}");
            return Err(self.xml.error(element, problem));
        };
        let value = self.expand(&value).text;
        if value.eq_ignore_ascii_case("true") {
            Ok(true)
        } else if value.eq_ignore_ascii_case("false") {
            Ok(false)
        } else {
            let problem = format!("Enabled is {value:?}; {what}");
            Err(self.xml.error(element, problem))
        }
    }

    /// Replaces every `%NAME%` whose variable is set. A percent sign without a second one is kept.
    fn expand(&self, text: &str) -> Expanded {
        let mut expanded = Expanded {
            text: String::with_capacity(text.len()),
            unset: Vec::new(),
        };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            expanded.text.push_str(before);
            let named = after.split_once('%');
            let named =
                named.filter(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace));
            match named {
                Some((name, after)) => {
                    match (self.variable)(name) {
                        Some(value) => expanded.text.push_str(value.trim()),
                        None => {
                            expanded.text.push_str(&format!("%{name}%"));
                            expanded.unset.push(name.to_owned());
                        }
                    }
                    rest = after;
                }
                None => {
                    expanded.text.push('%');
                    rest = after;
                }
            }
        }
        expanded.text.push_str(rest);
        expanded.text = expanded.text.trim().to_owned();
        expanded
    }
}
