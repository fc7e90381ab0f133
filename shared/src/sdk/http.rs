//! placeholder until the branch lands
pub async fn counting_requests<F: std::future::Future>(future: F) -> (F::Output, u64) {
    (future.await, 0)
}
