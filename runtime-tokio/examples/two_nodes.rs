//! Two agents in one test: what a program that embeds an agent may test of itself, without a network and without waiting for longer than it takes.
//!
//! `cargo test --example two_nodes`, or `cargo run --example two_nodes`.

use std::time::Duration;

use rumormill_tokio::core::Config;
use rumormill_tokio::core::io::EventRequest;
use rumormill_tokio::{Agent, Error, Event, Handle};

async fn start(name: &str, join: Vec<String>) -> Result<Handle, Error> {
    let anywhere = ([127, 0, 0, 1], 0).into();
    Agent::builder().name(name).bind(anywhere).config(Config::local()).join(join).start().await
}

async fn two_nodes() -> Result<(), Box<dyn std::error::Error>> {
    let a = start("a", vec![]).await?;
    let mut events = a.events();
    let b = start("b", vec![a.addr().to_string()]).await?;
    a.watch_members().wait_for(|members| members.len() == 2).await?;
    b.user_event(EventRequest {
        name: "deploy".into(),
        payload: b"1.2.3".as_slice().into(),
        coalesce: false,
    })
    .await?;
    while let Some(Ok(event)) = events.next().await {
        if let Event::User(event) = event {
            println!("{} says {}: {}", event.origin, event.name, String::from_utf8_lossy(&event.payload));
            assert_eq!(&*event.payload, b"1.2.3");
            break;
        }
    }
    b.leave().await?;
    a.shutdown().await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::time::timeout(Duration::from_secs(30), two_nodes()).await?
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn an_event_travels_from_one_to_the_other() {
        tokio::time::timeout(std::time::Duration::from_secs(30), super::two_nodes()).await.unwrap().unwrap();
    }
}
