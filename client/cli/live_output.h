#pragma once

#include "poold/client/options.h"

namespace poold::cli {

// Returns a callback that shows the tasks' output as it comes: on stdout and stderr, or on stderr alone where stdout is
// for results. On a terminal the output is unchanged only with `raw`. The callback runs on the thread that reads the
// connection.
client::OutputCallback LiveOutput(bool stdout_is_taken, bool raw);

}  // namespace poold::cli
