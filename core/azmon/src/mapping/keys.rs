//! The attributes that rules may use for a field, looked up by name without hashing at run time.

/// Declares [`Key`] and its names from one table.
macro_rules! keys {
    ($($variant:ident = $name:literal,)+) => {
        /// A known attribute.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Key {
            $($variant,)+
        }

        impl Key {
            /// Every key with its name; the index of a key is its number.
            const NAMED: &'static [(Self, &'static str)] = &[$((Self::$variant, $name),)+];
        }
    };
}

keys! {
    // Overrides and identity.
    AiDeviceId = "ai.device.id",
    AiDeviceModel = "ai.device.model",
    AiDeviceOsVersion = "ai.device.osVersion",
    AiDeviceType = "ai.device.type",
    AiOperationName = "ai.operation.name",
    EnduserId = "enduser.id",
    EnduserPseudoId = "enduser.pseudo.id",
    MicrosoftAvailabilityDuration = "microsoft.availability.duration",
    MicrosoftAvailabilityId = "microsoft.availability.id",
    MicrosoftAvailabilityMessage = "microsoft.availability.message",
    MicrosoftAvailabilityName = "microsoft.availability.name",
    MicrosoftAvailabilityRunLocation = "microsoft.availability.runLocation",
    MicrosoftAvailabilitySuccess = "microsoft.availability.success",
    MicrosoftAvailabilityTestTimestamp = "microsoft.availability.testTimestamp",
    MicrosoftClientIp = "microsoft.client.ip",
    MicrosoftCustomEventName = "microsoft.custom_event.name",
    MicrosoftCustomMeasurements = "microsoft.custom_measurements",
    MicrosoftDependencyData = "microsoft.dependency.data",
    MicrosoftDependencyName = "microsoft.dependency.name",
    MicrosoftDependencyResultCode = "microsoft.dependency.resultCode",
    MicrosoftDependencyTarget = "microsoft.dependency.target",
    MicrosoftDependencyType = "microsoft.dependency.type",
    MicrosoftOperationName = "microsoft.operation_name",
    MicrosoftRequestName = "microsoft.request.name",
    MicrosoftRequestResultCode = "microsoft.request.resultCode",
    MicrosoftRequestSource = "microsoft.request.source",
    MicrosoftRequestUrl = "microsoft.request.url",
    MicrosoftSampleRate = "microsoft.sample_rate",
    MicrosoftSessionId = "microsoft.session.id",
    MicrosoftSyntheticSource = "microsoft.synthetic_source",
    MicrosoftUserAccountId = "microsoft.user.account_id",
    MsLinks = "_MS.links",
    MsSampleRate = "_MS.sampleRate",
    SessionId = "session.id",
    StatusDescription = "otel.status_description",
    // HTTP and URL.
    HttpClientIp = "http.client_ip",
    HttpHost = "http.host",
    HttpMethod = "http.method",
    HttpRequestMethod = "http.request.method",
    HttpResponseStatusCode = "http.response.status_code",
    HttpRoute = "http.route",
    HttpScheme = "http.scheme",
    HttpServerName = "http.server_name",
    HttpStatusCode = "http.status_code",
    HttpTarget = "http.target",
    HttpUrl = "http.url",
    HttpUserAgent = "http.user_agent",
    UrlFull = "url.full",
    UrlPath = "url.path",
    UrlQuery = "url.query",
    UrlScheme = "url.scheme",
    UserAgentOriginal = "user_agent.original",
    UserAgentSyntheticType = "user_agent.synthetic.type",
    // Hosts and ports.
    ClientAddress = "client.address",
    NetHostName = "net.host.name",
    NetHostPort = "net.host.port",
    NetPeerIp = "net.peer.ip",
    NetPeerName = "net.peer.name",
    NetPeerPort = "net.peer.port",
    NetSockPeerAddr = "net.sock.peer.addr",
    NetSockPeerPort = "net.sock.peer.port",
    NetworkPeerAddress = "network.peer.address",
    NetworkPeerPort = "network.peer.port",
    PeerAddress = "peer.address",
    PeerService = "peer.service",
    ServerAddress = "server.address",
    ServerPort = "server.port",
    ServicePeerName = "service.peer.name",
    // Databases.
    DbName = "db.name",
    DbNamespace = "db.namespace",
    DbOperation = "db.operation",
    DbOperationName = "db.operation.name",
    DbQueryText = "db.query.text",
    DbStatement = "db.statement",
    DbSystem = "db.system",
    DbSystemName = "db.system.name",
    // Remote procedure calls.
    RpcGrpcStatusCode = "rpc.grpc.status_code",
    RpcResponseStatusCode = "rpc.response.status_code",
    RpcSystem = "rpc.system",
    RpcSystemName = "rpc.system.name",
    // Messaging, Azure, generative AI.
    AzNamespace = "az.namespace",
    AzureResourceProviderNamespace = "azure.resource_provider.namespace",
    GenAiProviderName = "gen_ai.provider.name",
    GenAiSystem = "gen_ai.system",
    MessageBusDestination = "message_bus.destination",
    MessagingDestination = "messaging.destination",
    MessagingDestinationName = "messaging.destination.name",
    MessagingSystem = "messaging.system",
    // Errors.
    ErrorType = "error.type",
    // Events and logs.
    CodeFilePath = "code.file.path",
    CodeLineNumber = "code.line.number",
    ExceptionCauseMessage = "exception.cause.message",
    ExceptionCauseType = "exception.cause.type",
    ExceptionMessage = "exception.message",
    ExceptionStacktrace = "exception.stacktrace",
    ExceptionType = "exception.type",
}

impl Key {
    /// The number of keys. At most 128, because the set of used keys is a `u128`.
    pub(super) const COUNT: usize = Self::NAMED.len();

    /// The attribute's name.
    pub(super) fn name(self) -> &'static str {
        Self::NAMED.get(self as usize).map_or("", |(_, name)| name)
    }

    /// The key with this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let mut place = hash(name.as_bytes());
        loop {
            let number = SLOTS.get(place).copied().unwrap_or(EMPTY);
            let (key, known) = Self::NAMED.get(usize::from(number))?;
            if *known == name {
                return Some(*key);
            }
            place = (place + 1) % SLOTS.len();
        }
    }
}

/// Whether the mapping reads the attribute of this name.
pub(crate) fn reads(name: &str) -> bool {
    Key::of(name).is_some()
}

/// An open-addressed table of key numbers, built at compile time. Less than a fifth is occupied.
static SLOTS: [u8; 512] = slots();

const EMPTY: u8 = u8::MAX;

const _: () = assert!(Key::COUNT <= 128, "the used keys are bits of one u128");

const fn slots() -> [u8; 512] {
    let mut slots = [EMPTY; 512];
    let mut number = 0;
    while number < Key::COUNT {
        let mut place = hash(Key::NAMED[number].1.as_bytes());
        while slots[place] != EMPTY {
            place = (place + 1) % slots.len();
        }
        slots[place] = number as u8;
        number += 1;
    }
    slots
}

/// The length and three bytes distinguish all but a few known names; the factors were found by trial.
const fn hash(name: &[u8]) -> usize {
    let length = name.len();
    if length < 4 {
        return length;
    }
    let (last, middle, fourth_last) = (name[length - 1], name[length / 2], name[length - 4]);
    let sum =
        length * 154 + last as usize * 390 + middle as usize * 463 + fourth_last as usize * 432;
    sum % 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_key_and_no_other_name_does() {
        for (number, (key, name)) in Key::NAMED.iter().enumerate() {
            assert_eq!(*key as usize, number, "{name}");
            assert_eq!(key.name(), *name);
            assert_eq!(Key::of(name), Some(*key), "{name}");
            assert_eq!(Key::of(&name.to_uppercase()), None, "{name}");
            assert_eq!(Key::of(&format!("{name}x")), None, "{name}");
        }
        for name in ["", "a", "é", "http.request.header.x-id", "世界"] {
            assert_eq!(Key::of(name), None, "{name}");
        }
    }

    #[test]
    fn the_operations_name_has_the_attribute_of_the_integrations() {
        let name = Key::MicrosoftOperationName.name();
        assert_eq!(name, crate::instrument::OperationName::ATTRIBUTE);
    }

    #[test]
    fn a_lookup_compares_few_names() {
        let longest = SLOTS.split(|slot| *slot == EMPTY).map(<[u8]>::len).max();
        assert!(longest <= Some(4), "{longest:?} names in one run");
    }
}
