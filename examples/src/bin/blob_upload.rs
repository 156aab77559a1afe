//! Uploads a file to a storage account with the Azure SDK, and shows each call as a dependency.
//!
//! It creates a container or finds the existing one, uploads and downloads a blob, and requests a missing blob.
//!
//! ```text
//! export APP_STORAGE_ACCOUNT_URL='https://ACCOUNT.blob.core.windows.net/?SAS'
//! cargo run -p azmon-examples --bin blob_upload -- --console
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use azmon::Telemetry;
use azure_core::Bytes;
use azure_core::http::{StatusCode, Url};
use azure_storage_blob::{
    BlobClient, BlobContainerClient, BlobServiceClient, BlobServiceClientOptions,
};
use clap::Parser;
use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer};
use opentelemetry::{Context, global};

/// The uploaded text if no file is given.
const THIS_PROGRAM: &str = include_str!("blob_upload.rs");

#[derive(Debug, Parser)]
struct Arguments {
    /// The URL of the storage account, with a shared access signature.
    #[arg(long, env = "APP_STORAGE_ACCOUNT_URL", hide_env_values = true)]
    account: Url,
    /// Print the spans, and send them nowhere.
    #[arg(long)]
    console: bool,
    /// The file to upload; by default, the source of this program.
    file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut builder = Telemetry::builder().service_name("blob_upload");
    if arguments.console {
        builder = builder.console().environment(|_| None);
    }
    let telemetry = builder.build()?;
    // Must precede the first client, so that partitioned transfers stay in the trace.
    azmon_azure::propagate_context()?;
    let result = in_span("mainapp", upload_to(&arguments)).await;
    telemetry.shutdown(Duration::from_secs(5))?;
    result
}

async fn upload_to(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let content = match &arguments.file {
        Some(path) => std::fs::read(path)?,
        None => THIS_PROGRAM.into(),
    };
    let container = service(&arguments.account)?.blob_container_client("demo");
    let name = arguments.file.as_ref().and_then(|path| path.file_name());
    let name = name.map_or_else(|| "main.rs".into(), |name| name.to_string_lossy());
    let work = async {
        create(&container).await?;
        // A large file is uploaded in several calls. This span is their common parent.
        in_span("upload", upload(&container.blob_client(&name), content)).await?;
        say_whether_there(&container.blob_client("missing")).await
    };
    in_span("upload_to", work).await
}

fn service(account: &Url) -> azure_core::Result<BlobServiceClient> {
    let mut options = BlobServiceClientOptions::default();
    azmon_azure::instrument(&mut options.client_options);
    BlobServiceClient::new(account.clone(), None, Some(options))
}

#[expect(clippy::print_stdout, reason = "the program talks to a person")]
async fn create(container: &BlobContainerClient) -> Result<(), Box<dyn Error>> {
    match container.create(None).await {
        Ok(_) => println!("container created"),
        Err(error) if error.http_status() == Some(StatusCode::Conflict) => {
            println!("container already exists (ignored)");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the program talks to a person")]
async fn upload(blob: &BlobClient, content: Vec<u8>) -> Result<(), Box<dyn Error>> {
    let size = content.len();
    blob.upload(Bytes::from(content).into(), None).await?;
    let downloaded = blob.download(None).await?.body.collect().await?;
    println!("{size} bytes uploaded, {} downloaded", downloaded.len());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the program talks to a person")]
async fn say_whether_there(blob: &BlobClient) -> Result<(), Box<dyn Error>> {
    let there = if blob.exists().await? {
        "there"
    } else {
        "missing"
    };
    println!("the other blob is {there}");
    Ok(())
}

/// Runs `work` in its own span.
async fn in_span<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let context = Context::current_with_span(global::tracer("blob_upload").start(name));
    let output = work.with_context(context.clone()).await;
    context.span().end();
    output
}
