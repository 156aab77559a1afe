//! Arguments of the forwarder, and the container that has them.

use azmon_forwarder::config::{CONNECTION_STRING, ConfigSource, ForwarderConfig, InputKind};
use clap::Parser;

use crate::cli::Arguments;
use crate::cli::arguments::Command;

const KEY: &str = "InstrumentationKey=00000000-0000-0000-0000-000000000001";

fn source<'a>(arguments: impl IntoIterator<Item = &'a str>) -> ConfigSource {
    match Arguments::parse_from(arguments).command {
        Command::Forward(arguments) => arguments.source(),
        _ => panic!("another command"),
    }
}

#[test]
fn options_override_the_file_only_where_they_are_given() {
    let default = source(["azmon", "forward"]);
    assert_eq!((default.live_metrics, default.health), (None, None));
    assert!(default.inputs.is_empty());
    let options = "--no-live-metrics --otlp-http off --health h:1";
    let given = source(["azmon", "forward"].into_iter().chain(options.split(' ')));
    assert_eq!(given.live_metrics, Some(false));
    assert_eq!(given.inputs, [(InputKind::OtlpHttp, "off".to_owned())]);
    assert_eq!(given.health.as_deref(), Some("h:1"));
}

/// The instructions of the last stage of the container file, in order.
fn instructions() -> Vec<(String, String)> {
    const PATH: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../forwarder/deploy/Containerfile"
    );
    let file = std::fs::read_to_string(PATH).unwrap().replace("\\\n", "");
    let lines = file.lines().filter_map(|line| line.split_once(' '));
    let mut all: Vec<_> = lines
        .filter(|(name, _)| *name != "#")
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect();
    let stage = all.iter().rposition(|(name, _)| name == "FROM").unwrap();
    all.drain(..stage);
    all
}

#[test]
fn the_container_listens_as_the_program_does_and_publishes_those_ports() {
    let instructions = instructions();
    let of = |wanted: &str| {
        let mut found = instructions.iter().filter(|(name, _)| name == wanted);
        let (_, rest) = found.next().unwrap_or_else(|| panic!("no {wanted}"));
        assert_eq!(found.next(), None, "{wanted} is there twice");
        rest.as_str()
    };
    let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap();
    let port = |address: &str| address.rsplit_once(':').unwrap().1.to_owned();
    let ports = |config: &ForwarderConfig| {
        let inputs = config.inputs.iter();
        let mut ports: Vec<_> = inputs
            .map(|input| (input.kind, port(&input.address)))
            .collect();
        ports.sort_unstable();
        ports
    };
    let started = [list(of("ENTRYPOINT")), list(of("CMD"))].concat();
    let started = source(started.iter().map(String::as_str));
    let variable = |name: &str| (name == CONNECTION_STRING).then(|| KEY.to_owned());
    let config = started.read(variable).unwrap();
    let default = ConfigSource::default().read(variable).unwrap();
    assert_eq!(ports(&config), ports(&default));
    // The loopback address of a container is unreachable from outside.
    let health = config.health.as_deref().unwrap();
    let addresses = config.inputs.iter().map(|input| input.address.as_str());
    for address in addresses.chain([health]) {
        assert!(address.starts_with("0.0.0.0:"), "{address}");
    }
    let listening = ports(&config).into_iter().map(|(_, port)| port);
    let mut listening: Vec<_> = listening.chain([port(health)]).collect();
    listening.sort_unstable_by_key(|port| port.parse::<u16>().unwrap());
    let exposed: Vec<_> = of("EXPOSE").split(' ').collect();
    assert_eq!(exposed, listening);

    let program = of("COPY").rsplit_once(' ').unwrap().1;
    assert_eq!(
        program,
        format!("/usr/local/bin/{}", list(of("ENTRYPOINT"))[0])
    );
    let (user, storage) = (of("USER"), of("VOLUME"));
    assert_eq!(
        of("ENV").strip_prefix("XDG_CACHE_HOME="),
        storage.strip_suffix("/azmon")
    );
    for step in [
        format!("useradd --system --no-create-home {user} "),
        format!("install --directory --owner={user} {storage}"),
    ] {
        assert!(of("RUN").contains(&step), "{step}");
    }
}
