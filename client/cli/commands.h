// The commands of poolctl: each function runs one, prints the answer, and returns the exit status.
//
// Threads: the main thread. Errors are printed to stderr (context.h), and say what to do.
#pragma once

#include "cli/context.h"
#include "cli/exit_status.h"
#include "cli/grammar/options.h"

namespace poold::cli {

ExitStatus Run(const SubmitOptions& options, Context& context);  // submit.cc
ExitStatus Run(const MapOptions& options, Context& context);     // map.cc
ExitStatus Run(const GetOptions& options, Context& context);     // handles.cc
ExitStatus Run(const WaitOptions& options, Context& context);
ExitStatus Run(const WatchOptions& options, Context& context);    // watch.cc
ExitStatus Run(const TasksOptions& options, Context& context);    // tasks.cc
ExitStatus Run(const ExplainOptions& options, Context& context);  // explain.cc
ExitStatus Run(const ReplayOptions& options, Context& context);   // replay.cc
ExitStatus Run(const CancelOptions& options, Context& context);
ExitStatus Run(const ReleaseOptions& options, Context& context);
ExitStatus Run(const PoolsOptions& options, Context& context);  // show_commands.cc
ExitStatus Run(const WorkersOptions& options, Context& context);
ExitStatus Run(const FunctionsOptions& options, Context& context);
ExitStatus Run(const StatsOptions& options, Context& context);
ExitStatus Run(const InfoOptions& options, Context& context);
ExitStatus Run(const TopOptions& options, Context& context);  // top.cc
// Whether the command draws a live screen and no snapshot.
bool IsLive(const TopOptions& options, const GlobalOptions& global);
ExitStatus Run(const OpenOptions& options, Context& context);    // open.cc
ExitStatus Run(const ResizeOptions& options, Context& context);  // pool_changes.cc
ExitStatus Run(const ReloadOptions& options, Context& context);
ExitStatus Run(const CloseOptions& options, Context& context);
ExitStatus Run(const TerminateOptions& options, Context& context);
ExitStatus Run(const JoinOptions& options, Context& context);

}  // namespace poold::cli
