#pragma once

#include "poold/client/options.h"

namespace poold::cli {

// Shows what tasks print as they print it: on our stdout and stderr, or all of it on stderr where stdout is for results
// alone; on a terminal as it is only when it is to be `raw`. Called on the thread that reads the connection.
client::OutputCallback LiveOutput(bool stdout_is_taken, bool raw);

}  // namespace poold::cli
