//! What is answered to which request.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::time::timeout;

use super::Options;
use super::health::{Health, live, ready};
use crate::metrics::{CONTENT_TYPE as METRICS_TYPE, Readings};

/// How long the core may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const PATHS: &str = "there are /metrics, /healthz and /readyz";

type Answer = Response<Full<Bytes>>;

pub(super) async fn answer(request: Request<Incoming>, options: &Options) -> Answer {
    let path = request.uri().path();
    if !matches!(path, "/metrics" | "/healthz" | "/readyz") {
        return plain(StatusCode::NOT_FOUND, format!("nothing is here; {PATHS}\n"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused =
            plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n".into());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let readings = read(options).await;
    match path {
        "/metrics" => match readings {
            Ok(readings) => with_type(StatusCode::OK, METRICS_TYPE, readings.to_prometheus()),
            Err(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
        },
        "/healthz" => health(&live(readings.as_ref()), request.headers()),
        _ => health(&ready(readings.as_ref(), options.expects.is_met_by(&readings)), request.headers()),
    }
}

/// What the agent says of itself, or why it says nothing.
async fn read(options: &Options) -> Result<Readings, String> {
    match timeout(PATIENCE, options.sources.read()).await {
        Ok(Ok(readings)) => Ok(readings),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("the core did not answer within {PATIENCE:?}")),
    }
}

fn health(health: &Health, headers: &HeaderMap) -> Answer {
    let status = if health.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if wants_json(headers) {
        return with_type(status, JSON, health.to_json());
    }
    plain(status, health.to_text())
}

/// Whether JSON stands among what a client takes, by name: `*/*` takes the text too.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepts.flat_map(|accept| accept.split(',')).any(|one| {
        let (kind, parameters) = one.split_once(';').unwrap_or((one, ""));
        let refused = parameters.split(';').any(|parameter| {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            key.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>() == Ok(0.0)
        });
        kind.trim().eq_ignore_ascii_case(JSON) && !refused
    })
}

fn plain(status: StatusCode, text: String) -> Answer {
    with_type(status, TEXT, text)
}

fn with_type(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // What is true now is not what a cache has.
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_who_asks_for_it_by_name() {
        let wants = |accepts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for accept in accepts {
                headers.append(ACCEPT, HeaderValue::from_static(accept));
            }
            wants_json(&headers)
        };
        assert!(wants(&["application/json"]));
        assert!(wants(&["text/html, Application/JSON;q=0.9"]));
        assert!(wants(&["text/html", "application/json; charset=utf-8"]));
        for accepts in [&[][..], &["*/*"], &["text/plain"], &["application/json;q=0"], &["application/jsonp"]]
        {
            assert!(!wants(accepts), "{accepts:?}");
        }
    }
}
