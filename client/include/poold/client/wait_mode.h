// When a wait for several handles is over.
#pragma once

namespace poold::client {

enum class WaitMode {
  kAllCompleted,
  kFirstCompleted,
  // The first that ended otherwise than SUCCEEDED, or all.
  kFirstException,
};

}  // namespace poold::client
