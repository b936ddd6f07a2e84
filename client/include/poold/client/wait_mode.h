// WaitMode: when a wait for several handles is over.
#pragma once

namespace poold::client {

enum class WaitMode {
  // Every handle is done.
  kAllCompleted,
  // At least one handle is done.
  kFirstCompleted,
  // At least one handle ended otherwise than SUCCEEDED, or every handle is done.
  kFirstException,
};

}  // namespace poold::client
