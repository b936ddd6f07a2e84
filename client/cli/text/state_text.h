// Tasks, maps, pools and workers in words, for tables and lines. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "poold/v1/pool_service.pb.h"

namespace poold::cli {

// ---- Tasks and maps ----

// "QUEUED".
std::string StateWord(v1::TaskState state);
// The state of a map as ListTasks filters it: FAILED if some item did not succeed.
v1::TaskState StateOf(const v1::MapProgress& map);
// The state of a word in upper or lower case; TASK_STATE_UNSPECIFIED: there is no such state.
v1::TaskState StateFromWord(const std::string& word);

// "42 %: resizing"; empty without progress.
std::string ProgressWord(const v1::Progress& progress);

// "square: 20 of 40 (and more to come) items done, 1 without success".
std::string ProgressSentence(const v1::MapProgress& map);

// "SIGKILL", or "signal 70".
std::string SignalName(int signal);

// The time in seconds.
double Seconds(const google::protobuf::Duration& duration);
double Seconds(const google::protobuf::Timestamp& time);

// "12:30:05.123", local time.
std::string ClockText(const google::protobuf::Timestamp& time);

// ---- Pools and workers ----

// "running".
std::string StateWord(v1::PoolState state);
std::string StateWord(v1::WorkerState state);
std::string ContainmentWord(v1::Containment means);

// "demo running, 4 workers, generation 2, reloading".
std::string PoolSentence(const v1::Pool& pool);

// The pool's modules, or its program.
std::string ModulesText(const v1::PoolSpec& spec);

// The tasks that ended otherwise than SUCCEEDED.
uint64_t Unsuccessful(const v1::PoolStats& stats);

// "1 worker", "2 workers".
std::string Count(uint64_t count, const char* noun);

// The time since then; "-" for a time that is not set.
std::string AgeText(const google::protobuf::Timestamp& since);

}  // namespace poold::cli
