#pragma once

namespace slopegan {

/// Sets the C library's allocator up for a program that asks for the same megabytes again and again, as each training
/// step does: what is freed is kept for the next step instead of being given back to the system page by page, and the
/// first part of the heap lies in huge pages. Does nothing where the C library is not glibc. Call it before anything
/// large is allocated.
void prepare_heap();

}  // namespace slopegan
