//! Async functions for `prepare`, several of which may run in one thread.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use managed_daemons::PostgresDatabase;
use serde_json::Value;

use super::spans::Notes;
use super::{read, steps, times, VARIABLE};
use crate::support::{private_root, Run};

static BEGUN: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

/// Ends when two have begun, and the one that began before this one has ended. So neither is within
/// the other.
async fn prepare<const NUMBER: usize>(_: &PostgresDatabase) {
    let before = BEGUN.fetch_add(1, Ordering::Relaxed);
    poll_fn(|context| {
        context.waker().wake_by_ref();
        match BEGUN.load(Ordering::Relaxed) == 2 && ENDED.load(Ordering::Relaxed) == before {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    ENDED.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn functions_that_run_at_the_same_time_are_spans_beside_each_other() {
    let notes = Notes::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tracing::subscriber::with_default(notes.clone(), || {
        // Whatever another process of this name has prepared in this run.
        let own = format!("-- {} of {:?}", std::process::id(), std::time::SystemTime::now());
        let builder = || PostgresDatabase::builder().init_sql(&own);
        let one = builder().prepare(prepare::<1>).start_async();
        let other = builder().prepare(prepare::<2>).start_async();
        let (one, other) = runtime.block_on(async { tokio::join!(one, other) });
        drop((one.unwrap(), other.unwrap()));
    });
    assert!(notes.entered.lock().unwrap().is_empty());
    let spans = notes.spans.lock().unwrap();
    let prepared: Vec<_> = spans.values().filter(|span| span.name == "prepare").collect();
    assert_eq!(prepared.len(), 2, "{spans:#?}");
    for span in prepared {
        assert!(span.closed && span.parent.is_none(), "{span:?}");
    }
}

/// A viewer shows the steps of a line as a stack, so one must be within the other or end before it.
#[test]
fn functions_that_run_at_the_same_time_have_lines_of_their_own_in_the_file() {
    let dir = private_root();
    let file = dir.path().join("trace.json");
    let mut run = Run::with_variable(VARIABLE, &file);
    // The test above, as a process of that run.
    let test = "trace::prepare::functions_that_run_at_the_same_time_are_spans_beside_each_other";
    let program = std::env::current_exe().unwrap();
    let log = dir.path().join("log");
    let command = format!("{} --exact {test} >{} 2>&1;", program.display(), log.display());
    run.start_through("own 0", &command).end();
    run.end();
    run.assert_nothing_left();

    let events = read(&file);
    let is_prepared = |event: &&Value| {
        let name = event["name"].as_str().unwrap();
        event["ph"] == "X" && name.starts_with("prepare ")
    };
    let prepared: Vec<&Value> = events.iter().filter(is_prepared).collect();
    let [one, other] = prepared[..] else {
        panic!("{prepared:#?}\n{}", std::fs::read_to_string(log).unwrap());
    };
    assert!(times(one).0 < times(other).1 && times(other).0 < times(one).1);
    for step in [one, other] {
        let is_in_line = |event: &&Value| event["pid"] == step["pid"] && event["tid"] == step["tid"];
        let line: Vec<&Value> = events.iter().filter(is_in_line).collect();
        let names: Vec<&Value> = line.iter().map(|event| &event["name"]).collect();
        assert_eq!(names, [&Value::from("thread_name"), &step["name"]], "{line:#?}");
        assert_eq!(line[0]["args"]["name"], "prepare");
    }
    assert_eq!(steps(&events, "take the database").len(), 4);
}
