//! The steps as spans of the crate tracing.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use managed_daemons::RedisDaemon;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A span that was seen.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) name: &'static str,
    target: String,
    pub(super) parent: Option<u64>,
    fields: HashMap<&'static str, String>,
    pub(super) closed: bool,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Notes the spans of one thread.
#[derive(Default, Clone)]
pub(super) struct Notes {
    last: Arc<AtomicU64>,
    pub(super) spans: Arc<Mutex<HashMap<u64, Seen>>>,
    pub(super) entered: Arc<Mutex<Vec<u64>>>,
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "managed_daemons"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut seen = Seen {
            name: span.metadata().name(),
            target: span.metadata().target().to_owned(),
            parent: self.entered.lock().unwrap().last().copied(),
            ..Seen::default()
        };
        span.record(&mut seen);
        self.spans.lock().unwrap().insert(id, seen);
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(self.spans.lock().unwrap().get_mut(&span.into_u64()).unwrap());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        self.entered.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.entered.lock().unwrap().pop(), Some(span.into_u64()));
    }

    fn try_close(&self, span: Id) -> bool {
        self.spans.lock().unwrap().get_mut(&span.into_u64()).unwrap().closed = true;
        true
    }
}

#[test]
fn a_subscriber_sees_the_steps_of_a_start() {
    let notes = Notes::default();
    let password = tracing::subscriber::with_default(notes.clone(), || {
        let redis = RedisDaemon::start().unwrap();
        redis.password().unwrap().to_owned()
    });
    assert!(notes.entered.lock().unwrap().is_empty());
    let spans = notes.spans.lock().unwrap();
    let named = |name: &str| {
        spans
            .values()
            .find(|span| span.name == name)
            .unwrap_or_else(|| panic!("{name}: {spans:#?}"))
    };
    let parent = |name: &str| named(name).parent.map(|parent| spans[&parent].name);
    assert_eq!(parent("start"), None);
    for phase in ["find", "configure", "spawn", "readiness", "ready"] {
        assert_eq!(parent(phase), Some("start"), "{phase}");
    }
    assert_eq!(parent("probe"), Some("readiness"));
    assert_eq!(parent("kill"), None);
    assert_eq!(named("start").fields["daemon"], "redis");
    assert!(named("start").fields["dir"].contains("-redis-"));
    assert!(named("find").fields.contains_key("from"));
    let probes = spans.values().filter(|span| span.name == "probe").count();
    assert_eq!(named("readiness").fields["count"], probes.to_string());
    for span in spans.values() {
        assert!(span.closed && span.target == "managed_daemons", "{span:?}");
        assert!(!format!("{span:?}").contains(&password), "{span:?}");
    }
}
