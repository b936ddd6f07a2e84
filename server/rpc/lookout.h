// How a thread that waits for clients looks again before it sleeps: for what they say, and for what workers say, so
// that neither has to wake anybody. Bounded by base::Spin. Not thread-safe: of that thread.
#pragma once

#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "base/spin.h"
#include "core/types.h"
#include "gate/companion.h"

namespace poold::rpc {

class Lookout {
 public:
  // `companion` may be null: then it never looks. Both must outlive it.
  Lookout(const base::Clock* clock, gate::Companion* companion, core::Nanos spin)
      : clock_(*clock), companion_(companion), spin_(companion == nullptr ? 0 : spin) {}

  // Call it before each sleep. `came`: takes the next event of the thread's own, if there is one now. True: there was.
  // False: it may sleep.
  bool Looks(absl::FunctionRef<bool()> came);
  // Call it when the thread ends.
  void Rest();

 private:
  bool Begin();
  enum class Seen { kNothing, kNews, kOwn };
  Seen LookAgain(absl::FunctionRef<bool()> came);

  const base::Clock& clock_;
  gate::Companion* const companion_;
  base::Spin spin_;
  bool took_ = false;
  // The companion counts on it.
  bool looks_ = false;
};

}  // namespace poold::rpc
