//! An agent in thirty lines: starts, joins whom the command line names, and prints what happens.
//!
//! ```text
//! cargo run --example minimal -- a 127.0.0.1:7946
//! cargo run --example minimal -- b 127.0.0.1:7947 127.0.0.1:7946
//! ```

use rumormill_tokio::{Agent, Event, Member};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (name, bind) = args.next().zip(args.next()).ok_or("usage: minimal NAME IP:PORT [PEER]...")?;
    let agent = Agent::builder().name(name).bind(bind.parse()?).join(args.collect()).start().await?;
    let mut events = agent.events();
    println!("{} at {}, {} members", agent.name(), agent.addr(), agent.members().len());
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(Event::Members(event))) => {
                    let names: Vec<_> = event.members.iter().map(Member::name).collect();
                    println!("{}: {}", event.kind.name(), names.join(", "));
                }
                Some(Ok(event)) => println!("{event:?}"),
                Some(Err(missed)) => println!("too slow: {missed:?}"),
                None => return Ok(()),
            },
            _ = tokio::signal::ctrl_c() => agent.leave().await?,
        }
    }
}
