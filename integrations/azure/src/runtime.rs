//! The runtime on which the Azure SDK spawns tasks, with the caller's OpenTelemetry context.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::thread;

use azure_core::async_runtime::{
    AbortableTask, AsyncRuntime, SpawnedTask, TaskFuture, set_async_runtime,
};
use azure_core::time::Duration;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Whether [`propagate_context`] has installed its runtime.
static INSTALLED: Mutex<bool> = Mutex::new(false);

/// Keeps partitioned transfers and prefetched pages in the caller's trace.
///
/// The SDK spawns tasks for both. Without this function these tasks lose the OpenTelemetry context and start
/// their own traces. The function installs a Tokio runtime that propagates the context. The SDK has one runtime
/// for the process: call the function once, at the start of the program, before the first client is made. A
/// second call does nothing.
///
/// # Errors
///
/// Fails if the SDK already has another runtime: one that was installed, or its default, which it selects at the
/// first call that needs a runtime. Tracing works without the propagation; only the spawned tasks lose their
/// trace.
pub fn propagate_context() -> azure_core::Result<()> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*installed {
        propagate_context_with(Arc::new(TokioRuntime))?;
        *installed = true;
    }
    Ok(())
}

/// Does the same as [`propagate_context`], with another runtime than Tokio.
///
/// # Errors
///
/// Fails if the SDK has a runtime already.
pub fn propagate_context_with(runtime: Arc<dyn AsyncRuntime>) -> azure_core::Result<()> {
    set_async_runtime(Arc::new(Propagating { inner: runtime }))
}

/// Passes the caller's context to the tasks that it spawns.
struct Propagating {
    inner: Arc<dyn AsyncRuntime>,
}

impl AsyncRuntime for Propagating {
    fn spawn(&self, future: TaskFuture) -> SpawnedTask {
        self.inner
            .spawn(Box::pin(future.with_context(Context::current())))
    }

    fn sleep(&self, duration: Duration) -> TaskFuture {
        self.inner.sleep(duration)
    }

    fn yield_now(&self) -> TaskFuture {
        self.inner.yield_now()
    }
}

/// The Tokio runtime. Outside a Tokio runtime, tasks fail and sleeps use a thread, instead of a panic.
struct TokioRuntime;

impl AsyncRuntime for TokioRuntime {
    fn spawn(&self, future: TaskFuture) -> SpawnedTask {
        let handle = Handle::try_current().map(|runtime| runtime.spawn(future));
        Box::pin(Task {
            handle: Some(handle.map_err(Into::into)),
        })
    }

    fn sleep(&self, duration: Duration) -> TaskFuture {
        // A negative duration counts as zero.
        let duration = std::time::Duration::try_from(duration).unwrap_or_default();
        if Handle::try_current().is_ok() {
            return Box::pin(tokio::time::sleep(duration));
        }
        let (waker, sleeper) = oneshot::channel::<()>();
        let pause = move || {
            thread::sleep(duration);
            drop(waker);
        };
        // If the thread cannot start, the waker is dropped at once, and the sleep ends with it.
        let _ = thread::Builder::new().spawn(pause);
        Box::pin(async {
            let _ = sleeper.await;
        })
    }

    fn yield_now(&self) -> TaskFuture {
        Box::pin(tokio::task::yield_now())
    }
}

type TaskError = Box<dyn Error + Send>;

/// A spawned task, or the reason for the failed spawn. Polled again after its end, it reports success.
struct Task {
    handle: Option<Result<JoinHandle<()>, NoRuntime>>,
}

/// The error of a task outside a runtime of Tokio.
struct NoRuntime(TaskError);

impl From<tokio::runtime::TryCurrentError> for NoRuntime {
    fn from(error: tokio::runtime::TryCurrentError) -> Self {
        Self(Box::new(error))
    }
}

impl Future for Task {
    type Output = Result<(), TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let output = match self.handle.take() {
            None => Ok(()),
            Some(Err(NoRuntime(error))) => Err(error),
            Some(Ok(mut handle)) => match Pin::new(&mut handle).poll(cx) {
                Poll::Ready(output) => output.map_err(|error| Box::new(error) as TaskError),
                Poll::Pending => {
                    self.handle = Some(Ok(handle));
                    return Poll::Pending;
                }
            },
        };
        Poll::Ready(output)
    }
}

impl AbortableTask for Task {
    fn abort(&self) {
        if let Some(Ok(handle)) = &self.handle {
            handle.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::Instant;

    use opentelemetry::ContextGuard;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Trace(u32);

    fn attach(number: u32) -> ContextGuard {
        Context::new().with_value(Trace(number)).attach()
    }

    fn propagating() -> Propagating {
        Propagating {
            inner: Arc::new(TokioRuntime),
        }
    }

    #[tokio::test]
    async fn a_task_runs_in_the_context_of_its_caller() {
        let runtime = propagating();
        let (sender, receiver) = oneshot::channel();
        let task = {
            let _attached = attach(7);
            runtime.spawn(Box::pin(async {
                tokio::task::yield_now().await;
                let found = Context::map_current(|context| context.get() == Some(&Trace(7)));
                let _ = sender.send(found);
            }))
        };
        task.await.unwrap();
        assert!(receiver.await.unwrap());
    }

    #[tokio::test]
    async fn a_task_that_is_aborted_ends() {
        let task = propagating().spawn(Box::pin(std::future::pending()));
        task.abort();
        assert!(task.await.is_err());
    }

    #[tokio::test]
    async fn a_task_that_panics_fails() {
        let task = propagating().spawn(Box::pin(async { panic!("on purpose") }));
        assert!(task.await.is_err());
    }

    #[tokio::test]
    async fn a_task_can_be_awaited_after_its_end() {
        let mut task = propagating().spawn(Box::pin(async {}));
        task.as_mut().await.unwrap();
        task.as_mut().await.unwrap();
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_takes_its_time() {
        let start = tokio::time::Instant::now();
        propagating().sleep(Duration::seconds(60)).await;
        assert_eq!(start.elapsed(), std::time::Duration::from_secs(60));
        propagating().sleep(Duration::seconds(-1)).await;
        propagating().yield_now().await;
    }

    #[test]
    fn outside_a_runtime_a_task_fails_and_a_pause_still_ends() {
        let runtime = propagating();
        let mut task = runtime.spawn(Box::pin(async {}));
        let mut cx = TaskContext::from_waker(Waker::noop());
        let Poll::Ready(result) = task.as_mut().poll(&mut cx) else {
            panic!("it waits for a runtime");
        };
        assert!(result.is_err());
        let start = Instant::now();
        let pause = runtime.sleep(Duration::milliseconds(20));
        let tokio = tokio::runtime::Builder::new_current_thread().build();
        tokio.unwrap().block_on(pause);
        assert!(start.elapsed() >= std::time::Duration::from_millis(20));
    }
}
