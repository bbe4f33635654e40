//! Sources that live in the test.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use concord_prove::{Question, Reason, Source, Terms, Time};

use super::maker::{Chain, time_at};

/// Every future here is ready at once, as no source waits for anything.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("no source of these tests waits"),
    }
}

/// 14 days and 10 seconds.
pub(crate) fn terms() -> Terms {
    Terms::new(14 * 86_400, 10).unwrap()
}

/// A second after the block of this height.
pub(crate) fn after(height: u64) -> Time {
    (time_at(height) + std::time::Duration::from_secs(1)).unwrap()
}

type Tweak<'c> = Box<dyn Fn(&str, String) -> Result<String, Reason> + Send + Sync + 'c>;

/// A source that answers from a chain, and may lie.
pub(crate) struct Node<'c> {
    label: String,
    answer: Box<dyn Fn(&Question) -> String + Send + Sync + 'c>,
    tweak: Tweak<'c>,
    asked: Mutex<Vec<(String, String)>>,
}

impl<'c> Node<'c> {
    pub(crate) fn honest(label: &str, chain: &'c Chain) -> Self {
        Self::from_answers(label, move |question| chain.answer(question.body()))
    }

    pub(crate) fn from_answers(label: &str, answer: impl Fn(&Question) -> String + Send + Sync + 'c) -> Self {
        Self {
            label: label.to_owned(),
            answer: Box::new(answer),
            tweak: Box::new(|_, body| Ok(body)),
            asked: Mutex::default(),
        }
    }

    /// The same source with its answers changed: the function gets a question's name and the honest answer.
    pub(crate) fn tweaked(
        mut self,
        tweak: impl Fn(&str, String) -> Result<String, Reason> + Send + Sync + 'c,
    ) -> Self {
        self.tweak = Box::new(tweak);
        self
    }

    /// A source that is not there.
    pub(crate) fn dead(label: &str) -> Self {
        Self::from_answers(label, |_| String::new())
            .tweaked(|_, _| Err(Reason::NoAnswer { why: "connection refused".to_owned() }))
    }

    /// The names of all questions so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }

    /// The honest answers to all questions so far.
    pub(crate) fn answers(&self) -> BTreeMap<String, String> {
        self.asked.lock().unwrap().iter().cloned().collect()
    }
}

impl Source for Node<'_> {
    fn label(&self) -> String {
        self.label.clone()
    }

    async fn ask(&self, question: &Question) -> Result<Vec<u8>, Reason> {
        let answer = (self.answer)(question);
        self.asked.lock().unwrap().push((question.name(), answer.clone()));
        (self.tweak)(&question.name(), answer).map(String::into_bytes)
    }
}
