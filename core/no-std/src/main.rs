//! Links rumormill-core without std: with std anywhere among its dependencies, the panic handler would exist twice.
#![no_std]
#![no_main]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

use rumormill_core::io::{Input, Outbox};
use rumormill_core::{Config, Instant, Node, step};

struct NoMemory;

// SAFETY: an allocator may always fail.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

#[link(name = "c")]
unsafe extern "C" {}

/// The precompiled `alloc` refers to unwinding, which this program does not do.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
pub extern "C" fn _Unwind_Resume() -> ! {
    loop {}
}

/// Never run; built so that everything reachable from `step` is linked.
#[unsafe(no_mangle)]
pub extern "C" fn main(_: i32, node: *mut Node) -> i32 {
    let mut outbox = Outbox::new();
    // SAFETY: checked for null; a caller would have to pass a real node.
    if let Some(node) = unsafe { node.as_mut() } {
        return step(node, Input::Tick, Instant::ORIGIN, &mut outbox).count() as i32;
    }
    i32::from(Config::lan().check().is_err())
}
