//! The HTTP client of these tests, for which an error status is an answer like any other.

use ureq::http::{Request, Response};
use ureq::{Agent, AsSendBody, Body};

use crate::support::PATIENCE;

/// The parts of an answer that tests compare.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

pub(super) fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE));
    config.build().into()
}

pub(super) fn send(request: Request<impl AsSendBody>) -> Response<Body> {
    agent().run(request).unwrap()
}

/// The answer to a GET request, with its headers.
pub(super) fn get(url: &str) -> Response<Body> {
    send(Request::get(url).body(()).unwrap())
}

pub(super) fn answer(url: &str) -> Answer {
    Answer::of(get(url))
}

impl Answer {
    pub(super) fn of(mut response: Response<Body>) -> Self {
        Self {
            status: response.status().as_u16(),
            body: response.body_mut().read_to_string().unwrap(),
        }
    }
}

/// A header of an answer.
pub(super) fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
