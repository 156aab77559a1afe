//! Panics, each in its own process: the hook belongs to the process, and some panics end it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Output;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use azmon::Telemetry;
use azmon::envelope::{Data, Envelope, SeverityLevel, tags};
use opentelemetry::trace::{FutureExt, TraceContextExt};

use crate::child;
use crate::support::{builder, exception, property, request, tag};

fn run(task: &str, backtrace: &str) -> (Vec<Envelope<'static>>, Output) {
    child::run("panics::panics", task, backtrace)
}

/// The exceptions among the items.
fn exceptions<'a>(envelopes: &'a [Envelope<'static>]) -> Vec<&'a Envelope<'static>> {
    let is_exception = |item: &&Envelope<'_>| matches!(item.data, Data::Exception(_));
    envelopes.iter().filter(is_exception).collect()
}

fn messages(envelopes: &[Envelope<'static>]) -> Vec<(String, Option<SeverityLevel>)> {
    let exceptions = exceptions(envelopes).into_iter().map(exception);
    exceptions
        .map(|data| (data.exceptions[0].message.to_string(), data.severity_level))
        .collect()
}

#[test]
fn a_panic_in_a_handler_is_an_exception_of_its_request_with_its_stack() {
    let (envelopes, output) = run("handler", "1");
    assert!(output.status.success(), "{output:?}");
    let exceptions = exceptions(&envelopes);
    let [envelope] = exceptions[..] else {
        panic!("{envelopes:?}")
    };
    let data = exception(envelope);
    let details = &data.exceptions[0];
    assert_eq!(details.type_name.as_deref(), Some("panic"));
    assert_eq!(details.message, "order 7 is lost");
    assert_eq!(data.severity_level, Some(SeverityLevel::Error));
    assert_eq!(
        tag(envelope, tags::OPERATION_NAME),
        Some("GET /orders/{id}")
    );
    let request = envelopes.iter().find_map(|item| match &item.data {
        Data::Request(data) => Some((item, data)),
        _ => None,
    });
    let (request, request_data) = request.unwrap();
    let id = tag(envelope, tags::OPERATION_ID);
    assert!(id.is_some() && id == tag(request, tags::OPERATION_ID));
    assert_eq!(
        tag(envelope, tags::OPERATION_PARENT_ID),
        Some(&*request_data.id)
    );
    assert!(
        property(envelope, "code.file.path")
            .unwrap()
            .ends_with("panics.rs")
    );
    assert!(property(envelope, "code.line.number").is_some());

    let frame = &details.parsed_stack[0];
    assert!(
        frame.method.contains("lose_order"),
        "{:#?}",
        details.parsed_stack
    );
    assert!(frame.file_name.as_deref().unwrap().ends_with("panics.rs"));
    assert_eq!(
        frame.line.map(|line| line.to_string()).as_deref(),
        property(envelope, "code.line.number")
    );
    assert_eq!(frame.level, 0);
    assert_eq!(details.has_full_stack, Some(true));
    assert_eq!(data.problem_id, None);
}

#[test]
fn a_panic_in_a_spawned_task_belongs_to_the_context_that_the_task_was_given() {
    let (envelopes, output) = run("task", "0");
    assert!(output.status.success(), "{output:?}");
    let exceptions = exceptions(&envelopes);
    let [envelope] = exceptions[..] else {
        panic!("{envelopes:?}")
    };
    let data = exception(envelope);
    assert_eq!(data.exceptions[0].message, "the task is lost");
    assert_eq!(
        tag(envelope, tags::OPERATION_NAME),
        Some("GET /orders/{id}")
    );
    assert!(tag(envelope, tags::OPERATION_PARENT_ID).is_some());
    // Without a stack, the location groups equal panics.
    assert_eq!(data.exceptions[0].has_full_stack, Some(false));
    let line = property(envelope, "code.line.number").unwrap();
    let problem = data.problem_id.as_deref().unwrap();
    assert!(
        problem.starts_with("panic at ") && problem.ends_with(line),
        "{problem}"
    );
}

#[test]
fn a_panic_that_aborts_is_sent_before_the_end() {
    for (task, expected) in [
        (
            "destructor",
            vec![
                ("first", SeverityLevel::Error),
                ("second", SeverityLevel::Error),
                (
                    "panic in a destructor during cleanup",
                    SeverityLevel::Critical,
                ),
            ],
        ),
        (
            "extern C",
            vec![
                ("out of bounds", SeverityLevel::Error),
                (
                    "panic in a function that cannot unwind",
                    SeverityLevel::Critical,
                ),
            ],
        ),
    ] {
        let (envelopes, output) = run(task, "1");
        assert_eq!(
            output.status.code(),
            None,
            "{task} did not abort: {output:?}"
        );
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(message, level)| (message.to_owned(), Some(level)))
            .collect();
        assert_eq!(messages(&envelopes), expected);
    }
}

#[test]
fn a_panic_of_the_main_thread_is_sent_at_once_and_the_previous_hook_is_called() {
    let (envelopes, output) = run("main", "0");
    let expected = [("the end".to_owned(), Some(SeverityLevel::Critical))];
    assert_eq!(messages(&envelopes), expected);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("the hook before: the end"), "{printed}");
}

#[test]
fn panics_are_not_reported_after_the_shutdown_nor_unless_asked_for() {
    for task in ["shut down", "not asked for"] {
        let (envelopes, output) = run(task, "0");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(messages(&envelopes), [], "{task}");
    }
}

#[test]
#[ignore = "other tests run it in a child process"]
fn panics() {
    let (task, connection_string) = child::told();
    if task == "main" {
        std::panic::set_hook(Box::new(|panic| {
            let text = panic.payload().downcast_ref::<&str>();
            println!("the hook before: {}", text.unwrap_or(&"something"));
        }));
    }
    let builder = builder(connection_string).panic_hook(task != "not asked for");
    // A guard that is dropped during unwinding would send the items that the hook does not.
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    let telemetry = TELEMETRY.get_or_init(|| builder.build().unwrap());
    match task.as_str() {
        "handler" => panic_in_handler(telemetry),
        "task" => panic_in_task(telemetry),
        "destructor" => in_thread(|| {
            let _bomb = Bomb;
            panic!("first");
        }),
        "extern C" => in_thread(|| cannot_unwind()),
        "main" => {
            // The test harness uses the real main thread itself.
            let thread = std::thread::Builder::new().name("main".to_owned());
            let panicked = thread.spawn(|| panic!("the end")).unwrap().join();
            assert!(panicked.is_err());
            std::process::abort();
        }
        "shut down" => {
            telemetry.shutdown(Duration::from_secs(5)).unwrap();
            in_thread(|| panic!("too late"));
        }
        "not asked for" => in_thread(|| panic!("nobody asked")),
        other => panic!("unknown task {other}"),
    }
    // Panics of threads and tasks do not end the process: they are sent like all other items.
    if task != "shut down" {
        telemetry.force_flush().unwrap();
    }
}

fn in_thread(work: impl FnOnce() + Send + 'static) {
    assert!(std::thread::spawn(work).join().is_err());
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("second");
    }
}

extern "C" fn cannot_unwind() {
    panic!("out of bounds");
}

#[tokio::main(flavor = "current_thread")]
async fn panic_in_handler(telemetry: &'static Telemetry) {
    let in_request =
        from_fn(move |request_: Request, next: Next| in_request(telemetry, request_, next));
    let app = Router::new()
        .route("/orders/7", get(lose_order))
        .layer(in_request);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    let answered = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "GET /orders/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer)
    });
    // The connection is closed without an answer.
    assert_eq!(answered.await.unwrap().unwrap(), 0);
}

async fn in_request(telemetry: &Telemetry, request_: Request, next: Next) -> Response {
    let context = request(telemetry, "GET /orders/{id}");
    next.run(request_).with_context(context).await
}

async fn lose_order() -> &'static str {
    if std::hint::black_box(true) {
        panic!("order {} is lost", 7);
    }
    "found"
}

#[tokio::main]
async fn panic_in_task(telemetry: &'static Telemetry) {
    let context = request(telemetry, "GET /orders/{id}");
    let task = async { panic!("the task is lost") };
    let joined = tokio::spawn(task.with_context(context.clone())).await;
    assert!(joined.unwrap_err().is_panic());
    assert!(context.span().span_context().is_valid());
}
