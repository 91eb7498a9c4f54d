//! What the first event needs, and asking for it does not.

use std::fmt::{self, Display};
use std::panic::resume_unwind;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::spawn_blocking;

/// A value that another thread makes while this one goes on. Reading settings and making AWS
/// clients is half of a function's start; Lambda gives a start more than one processor, and the
/// first event takes longer to come than they do.
pub struct Prepared<T, E>(Shared<BoxFuture<'static, Result<Arc<T>, E>>>);

impl<T, E> Prepared<T, E>
where
    T: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// Starts `making` on another thread. Must be called within a tokio runtime.
    pub fn by(making: impl FnOnce() -> Result<T, E> + Send + 'static) -> Self {
        let shared = spawn_blocking(making).map(|made| match made {
            Ok(value) => value.map(Arc::new),
            // Nothing aborts it: it panicked, and so does who needs the value.
            Err(failure) => resume_unwind(failure.into_panic()),
        });
        Self(shared.boxed().shared())
    }

    /// Serves with the value: ends as `serving` does, or as soon as it is known that there is no value.
    /// Nothing waits for an event to say so.
    pub async fn serve<R, F: From<E>>(&self, serving: impl Future<Output = Result<R, F>>) -> Result<R, F>
    where
        E: Display,
    {
        tokio::select! {
            Err(error) = self.get() => {
                tracing::error!(%error, "bad configuration");
                Err(error.into())
            }
            ended = serving => ended,
        }
    }

    /// The value as soon as it is made, or why there is none.
    pub async fn get(&self) -> Result<Arc<T>, E> {
        self.0.clone().await
    }
}

impl<T, E> fmt::Debug for Prepared<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared")
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use super::*;

    #[tokio::test]
    async fn is_made_once_on_another_thread() {
        let here = thread::current().id();
        let prepared = Prepared::by(|| Ok::<ThreadId, ()>(thread::current().id()));
        let (one, other) = (prepared.get().await.unwrap(), prepared.get().await.unwrap());
        assert_ne!(*one, here);
        assert!(Arc::ptr_eq(&one, &other));
    }

    #[tokio::test]
    async fn whoever_asks_is_told_why_there_is_none() {
        let prepared = Prepared::by(|| Err::<(), _>("no rubric"));
        assert_eq!(prepared.get().await.unwrap_err(), "no rubric");
        assert_eq!(prepared.get().await.unwrap_err(), "no rubric");
    }

    #[tokio::test]
    async fn who_serves_ends_where_there_is_no_value() {
        let without = Prepared::by(|| Err::<(), _>("no rubric"));
        let ended: Result<(), String> = without.serve(std::future::pending()).await;
        assert_eq!(ended.unwrap_err(), "no rubric");
        let with = Prepared::by(|| Ok::<u8, &str>(3));
        let ended: Result<u8, String> = with.serve(async { Ok(*with.get().await?) }).await;
        assert_eq!(ended, Ok(3));
    }

    #[tokio::test]
    #[should_panic(expected = "no client")]
    async fn a_panic_reaches_who_needs_the_value() {
        let _ = Prepared::by(|| if true { panic!("no client") } else { Ok::<(), ()>(()) }).get().await;
    }
}
