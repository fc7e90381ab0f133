//! Starting, stopping and slowness.

use std::time::{Duration, Instant};

use sandbox::devto::{Community, Devto, Fault};
use tokio::net::TcpSocket;

use crate::client::{ask, client, json};

#[tokio::test]
async fn a_stopped_site_resets_who_is_waiting_and_can_be_served_on_its_address_again() {
    // Holds the port while nobody listens on it, or another test might take it.
    let port = TcpSocket::new_v4().unwrap();
    port.set_reuseaddr(true).unwrap();
    port.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = port.local_addr().unwrap();

    let devto = Devto::serve_on(addr, Community::empty()).await.unwrap();
    let url = format!("{}/api/articles", devto.url());
    devto.misbehave("/api/articles", 1, Fault::Hang);
    let waiting = tokio::spawn(client().get(&url).send());
    devto.until_requested("/api/articles").await;
    devto.stop().await.unwrap();
    waiting.await.unwrap().unwrap_err();
    assert!(client().get(&url).send().await.unwrap_err().is_connect());

    let again = Devto::serve_on(addr, Community::empty()).await.unwrap();
    assert_eq!(again.addr(), addr);
    json(&again, "/api/articles").await;
}

#[tokio::test]
async fn a_dropped_site_lets_go_of_its_connections() {
    let devto = Devto::serve(Community::empty()).await.unwrap();
    let url = format!("{}/api/articles", devto.url());
    devto.misbehave("/api/articles", 1, Fault::Hang);
    let waiting = tokio::spawn(client().get(&url).send());
    devto.until_requested("/api/articles").await;
    drop(devto);
    waiting.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn an_answer_takes_at_least_as_long_as_the_latency_says() {
    let devto = Devto::serve(Community::empty()).await.unwrap();
    let latency = Duration::from_millis(60);
    devto.set_latency(latency);
    let begun = Instant::now();
    json(&devto, "/api/articles").await;
    assert!(begun.elapsed() >= latency);
}

#[tokio::test]
async fn two_sites_know_nothing_of_each_other() {
    let sites = [(); 2].map(|()| Devto::serve(Community::empty()));
    let [first, second] = sites;
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    ask(&first, "/api/articles").await;
    assert_eq!((first.request_count(), second.request_count()), (1, 0));
    assert_ne!(first.addr(), second.addr());
}
