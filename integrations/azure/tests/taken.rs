//! The SDK already has another runtime. The runtime belongs to the process, so this test has its own process.

use azmon_azure::propagate_context;
use azure_core::async_runtime::get_async_runtime;

#[test]
fn a_runtime_that_is_already_chosen_is_an_error_and_not_hidden() {
    let _chosen = get_async_runtime();
    let error = propagate_context().unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
    assert!(propagate_context().is_err());
}
