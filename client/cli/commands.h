#pragma once

#include "cli/context.h"
#include "cli/exit_status.h"
#include "cli/options.h"

// One function for each command: does it, prints the answer, says how it went.
namespace poold::cli {

ExitStatus Run(const SubmitOptions& options, Context& context);  // submit.cc
ExitStatus Run(const MapOptions& options, Context& context);     // map.cc
ExitStatus Run(const GetOptions& options, Context& context);     // handles.cc
ExitStatus Run(const WaitOptions& options, Context& context);
ExitStatus Run(const CancelOptions& options, Context& context);
ExitStatus Run(const ReleaseOptions& options, Context& context);
ExitStatus Run(const PoolsOptions& options, Context& context);  // looks.cc
ExitStatus Run(const WorkersOptions& options, Context& context);
ExitStatus Run(const FunctionsOptions& options, Context& context);
ExitStatus Run(const StatsOptions& options, Context& context);
ExitStatus Run(const InfoOptions& options, Context& context);
ExitStatus Run(const OpenOptions& options, Context& context);  // pools.cc
ExitStatus Run(const CloseOptions& options, Context& context);
ExitStatus Run(const TerminateOptions& options, Context& context);
ExitStatus Run(const JoinOptions& options, Context& context);

}  // namespace poold::cli
